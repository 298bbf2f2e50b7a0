// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package budget divides one amount of memory among the stages of a receiver.
//
// A [Budget] is shared by all workers. A part of it bounds what one stage can take. An
// [Account] is what one connection holds, of which no connection can have too much.
package budget // import "github.com/wirespan/wirespan/internal/budget"

import "sync/atomic"

// Budget is an amount of memory in bytes. It is safe for concurrent use. A nil
// Budget has no limit.
type Budget struct {
	limit int64
	used  atomic.Int64
	whole *Budget // of which it is a part, or nil
	keeps int64   // what a part has in any case
}

// New gives a budget of limit bytes.
func New(limit int64) *Budget { return &Budget{limit: limit} }

// Part gives a budget of at most limit bytes, all of which are taken from b as well. As
// long as it has taken no more than keeps, it has nothing to let go of for others.
func (b *Budget) Part(limit, keeps int64) *Budget {
	if b == nil {
		return nil
	}
	return &Budget{limit: limit, whole: b, keeps: keeps}
}

// Take takes n bytes if they are there, and reports whether it did.
func (b *Budget) Take(n int) bool {
	if b == nil {
		return true
	}
	if b.used.Add(int64(n)) > b.limit || !b.whole.Take(n) {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

// Give gives n bytes back.
func (b *Budget) Give(n int) {
	if b != nil {
		b.used.Add(-int64(n))
		b.whole.Give(n)
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

// free is how much can be taken.
func (b *Budget) free() int64 {
	n := b.limit - b.used.Load()
	if b.whole != nil {
		n = min(n, b.whole.free())
	}
	return n
}

// reserve is which part of a budget is kept free for those who are active, as a power
// of two.
const reserve = 3

// Scarce reports whether less than an eighth is free, so that what is idle should go. A
// part is asked to let go of something only where it has more than it can keep.
func (b *Budget) Scarce() bool {
	if b == nil {
		return false
	}
	used := b.used.Load()
	return used > b.limit-b.limit>>reserve || used > b.keeps && b.whole.Scarce()
}
