// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package truth is what the programs under test agree on: the bodies that they
// send, and the log in which each says what it did.
package truth // import "github.com/wirespan/wirespan/internal/testkit/truth"

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

// SequenceHeader carries an id that is unique among all requests of a test.
const SequenceHeader = "X-Sequence"

// Call is what a program itself says about one call.
type Call struct {
	PID            int    `json:"pid"`
	Sequence       string `json:"sequence"`
	Method         string `json:"method"`
	URI            string `json:"uri"` // request target
	Status         int    `json:"status"`
	RequestSize    int    `json:"request_size"`
	RequestSHA256  string `json:"request_sha256"`
	ResponseSize   int    `json:"response_size"`
	ResponseSHA256 string `json:"response_sha256"`
	// Error is set by a client that did not get a whole response.
	Error string `json:"error,omitempty"`
}

// Log is where a program writes its calls, one JSON object per line.
type Log struct {
	mu sync.Mutex
	w  io.Writer
}

// OpenLog opens the file that the environment variable TRUTH names, or else the
// standard output.
func OpenLog() (*Log, error) {
	path := os.Getenv("TRUTH")
	if path == "" {
		return &Log{w: os.Stdout}, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &Log{w: f}, nil
}

// Write adds a call.
func (l *Log) Write(c Call) error {
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode call: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// Read reads a log. The last line is left out while it is still being written.
func Read(path string) ([]Call, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	var calls []Call
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		var c Call
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, fmt.Errorf("decode %q: %w", line, err)
		}
		calls = append(calls, c)
	}
	return calls, nil
}
