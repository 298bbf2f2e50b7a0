// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// firstStep is how much is added to pending bytes before the conversation is
// asked again, where it did not say what it needs. It doubles each time, so that
// a large segment is neither copied whole nor parsed over and over.
const firstStep = 2 << 10

// outcome is what came of one call of Conversation.Data.
type outcome uint8

const (
	again    outcome = iota // bytes were used, and there may be enough for another call
	wait                    // more bytes are needed
	violated                // the session's thread is lost
	upgraded                // the rest is of another protocol
)

// call hands bytes to the conversation and checks what it answers.
func (e *Engine) call(s *session, d conn.Dir, m dissect.Marks, b []byte) (used, need int, o outcome) {
	e.current = s.entry
	used, need, err := s.conv.Data(s.direction(d), m, b)
	violations := &s.entry.counters.violations
	if used < 0 || used > len(b) || need < 0 {
		violations[misuse].Add(1)
		return max(0, min(used, len(b))), 0, violated
	}
	s.delivered += uint64(used)
	s.stray = false
	rest := len(b) - used
	switch {
	case err != nil:
		violations[protocol].Add(1)
		s.stray = errors.Is(err, dissect.ErrStray)
		return used, 0, violated
	case s.upgraded:
		return used, 0, upgraded
	case rest > 0 && need <= rest && used > 0:
		return used, 0, again
	case rest > 0 && need > 0 && need <= rest:
		violations[stalled].Add(1)
		return used, 0, violated
	case rest >= s.Limits.HeaderBytes || need > s.Limits.HeaderBytes:
		violations[headerBytes].Add(1)
		s.Limit("header_bytes")
		return used, 0, violated
	}
	return used, need, wait
}

// direct hands over bytes with nothing pending before them, without a copy.
func (e *Engine) direct(st *stream, d conn.Dir, m conn.Mark, b []byte) int {
	side := &st.sides[d]
	if len(b) < side.need {
		e.keep(st, d, m, b)
		return len(b)
	}
	used, need, o := e.call(st.session, d, dissect.MarksOf(m), b)
	switch o {
	case wait:
		side.need = need
		e.keep(st, d, advance(m, used), b[used:])
		return len(b)
	case violated:
		return min(len(b), used+e.violation(st, d, m.Time, b[used:]))
	case upgraded:
		e.upgrade(st, d, m.Time)
	default:
		side.need = 0
	}
	return used
}

// keep copies the unused rest. Without memory for it, it is a gap.
func (e *Engine) keep(st *stream, d conn.Dir, m conn.Mark, b []byte) {
	side := &st.sides[d]
	side.step = firstStep
	if len(b) > 0 && !e.pool.add(&st.conn.Memory, &side.pending, m, b) {
		e.stats.NoMemory.Add(1)
		e.gap(st, d, m, uint64(len(b)), dissect.ReasonMemory)
	}
}

// topUp adds bytes to those pending, hands them over, and goes back to borrowed
// bytes as soon as all that was pending is used. It returns how many bytes of b
// are done with.
func (e *Engine) topUp(st *stream, d conn.Dir, m conn.Mark, b []byte) int {
	side := &st.sides[d]
	pending := &side.pending
	own := len(pending.bytes) // pending bytes that are not in b
	add := min(len(b), max(side.need-own, side.step), max(1, st.session.Limits.HeaderBytes-own))
	if !e.pool.add(&st.conn.Memory, pending, m, b[:add]) {
		e.stats.NoMemory.Add(1)
		e.gap(st, d, m, uint64(len(b)), dissect.ReasonMemory)
		return len(b)
	}
	for len(pending.bytes) >= max(1, side.need) {
		used, need, o := e.call(st.session, d, pending.marks(), pending.bytes)
		if o == violated || o == upgraded {
			e.changeover(st, d, m.Time, used, o)
			return add
		}
		side.need = need
		if used >= own {
			e.pool.release(&st.conn.Memory, pending)
			done := used - own
			if o == wait && add == len(b) {
				e.keep(st, d, advance(m, done), b[done:])
				return add
			}
			return done // the rest of b is handed over again, borrowed
		}
		own -= used
		pending.drop(used)
		if o == wait {
			side.step = 2 * max(side.step, firstStep)
			break
		}
	}
	return add
}

// changeover ends the use of pending bytes by a violation or an upgrade: the rest
// of them is handed over anew.
func (e *Engine) changeover(st *stream, d conn.Dir, t int64, used int, o outcome) {
	pending := &st.sides[d].pending
	pending.drop(used)
	rest := *pending
	*pending = buffer{}
	defer e.pool.release(&st.conn.Memory, &rest)
	skip := 0
	if o == violated {
		skip = e.violation(st, d, t, rest.bytes)
	} else {
		e.upgrade(st, d, t)
	}
	rest.each(skip, len(rest.bytes), func(m conn.Mark, b []byte) { e.data(st, d, m, b) })
}

// datagram hands over one datagram. What is unused of it is of no use later.
func (e *Engine) datagram(st *stream, d conn.Dir, m conn.Mark, b []byte) int {
	for n := 0; n < len(b); {
		used, _, o := e.call(st.session, d, dissect.MarksOf(advance(m, n)), b[n:])
		n += used
		switch o {
		case violated:
			e.violation(st, d, m.Time, b[n:])
			return len(b)
		case upgraded:
			e.upgrade(st, d, m.Time)
			return n
		case wait:
			if n < len(b) {
				st.session.entry.counters.violations[trailing].Add(1)
			}
			return len(b)
		default: // again
		}
	}
	return len(b)
}

// gap tells the conversation that n bytes are missing from m on, and why. What was
// pending is lost with them.
func (e *Engine) gap(st *stream, d conn.Dir, m conn.Mark, n uint64, why conn.Reason) {
	side := &st.sides[d]
	if !e.cut(st, d) && !side.pending.empty() && side.mode == flowing {
		n += uint64(len(side.pending.bytes))
		m = side.pending.index[0].Mark
	}
	e.pool.release(&st.conn.Memory, &side.pending)
	side.need = 0
	s := st.session
	if side.mode != flowing {
		side.lost, side.stray = doubt{why, m.Time}, false
		e.current = s.entry
		s.forewarn(d)
		e.out.Resync(&s.Session, s.direction(d), why, m.Time)
		return
	}
	e.current = s.entry
	s.says, s.means = dissect.ReasonGap, why
	resumed := s.conv.Gap(s.direction(d), m, n)
	s.says, s.means = "", ""
	switch {
	case s.upgraded:
		if s.next == "" { // what follows begins with a loss
			st.hopeful = true
			st.doubts[d].add(dissect.ReasonGap, m.Time)
		}
		e.upgrade(st, d, m.Time)
	case !resumed:
		e.lose(st, d, why, m.Time)
	}
}

// end tells the conversation that a direction has ended.
func (e *Engine) end(st *stream, d conn.Dir, t int64, r conn.Reason) {
	s := st.session
	if s.ended[d] {
		return
	}
	s.ended[d] = true
	end := dissect.End{Time: t, Why: r}
	s.Ends[s.direction(d)] = end
	e.pool.release(&st.conn.Memory, &st.sides[d].pending)
	e.current = s.entry
	if r == conn.ReasonFIN || r == conn.ReasonRST || r == conn.ReasonIdle {
		s.ending = end
	}
	s.conv.End(s.direction(d), t, r)
	s.ending = dissect.End{}
	if s.upgraded {
		e.upgrade(st, d, t)
	}
}

// finish ends what a connection still has open. why is r, or what r stands for.
func (e *Engine) finish(st *stream, t int64, r, why conn.Reason) {
	defer e.contain(st, t)
	if s := st.session; s != nil && why != r {
		s.says, s.means = r, why
	}
	for _, d := range [...]conn.Dir{conn.Out, conn.In} {
		if st.state == dissected {
			e.end(st, d, t, r)
		}
	}
	if st.state == dissected {
		e.stats.Unreleased.Add(uint64(st.session.kept))
		e.closeSession(st, t, why)
	}
}
