// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package witness is the log in which each program in the cluster says which calls
// it made or got, and from or to where: what the test holds against what Wirespan
// has exported.
package witness // import "github.com/wirespan/wirespan/test/k8s/witness"

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	mu             sync.Mutex
	f              *os.File
	pod, container string
}

// Open opens the log of the container that this program runs in, as its environment
// tells: POD_UID and CONTAINER, and WITNESS for the folder.
func Open() (*Log, error) {
	l := &Log{pod: os.Getenv("POD_UID"), container: os.Getenv("CONTAINER")}
	path := filepath.Join(os.Getenv("WITNESS"), l.pod+"."+l.container+".jsonl")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l.f = f
	return l, nil
}

// Write adds a call.
func (l *Log) Write(c Call) error {
	c.PodUID, c.Container = l.pod, l.container
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode call: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// Read reads the logs of a folder. A last line that is still being written is left
// out.
func Read(folder string) (calls []Call, err error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		for line := range bytes.Lines(text) {
			if !strings.HasSuffix(string(line), "\n") {
				break
			}
			var c Call
			if err := json.Unmarshal(line, &c); err != nil {
				return nil, fmt.Errorf("decode %q: %w", line, err)
			}
			calls = append(calls, c)
		}
	}
	return calls, nil
}
