// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// event hands on what is told of a call while it runs. It does not end the waiting
// of anything.
func (s *session) event(m *dissect.Message) {
	s.pairer.stats.Events.Add(1)
	s.pairer.sink.Event(&Event{
		Conn: s.Conn, Dissector: s.Dissector, ClientIsLocal: s.ClientIsLocal, Carrier: s.Carrier,
		Origin: s.originOf(m), Message: m,
	})
}

// originOf is the request of the call that an event belongs to, or nil. A call of which
// something is told has not been waited for in vain: its time begins again.
func (s *session) originOf(m *dissect.Message) *dissect.Message {
	w := s.callOf(m)
	if w == nil || m.Origin != nil && !m.Keyed {
		return m.Origin
	}
	w.since = max(w.since, m.Last.Time)
	return w.Request
}

// callOf is the call that waits to which something belongs that is under way, or nil.
func (s *session) callOf(m *dissect.Message) *waiting {
	switch {
	case m.Keyed:
		return s.byKey[m.Key]
	case m.Direction == dissect.ToClient && len(s.queue) > 0:
		return s.queue[0] // the response in progress is the next one
	}
	return nil
}
