// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// openCut opens a session for first bytes that a gap follows, if a dissector knows them
// by what there is.
func (e *Engine) openCut(st *stream, d conn.Dir) bool {
	if st.sides[d].pending.empty() || st.conn.Transport != capture.TCP {
		return false
	}
	client, server := st.sides[st.client].pending.bytes, st.sides[st.client.Other()].pending.bytes
	for i := range e.dissectors {
		c := &e.dissectors[i]
		p, ok := c.Dissector.(dissect.CutProber)
		if !ok || c.Transport != st.conn.Transport || st.excluded&c.bit != 0 {
			continue
		}
		e.current = c
		end := st.client
		switch p.ProbeCut(client, server) {
		case dissect.Yes:
		case dissect.Reversed:
			end = end.Other()
		default:
			continue
		}
		if e.open(st, c, end, d) {
			e.replay(st)
		}
		return st.state == dissected
	}
	return false
}

// cut shows a conversation the bytes before a gap that it has not used. It reports
// whether they are the beginning of a message, which the gap then cuts.
func (e *Engine) cut(st *stream, d conn.Dir) bool {
	side, s := &st.sides[d], st.session
	cutter, ok := s.conv.(dissect.Cutter)
	if !ok || side.pending.empty() || side.mode == skipping {
		return false
	}
	e.current = s.entry
	if !cutter.Cut(s.direction(d), side.pending.marks(), side.pending.bytes) {
		return false
	}
	side.mode = flowing
	e.pool.release(&st.conn.Memory, &side.pending)
	return true
}
