// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/wirespan/wirespan/receiver/networkreceiver/conn"

// upgrade ends the session after the byte at which the conversation has said so,
// and begins the next one. What is pending of the other direction goes to it.
func (e *Engine) upgrade(st *stream, d conn.Dir, t int64) {
	s := st.session
	e.closeSession(st, t, "upgrade")
	st.upgrades++
	st.excluded = 0
	for i := range st.sides {
		if st.sides[i].mode != flowing {
			st.uncertain[i], st.hopeful = true, true
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
		known := e.named(s.next)
		if known == nil {
			e.leave(st, ignored)
			return
		}
		e.open(st, known, s.client, d)
	}
	e.again(st, d.Other())
}

// named is the dissector of a name, or nil.
func (e *Engine) named(name string) *entry {
	for i := range e.dissectors {
		if e.dissectors[i].Name == name {
			return &e.dissectors[i]
		}
	}
	return nil
}
