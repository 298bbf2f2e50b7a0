// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Call is what became of one request. Times are nanoseconds since the Unix epoch.
type Call struct {
	Sequence uint64
	Due      int64 // when it should have been sent
	Sent     int64
	Done     int64  // when its response was there; 0 if none came
	Status   uint64 // 0 if none came
}

// ID is the text of a sequence number that a request carries.
func ID(name string, sequence uint64) string { return fmt.Sprintf("%s-%0*d", name, digits, sequence) }

// Write writes calls to a file: each is five numbers of 64 bits, little-endian.
func Write(path string, calls []Call) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create log: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = binary.Write(w, binary.LittleEndian, calls)
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// Read reads what Write wrote.
func Read(path string) ([]Call, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	size := binary.Size(Call{})
	if len(b)%size != 0 {
		return nil, fmt.Errorf("read log: %w", io.ErrUnexpectedEOF)
	}
	calls := make([]Call, len(b)/size)
	if _, err := binary.Decode(b, binary.LittleEndian, calls); err != nil {
		return nil, fmt.Errorf("decode log: %w", err)
	}
	return calls, nil
}

// Answered gives the calls that have a response.
func Answered(calls []Call) []Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return c.Done == 0 })
}

// Latencies are those of the calls that have a response, in order: exact, so any
// quantile can be read off. Each begins when its request was due.
func Latencies(calls []Call) []time.Duration {
	all := make([]time.Duration, 0, len(calls))
	for _, c := range calls {
		if c.Done != 0 {
			all = append(all, time.Duration(c.Done-c.Due))
		}
	}
	slices.Sort(all)
	return all
}

// Quantile is the smallest of the sorted latencies that is not below a share q of
// them.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
