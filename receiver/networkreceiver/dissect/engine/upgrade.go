// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// upgrade ends the session after the byte at which the conversation has said so,
// and begins the next one. What is pending of the other direction goes to it.
func (e *Engine) upgrade(st *stream, d conn.Dir, t int64) {
	s := st.session
	st.upgrades++
	known := e.named(s.next, st.conn.Transport)
	if st.upgrades > upgradesPerConn {
		known = nil
	}
	left := e.bequest(s, known)
	e.preface(st, s)
	e.closeSession(st, t, dissect.ReasonUpgrade)
	st.excluded = 0
	for i := range st.sides {
		if st.sides[i].mode != flowing {
			st.doubts[i].add(st.sides[i].lost.why, t)
			st.hopeful = true
		}
		st.sides[i].mode, st.sides[i].need = flowing, 0
	}
	switch {
	case st.upgrades > upgradesPerConn:
		e.leave(st, ignored)
		return
	case s.next == "":
		e.change(st, undecided)
		st.tries, st.turnTries, st.refused = 0, 0, [2]bool{}
	default:
		if known == nil {
			e.leave(st, ignored)
			return
		}
		if !e.open(st, known, s.client, d) {
			e.loseMessages(st, left)
			return
		}
		st.session.inherit(left)
	}
	e.again(st, d.Other())
}

// prefaceBytes is the most that a preface takes.
const prefaceBytes = 4 << 10

// preface keeps what a session that ends has to tell of those that follow. Without memory
// for it, they go without.
func (e *Engine) preface(st *stream, s *session) {
	var preface dissect.Preface
	if p, ok := s.conv.(dissect.Prefacer); ok {
		preface = p.Preface()
	}
	st.told = st.told || preface == nil || s.messages > 0
	switch {
	case preface == nil:
	case st.conn.Memory.Take(prefaceBytes):
		st.prefaces = append(st.prefaces, preface)
		st.own++
	default:
		e.stats.NoMemory.Add(1)
	}
}

// bequest is what a session leaves to the next one. Without a next one its messages
// are its own.
func (*Engine) bequest(s *session, next *entry) []*dissect.Message {
	from, ok := s.conv.(dissect.Upgrader)
	if !ok {
		return nil
	}
	left := from.TransferMessages(next != nil)
	if next == nil {
		for _, m := range left {
			s.Message(m)
		}
		return nil
	}
	for _, m := range left {
		m.Reserved = max(0, min(m.Reserved, s.kept))
		s.kept -= m.Reserved
	}
	return left
}

// loseMessages lets go of messages that no session can take.
func (e *Engine) loseMessages(st *stream, left []*dissect.Message) {
	for _, m := range left {
		e.stats.LostMessages.Add(1)
		st.conn.Memory.Give(m.Reserved)
	}
}

// inherit hands messages of the session before to the conversation, which hands them
// on.
func (s *session) inherit(left []*dissect.Message) {
	for _, m := range left {
		s.kept += m.Reserved
	}
	if successor, ok := s.conv.(dissect.Successor); ok {
		successor.AcceptMessages(left)
		return
	}
	for _, m := range left {
		s.Message(m)
	}
}

// named is the dissector of a name for a transport, or nil.
func (e *Engine) named(name string, t capture.Transport) *entry {
	for i := range e.dissectors {
		if (e.dissectors[i].Name == name || slices.Contains(e.dissectors[i].Aliases, name)) && e.dissectors[i].Transport == t {
			return &e.dissectors[i]
		}
	}
	return nil
}
