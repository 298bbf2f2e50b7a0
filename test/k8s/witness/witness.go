// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package witness is the log in which each program in the cluster says which calls
// it made or got, and from or to where: what the test holds against what Wirespan
// has exported.
package witness // import "github.com/wirespan/wirespan/test/k8s/witness"

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/wirespan/wirespan/internal/testkit/jsonl"
)

// Call is one end of a call.
type Call struct {
	Server   bool   `json:"server"`
	Sequence string `json:"sequence"` // truth.SequenceHeader of the request
	PodUID   string `json:"pod_uid"`
	// Container is the name of the container within the pod.
	Container string `json:"container"`
	Target    string `json:"target,omitempty"` // of clients: host and port as in the URL
	Local     string `json:"local"`
	Remote    string `json:"remote"`
	Status    int    `json:"status"`
	// Error is set by a client that did not get a whole response.
	Error string `json:"error,omitempty"`
}

// Log is the log of one container.
type Log struct {
	calls          *jsonl.Log[Call]
	pod, container string
}

// Open opens the log of the container that this program runs in, as its environment
// tells: POD_UID and CONTAINER, and WITNESS for the folder.
func Open() (*Log, error) {
	l := &Log{pod: os.Getenv("POD_UID"), container: os.Getenv("CONTAINER")}
	var err error
	l.calls, err = jsonl.Append[Call](filepath.Join(os.Getenv("WITNESS"), l.pod+"."+l.container+".jsonl"))
	return l, err
}

// Write adds a call.
func (l *Log) Write(c Call) error {
	c.PodUID, c.Container = l.pod, l.container
	return l.calls.Write(c)
}

// Read reads the logs of a folder. A last line that is still being written is left
// out.
func Read(folder string) (calls []Call, err error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	for _, path := range paths {
		of, err := jsonl.Read[Call](path)
		if err != nil {
			return nil, err
		}
		calls = append(calls, of...)
	}
	return calls, nil
}
