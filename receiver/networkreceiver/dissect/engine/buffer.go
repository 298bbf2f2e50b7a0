// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// buffer holds bytes of one direction that nobody has used yet, and where they
// came from. What its slices take is accounted for.
type buffer struct {
	bytes []byte
	index []dissect.MarkAt
	taken int
}

func (b *buffer) empty() bool          { return len(b.bytes) == 0 }
func (b *buffer) marks() dissect.Marks { return dissect.MarksOver(b.index) }

// drop removes the first n bytes.
func (b *buffer) drop(n int) {
	if n == 0 {
		return
	}
	first := 0
	for first+1 < len(b.index) && b.index[first+1].At <= n {
		first++
	}
	b.index = slices.Delete(b.index, 0, first)
	if len(b.index) > 0 {
		b.index[0].Mark = advance(b.index[0].Mark, n-b.index[0].At)
		b.index[0].At = 0
		for i := range b.index[1:] {
			b.index[i+1].At -= n
		}
	}
	b.bytes = append(b.bytes[:0], b.bytes[n:]...)
}

// truncate removes all but the first n bytes.
func (b *buffer) truncate(n int) {
	b.bytes = b.bytes[:n]
	for len(b.index) > 0 && b.index[len(b.index)-1].At >= n {
		b.index = b.index[:len(b.index)-1]
	}
}

// each calls f with each run of bytes between from and to that came from one
// segment.
func (b *buffer) each(from, to int, f func(conn.Mark, []byte)) {
	for i, piece := range b.index {
		end := len(b.bytes)
		if i+1 < len(b.index) {
			end = b.index[i+1].At
		}
		lo, hi := max(piece.At, from), min(end, to)
		if lo < hi {
			f(advance(piece.Mark, lo-piece.At), b.bytes[lo:hi:hi])
		}
	}
}

const (
	spareBytes   = 4 << 10 // slices of this capacity are used again
	spareMarks   = 16
	spareBuffers = 32
	markBytes    = 32 // size of a dissect.MarkAt
)

// pool gives buffers their memory and takes it back, so that a connection that
// leaves a rest in every segment does not allocate each time. Its spare slices
// are a constant that the budget does not see.
type pool struct {
	spare []buffer
}

// add appends bytes of one segment to a buffer, whose memory it takes from a
// connection's. It reports false, and adds nothing, if there is none for them.
func (p *pool) add(memory *budget.Account, b *buffer, m conn.Mark, data []byte) bool {
	if !p.reserve(memory, b, len(b.bytes)+len(data)) {
		return false
	}
	if !b.continues(m) {
		b.index = append(b.index, dissect.MarkAt{At: len(b.bytes), Mark: m})
	}
	b.bytes = append(b.bytes, data...)
	return true
}

// continues tells whether m follows the last byte within the same segment.
func (b *buffer) continues(m conn.Mark) bool {
	if len(b.index) == 0 {
		return false
	}
	last := b.index[len(b.index)-1]
	return advance(last.Mark, len(b.bytes)-last.At) == m
}

// reserve makes room for size bytes and one more mark.
func (p *pool) reserve(memory *budget.Account, b *buffer, size int) bool {
	if b.bytes == nil && len(p.spare) > 0 {
		spare := p.spare[len(p.spare)-1]
		if !memory.Take(spare.taken) {
			return false
		}
		p.spare = p.spare[:len(p.spare)-1]
		*b = spare
	}
	bytes, marks := cap(b.bytes), cap(b.index)
	if size > bytes {
		bytes = max(size, 2*bytes, spareBytes)
	}
	if len(b.index) == marks {
		marks = max(2*marks, spareMarks)
	}
	want := bytes + marks*markBytes
	if want == b.taken {
		return true
	}
	if !memory.Take(want - b.taken) {
		return false
	}
	b.taken = want
	if bytes > cap(b.bytes) {
		b.bytes = append(make([]byte, 0, bytes), b.bytes...)
	}
	if marks > cap(b.index) {
		b.index = append(make([]dissect.MarkAt, 0, marks), b.index...)
	}
	return true
}

// release empties a buffer and gives back what it has taken.
func (p *pool) release(memory *budget.Account, b *buffer) {
	if b.taken == 0 {
		return
	}
	memory.Give(b.taken)
	if cap(b.bytes) == spareBytes && cap(b.index) == spareMarks && len(p.spare) < spareBuffers {
		p.spare = append(p.spare, buffer{bytes: b.bytes[:0], index: b.index[:0], taken: b.taken})
	}
	*b = buffer{}
}
