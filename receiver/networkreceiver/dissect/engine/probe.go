// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// recognise shows the bytes of an undecided connection to the dissectors, and
// returns how many of them are done with: none if the connection is dissected
// from now on, else all.
func (e *Engine) recognise(st *stream, d conn.Dir, m conn.Mark, b []byte) int {
	st.seen = true
	if st.turn != d {
		st.turn, st.turnTries = d, 0
	}
	fresh := st.sides[0].pending.empty() && st.sides[1].pending.empty()
	if fresh && (st.hopeful || st.refused[d]) && !e.mayTry(st) {
		e.stats.SkippedBytes.Add(uint64(len(b)))
		return len(b)
	}
	pending := &st.sides[d].pending
	before := len(pending.bytes)
	look := b
	if before > 0 {
		if !e.pool.add(&st.conn.Memory, pending, m, b[:min(len(b), e.probeBytes)]) {
			e.noMemory(st)
			return len(b)
		}
		look = pending.bytes
	}
	chosen, client, verdict := e.ask(st, d, look)
	pending.truncate(before)
	if verdict == dissect.Yes {
		if e.open(st, chosen, client, d) {
			e.replay(st)
		}
		return 0
	}
	if verdict == dissect.No {
		verdict = e.askEncrypted(st, d, look)
	}
	switch verdict {
	case dissect.Yes:
		e.leave(st, encrypted)
	case dissect.NeedMore:
		e.hold(st, d, m, b)
	default:
		return e.notRecognised(st, d, m.Time, fresh, len(b))
	}
	return len(b)
}

// mayTry spends one attempt of those that a connection has after its first bytes.
func (e *Engine) mayTry(st *stream) bool {
	if st.tries == probesPerConn {
		e.stats.Unrecognised.Add(1)
		e.leave(st, unknown)
		return false
	}
	if st.turnTries == probesPerTurn {
		return false
	}
	st.tries++
	st.turnTries++
	return true
}

// notRecognised draws the conclusion of a No from all. It returns 0 if the bytes
// shall be shown again on their own.
func (e *Engine) notRecognised(st *stream, d conn.Dir, t int64, fresh bool, n int) int {
	if !st.hopeful {
		st.refused[d] = true
		st.doubts[d].add(dissect.ReasonViolation, t)
		if st.refused[d.Other()] || !st.sides[d.Other()].pending.empty() {
			e.stats.Unrecognised.Add(1)
			e.leave(st, unknown)
			return n
		}
		if fresh {
			return n
		}
		e.forget(st, d, t)
		return 0
	}
	if fresh {
		return n
	}
	e.forget(st, conn.Out, t)
	e.forget(st, conn.In, t)
	return 0
}

// ask probes the dissectors with what is held of the other direction and look. It
// returns Yes with the dissector and the client's direction, NeedMore or No.
func (e *Engine) ask(st *stream, d conn.Dir, look []byte) (*entry, conn.Dir, dissect.Verdict) {
	var first [2][]byte
	first[d], first[d.Other()] = look, st.sides[d.Other()].pending.bytes
	client, server := first[st.client], first[st.client.Other()]
	undecided := false
	for _, hinted := range [...]bool{true, false} {
		for i := range e.dissectors {
			c := &e.dissectors[i]
			if c.Transport != st.conn.Transport || st.excluded&c.bit != 0 || c.hints(st.conn) != hinted {
				continue
			}
			e.current = c
			switch c.Probe(client, server) {
			case dissect.Yes:
				return c, st.client, dissect.Yes
			case dissect.Reversed:
				return c, st.client.Other(), dissect.Yes
			case dissect.NeedMore:
				undecided = undecided || len(client) < c.ProbeBytes && len(server) < c.ProbeBytes
			default: // No
			}
		}
	}
	if undecided {
		return nil, 0, dissect.NeedMore
	}
	return nil, 0, dissect.No
}

// askEncrypted tells whether an end began with TLS or SSH.
func (e *Engine) askEncrypted(st *stream, d conn.Dir, look []byte) dissect.Verdict {
	if st.conn.Transport != capture.TCP {
		return dissect.No
	}
	// Yes and NeedMore are greater than No; Yes wins.
	return max(looksEncrypted(look), looksEncrypted(st.sides[d.Other()].pending.bytes))
}

// hints tells whether a dissector names one of the connection's ports.
func (c *entry) hints(to *conn.Conn) bool {
	return slices.Contains(c.Ports, to.Remote.Port()) || slices.Contains(c.Ports, to.Local.Port())
}

// hold keeps bytes until more of them allow a decision. Datagrams are not put
// together: the next one is looked at on its own.
func (e *Engine) hold(st *stream, d conn.Dir, m conn.Mark, b []byte) {
	if st.conn.Transport == capture.UDP {
		st.hopeful = true
		return
	}
	if n := len(st.order); n > 0 && !st.order[n-1].end && st.order[n-1].dir == d {
		if e.pool.add(&st.conn.Memory, &st.sides[d].pending, m, b) {
			st.order[n-1].n += len(b)
			return
		}
	} else if st.conn.Memory.Take(eventBytes) {
		if e.pool.add(&st.conn.Memory, &st.sides[d].pending, m, b) {
			st.order = append(st.order, event{dir: d, n: len(b)})
			return
		}
		st.conn.Memory.Give(eventBytes)
	}
	e.noMemory(st)
}

// noMemory gives up a connection whose first bytes cannot be held.
func (e *Engine) noMemory(st *stream) {
	e.stats.NoMemory.Add(1)
	e.leave(st, ignored)
}

// replay feeds what was held, in the order of capture, to the session that was
// opened.
func (e *Engine) replay(st *stream) {
	held := [2]buffer{st.sides[0].pending, st.sides[1].pending}
	st.sides[0].pending, st.sides[1].pending = buffer{}, buffer{}
	order := st.order
	st.order = nil
	defer func() {
		st.conn.Memory.Give(cost(order))
		e.pool.release(&st.conn.Memory, &held[0])
		e.pool.release(&st.conn.Memory, &held[1])
	}()
	var at [2]int
	for _, ev := range order {
		if ev.end {
			e.endAny(st, ev)
			continue
		}
		held[ev.dir].each(at[ev.dir], at[ev.dir]+ev.n, func(m conn.Mark, b []byte) {
			e.data(st, ev.dir, m, b)
		})
		at[ev.dir] += ev.n
	}
}

// endAny ends a direction in whatever state the connection is by now.
func (e *Engine) endAny(st *stream, ev event) {
	switch st.state {
	case undecided:
		st.order = append(st.order, ev)
	case dissected:
		e.end(st, ev.dir, ev.time, ev.reason)
	default: // skipped
	}
}

// gapUndecided drops what is held of a direction: the decision has to come from
// what follows.
func (e *Engine) gapUndecided(st *stream, d conn.Dir, t int64) {
	st.hopeful = true
	st.doubts[d].add(dissect.ReasonGap, t)
	e.forget(st, d, t)
}

// forget drops what is held of a direction because nothing is recognised in it.
// Messages may be lost thereby.
func (e *Engine) forget(st *stream, d conn.Dir, t int64) {
	if st.sides[d].pending.empty() {
		return
	}
	st.doubts[d].add(dissect.ReasonViolation, t)
	e.pool.release(&st.conn.Memory, &st.sides[d].pending)
	before := cost(st.order)
	st.order = slices.DeleteFunc(st.order, func(ev event) bool { return !ev.end && ev.dir == d })
	st.conn.Memory.Give(before - cost(st.order))
}
