// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// leastSkip is how many bytes it is worth while to leave out: the capture hears of
// it some milliseconds after they began to flow.
const leastSkip = 256 << 10

// spare tells stage 2 which bytes from offset on the conversation does not need.
func (e *Engine) spare(st *stream, d conn.Dir, offset uint64) {
	s, side := st.session, &st.sides[d]
	if s == nil || s.skipper == nil || st.outer != nil {
		return
	}
	until := uint64(0)
	if side.mode == flowing && side.pending.empty() && !s.ended[d] {
		e.current = s.entry
		if n := s.skipper.Spare(s.direction(d)); n > 0 {
			until = offset + min(n, math.MaxUint64-offset)
		}
	}
	switch {
	case until == side.spared:
		return
	case until < offset+leastSkip:
		until = 0
	}
	e.skip(st, d, until)
}

// skip says that no bytes before offset until are needed.
func (*Engine) skip(st *stream, d conn.Dir, until uint64) {
	side := &st.sides[d]
	if side.spared != until && st.outer == nil {
		side.spared = until
		st.conn.Spare(d, until)
	}
}

// skipAll is for a connection whose bytes nobody looks at.
func (e *Engine) skipAll(st *stream) {
	e.skip(st, conn.Out, math.MaxUint64)
	e.skip(st, conn.In, math.MaxUint64)
}

// skipNone is for a connection of which it is not known any more.
func (e *Engine) skipNone(st *stream) {
	e.skip(st, conn.Out, 0)
	e.skip(st, conn.In, 0)
}

// Spared implements conn.Sink. What the conversation does not count as spared any
// more, is missing.
func (e *Engine) Spared(c *conn.Conn, d conn.Dir, m conn.Mark, n uint64) {
	st := c.Session.(*stream)
	if st.state > dissected {
		e.stats.SkippedBytes.Add(n)
		return
	}
	defer e.contain(st, m.Time)
	s, side := st.session, &st.sides[d]
	if s == nil || s.skipper == nil || side.mode != flowing || !side.pending.empty() {
		e.missing(st, d, m, n)
		return
	}
	e.current = s.entry
	k := min(n, s.skipper.Spare(s.direction(d)))
	if k > 0 {
		e.stats.SparedBytes.Add(k)
		s.skipper.Spared(s.direction(d), m, k)
		m.Offset += k
		m.Seq += uint32(k)
		e.spare(st, d, m.Offset)
	}
	if k < n {
		e.missing(st, d, m, n-k)
	}
}
