// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"math"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

var _ dissect.Skipper = (*conversation)(nil)

// Spare is the rest of a body, or of a chunk, of which no more is kept.
func (c *conversation) Spare(d dissect.Direction) uint64 {
	h := &c.halves[d]
	if h.body.Cut == "" || h.body.Streams() || h.guess || c.mayBeAnswered(h) {
		return 0
	}
	switch h.phase {
	case inBody, inChunk:
		return h.body.left
	case inOpenBody:
		return math.MaxUint64
	default:
		return 0
	}
}

// Spared counts n > 0 bytes of the body that were not kept.
func (c *conversation) Spared(d dissect.Direction, m conn.Mark, n uint64) {
	h := &c.halves[d]
	h.body.Size += n
	m.Offset += n - 1
	m.Seq += uint32(n - 1)
	h.see(m)
	if h.phase != inOpenBody {
		h.body.left -= n
		c.bodyEnd(h)
	}
	c.progress(h)
}
