// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// maxDepth is how many carriers can be inside one another: TLS to a proxy, and in it
// TLS to a server.
const maxDepth = 3

// channel is the connection inside a Carrier: a stream like that of a connection, with
// a session of its own. It begins with the first byte that is carried, so that a
// connection of which nothing can be read costs no more than before.
type channel struct {
	engine *Engine
	outer  *stream
	of     *session // the carrier's
	stream *stream  // nil until something was carried
	closed bool
}

var _ dissect.Channel = (*channel)(nil)

// carry gives a session's conversation its channel, if it is a Carrier.
func (e *Engine) carry(st *stream, s *session) {
	carrier, ok := s.conv.(dissect.Carrier)
	if !ok {
		return
	}
	s.carrier = carrier
	s.plaintextSink, _ = carrier.(dissect.PlaintextSink)
	s.ticker, _ = s.conv.(dissect.Ticker)
	if s.plaintextSink != nil && st.outer == nil && st.conn.Live {
		st.conn.AwaitsPlain = true
	}
	s.channel = &channel{engine: e, outer: st, of: s, closed: st.depth+1 >= maxDepth}
	carrier.Carry(s.channel)
}

// open makes the stream inside, if there is none yet. It reports false if there is no
// memory for it, or it is over.
func (ch *channel) open() bool {
	if ch.closed || ch.stream != nil {
		return !ch.closed
	}
	c := ch.outer.conn
	if !c.Memory.Take(StreamBytes) {
		ch.engine.stats.NoMemory.Add(1)
		ch.closed = true
		return false
	}
	ch.stream = &stream{
		conn: c, outer: ch.of, depth: ch.outer.depth + 1, client: ch.of.client,
		hopeful: c.Midway, doubts: midway(c.Midway), prefaces: slices.Clip(ch.of.Prefaces),
	}
	ch.engine.recount(ch.outer)
	return true
}

// Data implements dissect.Channel.
func (ch *channel) Data(d dissect.Direction, m conn.Mark, b []byte) {
	e := ch.engine
	if !ch.open() || ch.stream.state > dissected {
		e.stats.SkippedBytes.Add(uint64(len(b)))
		return
	}
	defer ch.back()
	defer e.contain(ch.stream, m.Time)
	e.data(ch.stream, ch.of.end(d), m, b)
}

// Gap implements dissect.Channel.
func (ch *channel) Gap(d dissect.Direction, m conn.Mark, n uint64) {
	if n == 0 || !ch.open() {
		return
	}
	defer ch.back()
	defer ch.engine.contain(ch.stream, m.Time)
	ch.engine.missing(ch.stream, ch.of.end(d), m, n)
}

// End implements dissect.Channel.
func (ch *channel) End(d dissect.Direction, t int64, r conn.Reason) {
	if ch.stream == nil || ch.closed {
		return
	}
	defer ch.back()
	defer ch.engine.contain(ch.stream, t)
	ch.engine.endAny(ch.stream, event{dir: ch.of.end(d), end: true, time: t, reason: r})
}

// back says that the carrier's dissector runs again.
func (ch *channel) back() { ch.engine.current = ch.of.entry }

// close ends what is inside, with its carrier.
func (ch *channel) close(t int64, why conn.Reason) {
	st, e := ch.stream, ch.engine
	if ch.closed = true; st == nil {
		return
	}
	e.finish(st, t, reasonOf(why), why)
	if st.state == undecided && st.seen {
		e.stats.Unrecognised.Add(1)
	}
	e.letGo(st)
	st.conn.Memory.Give(StreamBytes)
	ch.stream = nil
}

// reasonOf is the reason for the end of what is inside a session that ends for why.
func reasonOf(why conn.Reason) conn.Reason {
	switch why {
	case "", dissect.ReasonUpgrade, dissect.ReasonViolation:
		return conn.ReasonShutdown
	}
	return why
}

// appears is the state that a connection is counted under: a carrier that carries
// nothing one can read is encrypted.
func (st *stream) appears() state {
	if s := st.session; st.state == dissected && s != nil && s.channel != nil && s.channel.stream == nil {
		return encrypted
	}
	return st.state
}

// recount counts a connection under the state that it appears in by now. What is
// inside a connection is none.
func (e *Engine) recount(st *stream) {
	if now := st.appears(); st.outer == nil && now != st.counted {
		e.stats.connections[st.counted].Add(-1)
		e.stats.connections[now].Add(1)
		st.counted = now
	}
}
