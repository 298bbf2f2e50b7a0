// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// openCalls is a list of the calls that are open and that nothing was told of yet, in the
// order in which they began: the first one is due first.
type openCalls struct{ first, last *waiting }

func (l *openCalls) add(w *waiting) {
	w.listed, w.prev = true, l.last
	if l.last != nil {
		l.last.next = w
	} else {
		l.first = w
	}
	l.last = w
}

func (l *openCalls) remove(w *waiting) {
	if !w.listed {
		return
	}
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.last = w.prev
	}
	w.listed, w.next, w.prev = false, nil, nil
}

// Started implements dissect.Output.
func (p *Pairer) Started(in *dissect.Session, m *dissect.Message) {
	if p.settings.OpenAfter <= 0 {
		return
	}
	s := p.of(in)
	if m.Kind == dissect.Request {
		w := &waiting{Exchange: Exchange{Request: m}, session: s}
		m.Pairing = w
		s.coming++
		s.open(w)
		return
	}
	var w *waiting
	if m.Origin != nil {
		w, _ = m.Origin.Pairing.(*waiting)
	} else {
		w = s.callOf(m)
	}
	if w != nil {
		w.answer, m.Pairing = m, w
	}
}

// open begins the time after which a call is told of, unless it runs already.
func (s *session) open(w *waiting) {
	if s.pairer.settings.OpenAfter > 0 && !w.listed && !w.told && !s.multicast() {
		w.session = s
		s.pairer.open.add(w)
	}
}

// whole takes a message that may have been lent before.
func (s *session) whole(m *dissect.Message) {
	w, lent := m.Pairing.(*waiting)
	switch {
	case !lent:
	case m.Kind == dissect.Request:
		if w.session == s {
			s.coming--
		}
	default:
		m.Pairing = nil
		if w.answer == m {
			w.answer = nil
		}
	}
}

// begunBy is what is known of a request since it began, or nil.
func (s *session) begunBy(m *dissect.Message) *waiting {
	w, _ := m.Pairing.(*waiting)
	m.Pairing = nil
	if w == nil || w.session != s {
		return nil
	}
	return w
}

// forget is for a session that has ended. Its conversation has handed over all that it
// had begun, unless it could not go on.
func (p *Pairer) forget(s *session) {
	for w := p.open.first; w != nil && s.coming > 0; {
		next := w.next
		if w.session == s {
			p.open.remove(w)
			s.coming--
		}
		w = next
	}
}

// tellOpen tells of calls that have been open for long.
func (p *Pairer) tellOpen(now int64) {
	for w := p.open.first; w != nil && now-w.Request.First.Time >= p.settings.OpenAfter; w = p.open.first {
		p.open.remove(w)
		w.told = true
		p.stats.Open.Add(1)
		s := w.session
		x := w.Exchange
		x.Conn, x.Dissector, x.Carrier, x.Prefaces, x.ClientIsLocal = s.Conn, s.Dissector, s.Carrier, s.Prefaces, s.ClientIsLocal != x.reversed()
		x.Response = w.answer
		p.sink.Open(&x, now)
	}
}
