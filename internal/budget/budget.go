// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package budget divides one amount of memory among the stages of a receiver.
package budget // import "github.com/wirespan/wirespan/internal/budget"

import "sync/atomic"

// Budget is an amount of memory in bytes. It is safe for concurrent use. A nil
// Budget has no limit.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// New gives a budget of limit bytes.
func New(limit int64) *Budget { return &Budget{limit: limit} }

// Take takes n bytes if they are there, and reports whether it did.
func (b *Budget) Take(n int) bool {
	if b == nil {
		return true
	}
	if b.used.Add(int64(n)) > b.limit {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

// Give gives n bytes back.
func (b *Budget) Give(n int) {
	if b != nil {
		b.used.Add(-int64(n))
	}
}

// Used is the number of bytes taken.
func (b *Budget) Used() int64 {
	if b == nil {
		return 0
	}
	return b.used.Load()
}

// Limit is the size of the budget.
func (b *Budget) Limit() int64 {
	if b == nil {
		return 0
	}
	return b.limit
}
