// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package reassembly

import (
	"unsafe"

	"github.com/wirespan/wirespan/internal/budget"
)

// chunk is a held segment. Its payload lies in buf.
type chunk struct {
	prev, next *chunk
	seg        Segment
	buf        []byte
	class      int
}

// classes are the sizes of buffers that are kept for reuse. The largest is a
// whole offloaded packet.
var classes = [...]int{256, 2 << 10, 16 << 10, 64 << 10}

// maxIdle is the memory that each class keeps for reuse, in bytes. It is not part
// of the budget.
const maxIdle = 128 << 10

// pool gives chunks and takes them back. Those in use are part of the budget.
type pool struct {
	budget *budget.Budget
	free   [len(classes)]*chunk
	idle   [len(classes)]int
}

// get copies seg into a chunk. It gives nil if the budget does not allow it.
func (p *pool) get(s *Stream, seg *Segment) *chunk {
	class, size := classOf(len(seg.Payload))
	if !p.take(s, cost(size)) {
		return nil
	}
	c := p.reuse(class)
	if c == nil {
		c = &chunk{buf: make([]byte, size), class: class}
	}
	c.seg = *seg
	c.seg.Payload = c.buf[:copy(c.buf, seg.Payload)]
	return c
}

func (p *pool) put(s *Stream, c *chunk) {
	p.give(s, cost(len(c.buf)))
	c.prev, c.next = nil, nil
	if c.class < len(classes) && p.idle[c.class] < max(1, maxIdle/classes[c.class]) {
		c.next, p.free[c.class] = p.free[c.class], c
		p.idle[c.class]++
	}
}

func (p *pool) take(s *Stream, n int) bool {
	if s.memory != nil {
		return s.memory.Take(n)
	}
	return p.budget.Take(n)
}

func (p *pool) give(s *Stream, n int) {
	if s.memory != nil {
		s.memory.Give(n)
	} else {
		p.budget.Give(n)
	}
}

func (p *pool) reuse(class int) *chunk {
	if class == len(classes) || p.free[class] == nil {
		return nil
	}
	c := p.free[class]
	p.free[class], c.next = c.next, nil
	p.idle[class]--
	return c
}

// classOf gives the class and size of a buffer for n bytes. What is larger than
// every class has its own size and is not reused.
func classOf(n int) (class, size int) {
	for i, size := range classes {
		if n <= size {
			return i, size
		}
	}
	return len(classes), n
}

func cost(size int) int { return size + int(unsafe.Sizeof(chunk{})) }
