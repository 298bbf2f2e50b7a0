// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// plaintextProtocol is the protocol of connections of which a process's TLS library has shown
// the plaintext, whatever their bytes looked like.
const plaintextProtocol = "tls"

// Plain implements conn.Sink.
func (e *Engine) Plain(c *conn.Conn, d conn.Dir, m conn.Mark, b []byte) {
	st := c.Session.(*stream)
	defer e.contain(st, m.Time)
	if !st.takesPlaintext() && !e.openForPlaintext(st, d) {
		e.stats.SkippedBytes.Add(uint64(len(b)))
		return
	}
	s := st.session
	e.current = s.entry
	s.plaintextSink.Plain(s.direction(d), m, d == conn.In, b)
	e.needAgain(st)
	e.watch(st)
}

func (st *stream) takesPlaintext() bool {
	return st.state == dissected && st.session.plaintextSink != nil
}

// openForPlaintext takes plaintext as the proof that a connection is encrypted. It reports false
// where the connection has been given up, or has told messages of another protocol.
func (e *Engine) openForPlaintext(st *stream, d conn.Dir) bool {
	c := e.named(plaintextProtocol, capture.TCP)
	if c == nil || st.state == ignored || st.conn.Transport != capture.TCP || st.state == dissected && st.session.messages > 0 {
		return false
	}
	late := st.state != undecided
	if st.state == dissected {
		e.closeSession(st, st.conn.LastActive, dissect.ReasonViolation)
	}
	if late {
		e.letGo(st)
		e.skipNone(st)
		e.change(st, undecided)
		st.doubts = midway(true)
	}
	if !e.open(st, c, st.client, d) {
		return false
	}
	if late && st.session.resyncer != nil {
		for i := range st.sides {
			st.sides[i].mode, st.sides[i].searched = searching, 0
		}
	}
	e.replay(st)
	return st.takesPlaintext()
}

// needAgain asks stage 2 for bytes that were not needed before.
func (e *Engine) needAgain(st *stream) {
	s := st.session
	if s == nil || s.skipper == nil {
		return
	}
	for _, d := range [...]conn.Dir{conn.Out, conn.In} {
		if st.sides[d].spared != 0 && s.skipper.Spare(s.direction(d)) == 0 {
			e.skip(st, d, 0)
		}
	}
}

// watch lets time pass for a conversation that waits for something.
func (e *Engine) watch(st *stream) {
	if s := st.session; s != nil && s.ticker != nil && !st.watched && s.ticker.Waiting() {
		st.watched = true
		e.watched = append(e.watched, st)
	}
}

// tick lets time pass for those that wait.
func (e *Engine) tick(now int64) {
	still := e.watched[:0]
	for _, st := range e.watched {
		if e.tickOne(st, now); st.watched {
			still = append(still, st)
		}
	}
	clear(e.watched[len(still):])
	e.watched = still
}

func (e *Engine) tickOne(st *stream, now int64) {
	defer e.contain(st, now)
	s := st.session
	if st.watched = s != nil && s.ticker != nil; !st.watched {
		return
	}
	e.current = s.entry
	s.ticker.Tick(now)
	e.needAgain(st)
	st.watched = st.session == s && s.ticker.Waiting()
}
