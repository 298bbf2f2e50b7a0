// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// violation decides how to go on after bytes that are not of the protocol. rest
// is what was not used, and it returns how many bytes of it to skip.
func (e *Engine) violation(st *stream, d conn.Dir, t int64, rest []byte) (skip int) {
	if e.reconsider(st, d, t, rest) {
		return 0
	}
	s := st.session
	s.violations++
	if s.violations == violationsInRow {
		e.closeSession(st, t, dissect.ReasonViolation)
		e.leave(st, ignored)
		return len(rest)
	}
	if st.conn.Transport == capture.TCP {
		e.lose(st, d, dissect.ReasonViolation, t)
	}
	// The start that was no start must not be found again.
	return min(1, len(rest))
}

// reconsider withdraws an early decision if another dissector claims the rest.
func (e *Engine) reconsider(st *stream, d conn.Dir, t int64, rest []byte) bool {
	s := st.session
	if s.messages > 0 || s.delivered > earlyBytes || len(rest) == 0 {
		return false
	}
	st.excluded |= s.entry.bit
	if _, _, verdict := e.ask(st, d, rest); verdict == dissect.No {
		st.excluded &^= s.entry.bit
		return false
	}
	e.stats.Withdrawn.Add(1)
	e.closeSession(st, t, dissect.ReasonViolation)
	e.change(st, undecided)
	st.sides[d] = side{pending: st.sides[d].pending}
	e.again(st, d.Other())
	return true
}

// again hands over anew what is pending in a direction, after the session it was
// pending for has ended.
func (e *Engine) again(st *stream, d conn.Dir) {
	rest := st.sides[d].pending
	st.sides[d] = side{}
	defer e.pool.release(&st.conn.Memory, &rest)
	rest.each(0, len(rest.bytes), func(m conn.Mark, b []byte) { e.data(st, d, m, b) })
}

// lose marks a direction as one whose thread is lost, why, and when.
func (e *Engine) lose(st *stream, d conn.Dir, why conn.Reason, t int64) {
	s := st.session
	side := &st.sides[d]
	side.need, side.searched, side.lost = 0, 0, doubt{why, t}
	side.stray = s.stray && why == dissect.ReasonViolation
	side.mode = skipping
	if s.resyncer != nil {
		side.mode = searching
	}
	s.entry.counters.resyncs[side.mode-searching].Add(1)
	e.out.Resync(&s.Session, s.direction(d), why, t)
}

// skipped tells that no message begins in the bytes before m, if they are stray.
func (e *Engine) skipped(st *stream, d conn.Dir, m conn.Mark) {
	if st.sides[d].stray {
		e.out.Skipped(&st.session.Session, st.session.direction(d), m)
	}
}

// search looks for the start of a message. It returns how many bytes are done
// with: those before the start, or all.
func (e *Engine) search(st *stream, d conn.Dir, m conn.Mark, b []byte) int {
	side := &st.sides[d]
	tail := st.session.entry.ProbeBytes
	if !side.pending.empty() {
		return e.searchOver(st, d, m, b[:min(len(b), tail)])
	}
	window := b
	thorough := side.searched < searchBytes
	if !thorough {
		window = b[:min(len(b), searchHead)]
	}
	if at := e.findStart(st, d, window); at >= 0 {
		e.stats.SkippedBytes.Add(uint64(at))
		if thorough {
			e.skipped(st, d, advance(m, at))
		}
		return at
	}
	if thorough {
		e.skipped(st, d, advance(m, len(b)))
	}
	e.stats.SkippedBytes.Add(uint64(len(b)))
	side.searched += len(b)
	if tail = min(len(b), tail); thorough && tail > 0 {
		// Without memory, a start that is cut off here is missed.
		e.pool.add(&st.conn.Memory, &side.pending, advance(m, len(b)-tail), b[len(b)-tail:])
	}
	return len(b)
}

// searchOver looks for a start that begins in the pending bytes and ends in b.
func (e *Engine) searchOver(st *stream, d conn.Dir, m conn.Mark, b []byte) int {
	side := &st.sides[d]
	pending := &side.pending
	own := len(pending.bytes)
	tail := st.session.entry.ProbeBytes
	if !e.pool.add(&st.conn.Memory, pending, m, b) {
		e.pool.release(&st.conn.Memory, pending)
		return 0
	}
	at := e.findStart(st, d, pending.bytes)
	switch {
	case at >= own:
		e.pool.release(&st.conn.Memory, pending)
		e.skipped(st, d, advance(m, at-own))
		return at - own
	case at >= 0:
		pending.truncate(own)
		pending.drop(at)
		side.step = firstStep
		return 0
	case len(b) < tail:
		e.skipped(st, d, advance(m, len(b)))
		side.searched += len(b)
		pending.drop(max(0, len(pending.bytes)-tail))
		return len(b)
	}
	e.pool.release(&st.conn.Memory, pending)
	return 0
}

// findStart asks the conversation for a start, and lets the bytes flow again if
// there is one.
func (e *Engine) findStart(st *stream, d conn.Dir, b []byte) int {
	s := st.session
	e.current = s.entry
	at := s.resyncer.FindStart(s.direction(d), b)
	if at < 0 || at >= len(b) {
		return -1
	}
	st.sides[d].mode = flowing
	st.sides[d].need = 0
	s.entry.counters.found.Add(1)
	return at
}
