// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// event hands on what is told of a call while it runs. It does not end the waiting
// of anything.
func (s *session) event(m *dissect.Message) {
	s.pairer.stats.Events.Add(1)
	s.pairer.sink.Event(&Event{
		Conn: s.Conn, Dissector: s.Dissector, ClientIsLocal: s.ClientIsLocal,
		Origin: s.originOf(m), Message: m,
	})
}

// originOf is the request of the call that an event belongs to, or nil. A call of which
// something is told has not been waited for in vain: its time begins again.
func (s *session) originOf(m *dissect.Message) *dissect.Message {
	switch {
	case m.Origin != nil:
		return m.Origin
	case m.Keyed:
		if w := s.byKey[m.Key]; w != nil {
			w.since = max(w.since, m.Last.Time)
			return w.Request
		}
	case m.Direction == dissect.ToClient && len(s.queue) > 0:
		// The response in progress is the next one.
		s.queue[0].since = max(s.queue[0].since, m.Last.Time)
		return s.queue[0].Request
	}
	return nil
}
