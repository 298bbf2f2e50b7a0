// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonl is a log of JSON objects, one per line, which can be read while it is
// being written.
package jsonl // import "github.com/wirespan/wirespan/internal/testkit/jsonl"

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

// Log is a log of entries.
type Log[Entry any] struct {
	mu sync.Mutex
	w  io.Writer
}

// To writes a log to w.
func To[Entry any](w io.Writer) *Log[Entry] { return &Log[Entry]{w: w} }

// Append opens the log in a file, which other processes may write as well.
func Append[Entry any](path string) (*Log[Entry], error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return To[Entry](f), nil
}

// Write adds an entry.
func (l *Log[Entry]) Write(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode entry: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// Read reads a file. The last line is left out while it is still being written.
func Read[Entry any](path string) (entries []Entry, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("decode %q: %w", line, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
