// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// session is a connection for as long as it speaks one protocol. It is the Sink
// of its conversation.
type session struct {
	dissect.Session
	engine        *Engine
	entry         *entry
	conv          dissect.Conversation
	resyncer      dissect.Resyncer      // nil if the conversation is none
	skipper       dissect.Skipper       // likewise
	carrier       dissect.Carrier       // likewise
	plaintextSink dissect.PlaintextSink // likewise
	ticker        dissect.Ticker        // likewise
	channel       *channel              // of a carrier
	client        conn.Dir

	delivered  uint64 // bytes used
	messages   uint64
	violations int // since the last message
	kept       int // granted by Keep and not yet on a message
	ended      [2]bool
	stray      bool // the bytes of the last violation lie between messages

	upgraded bool
	next     string // what it was upgraded to

	// While the conversation runs: the end by which messages are given up, and what a
	// reason that it tells stands for.
	ending      dissect.End
	says, means conn.Reason
}

var _ dissect.Sink = (*session)(nil)

// sessionBytes is about what a session takes in all stages before its first message:
// of the engine, the conversation and the pairer.
const sessionBytes = 2 << 10

// open begins a session. d is the direction whose bytes decided. It reports false, and
// gives the connection up, if there is no memory for it.
func (e *Engine) open(st *stream, c *entry, client, d conn.Dir) bool {
	if !st.conn.Memory.Take(sessionBytes) {
		e.noMemory(st)
		return false
	}
	s := &session{
		Session: dissect.Session{
			Conn:          st.conn,
			Dissector:     c.Dissector,
			Limits:        c.Limits,
			ClientIsLocal: client == conn.Out,
			First:         !st.told,
			Prefaces:      st.prefaces,
		},
		engine: e,
		entry:  c,
		client: client,
	}
	st.client = client
	st.session = s
	e.change(st, dissected)
	e.current = c
	s.conv = c.New(c.Limits, s)
	s.resyncer, _ = s.conv.(dissect.Resyncer)
	s.skipper, _ = s.conv.(dissect.Skipper)
	if st.outer != nil {
		s.Carrier = st.outer.carrier
		s.First = s.First && st.outer.First
	}
	e.carry(st, s)
	e.recount(st)
	for _, x := range [...]conn.Dir{conn.Out, conn.In} {
		side := &st.sides[x]
		side.mode, side.need = flowing, 0
		why := st.doubts[x]
		if why == (doubt{}) {
			continue
		}
		st.doubts[x], side.lost = doubt{}, why
		s.forewarn(x)
		e.out.Resync(&s.Session, s.direction(x), why.why, why.at)
		// Where the other end has not been seen yet, it may be in the middle of a
		// message.
		if x != d && side.pending.empty() && s.resyncer != nil {
			side.mode, side.searched = searching, 0
		}
	}
	return true
}

// forewarn tells a conversation of a loss that it did not see.
func (s *session) forewarn(d conn.Dir) {
	if f, ok := s.conv.(dissect.Forewarned); ok {
		f.Forewarn(s.direction(d))
	}
}

// direction translates between the ends of a connection and the roles.
func (s *session) direction(d conn.Dir) dissect.Direction {
	if d == s.client {
		return dissect.ToServer
	}
	return dissect.ToClient
}

// end is the direction of a connection that a role's bytes flow in.
func (s *session) end(d dissect.Direction) conn.Dir {
	if d == dissect.ToServer {
		return s.client
	}
	return s.client.Other()
}

// closeSession ends the session towards the next stage.
func (e *Engine) closeSession(st *stream, t int64, why conn.Reason) {
	s := st.session
	if s.channel != nil {
		s.channel.close(t, why)
	}
	st.session = nil
	e.skipNone(st)
	st.conn.Memory.Give(s.kept + sessionBytes)
	s.kept = 0
	e.out.Close(&s.Session, t, why)
}

// Message implements dissect.Sink.
func (s *session) Message(m *dissect.Message) {
	s.messages++
	s.violations = 0
	m.Encrypted = s.Carrier != nil
	if m.Incomplete != "" {
		s.giveReason(m)
	}
	m.Reserved = max(0, min(m.Reserved, s.kept))
	s.kept -= m.Reserved
	if m.Reserved == 0 && !s.starved(m) {
		return
	}
	s.entry.counters.messages[min(m.Kind, dissect.Event)].Add(1)
	s.engine.out.Message(&s.Session, m)
}

// giveReason completes why and when a message ended early.
func (s *session) giveReason(m *dissect.Message) {
	if m.Incomplete == s.says {
		m.Incomplete = s.means
	}
	if m.Ended == 0 && m.Incomplete == s.ending.Why {
		m.Ended = s.ending.Time
	}
}

// Started implements dissect.Sink.
func (s *session) Started(m *dissect.Message) {
	m.Encrypted = s.Carrier != nil
	s.engine.out.Started(&s.Session, m)
}

// starvedBytes is about what a message takes for which no memory was granted.
const starvedBytes = 4 << 10

// starved takes the memory of a message for which the conversation got none. It reports
// false if the message is lost for want of it.
func (s *session) starved(m *dissect.Message) bool {
	if m.Kind == dissect.OneWay || m.Kind == dissect.Event {
		return true // it does not wait
	}
	if s.Conn.Memory.Take(starvedBytes) {
		m.Reserved = starvedBytes
		return true
	}
	s.engine.stats.LostMessages.Add(1)
	s.engine.out.Resync(&s.Session, m.Direction, dissect.ReasonMemory, m.Last.Time)
	return false
}

// Upgrade implements dissect.Sink.
func (s *session) Upgrade(name string) { s.upgraded, s.next = true, name }

// Limit implements dissect.Sink.
func (s *session) Limit(name string) { s.entry.counters.limits.add(name) }

// Keep implements dissect.Sink.
func (s *session) Keep(n int) bool {
	if n < 0 {
		return false
	}
	if !s.Conn.Memory.Take(n) {
		s.engine.stats.NoMemory.Add(1)
		return false
	}
	s.kept += n
	return true
}

// Release implements dissect.Sink.
func (s *session) Release(n int) {
	n = max(0, min(n, s.kept))
	s.Conn.Memory.Give(n)
	s.kept -= n
}
