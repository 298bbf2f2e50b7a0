// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"cmp"
	"sync/atomic"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Settings configure a Pairer.
type Settings struct {
	// Outstanding and Age (nanoseconds) are used for sessions whose limits do not
	// say. The defaults are 1024 and five minutes.
	Outstanding int
	Age         int64
	// OpenAfter is after how many nanoseconds Sink.Open hears of a call that is still
	// open; 0 for never.
	OpenAfter int64
}

// Stats are the counters of one Pairer.
type Stats struct {
	Paired          atomic.Uint64 // exchanges with both sides
	Uncertain       atomic.Uint64 // of them, those where a loss left a choice
	OneWay          atomic.Uint64 // exchanges of a message that stands for itself
	Events          atomic.Uint64 // events, told while their call runs
	Open            atomic.Uint64 // calls that were told of because they stayed open
	RequestMissing  atomic.Uint64 // exchanges without request
	ResponseMissing atomic.Uint64 // exchanges without response
	TimedOut        atomic.Uint64 // requests and responses given up by age
	OverLimit       atomic.Uint64 // requests and responses given up because too many waited
}

const (
	second = int64(1e9)
	// scanEvery is how exact ages are.
	scanEvery = second
	// lostAge is how long a response waits for a request that is probably lost.
	lostAge = 10 * second
	// maxInterim bounds the interim responses of one exchange.
	maxInterim = 32
)

// Pairer is the dissect.Output of one shard. It is owned by one goroutine.
type Pairer struct {
	settings Settings
	sink     Sink
	stats    *Stats
	waiting  *session // list of the sessions in which something waits
	open     openCalls
	scanned  int64
}

var _ dissect.Output = (*Pairer)(nil)

// New gives a pairer that hands its exchanges to sink, which owns them.
func New(set Settings, sink Sink, stats *Stats) *Pairer {
	set.Outstanding = cmp.Or(set.Outstanding, 1024)
	set.Age = cmp.Or(set.Age, 300*second)
	return &Pairer{settings: set, sink: sink, stats: stats}
}

// Message implements dissect.Output.
func (p *Pairer) Message(in *dissect.Session, m *dissect.Message) {
	s := p.of(in)
	if m.Kind == dissect.Event {
		s.event(m)
		return
	}
	s.whole(m)
	switch {
	case m.Kind == dissect.OneWay:
		s.oneWay(m)
	case m.Keyed:
		s.keyedMessage(m)
	case m.Kind == dissect.Request:
		s.request(m)
	default:
		s.response(m)
	}
	p.relink(s)
}

// Close implements dissect.Output.
func (p *Pairer) Close(in *dissect.Session, t int64, why conn.Reason) {
	s, ok := in.Pairing.(*session)
	if !ok {
		return
	}
	s.flush(why, t)
	p.relink(s)
	p.forget(s)
	in.Pairing = nil
}

// Tick implements dissect.Output.
func (p *Pairer) Tick(now int64) {
	if now-p.scanned >= scanEvery || now < p.scanned {
		p.scanned = now
		for s := p.waiting; s != nil; {
			next := s.next
			s.expire(now)
			p.relink(s)
			s = next
		}
	}
	p.tellOpen(now)
	p.sink.Tick(now)
}

// of is the pairing state of a session.
func (p *Pairer) of(in *dissect.Session) *session {
	if s, ok := in.Pairing.(*session); ok {
		return s
	}
	s := &session{
		Session:     in,
		pairer:      p,
		aligned:     !in.Conn.Midway,
		outstanding: cmp.Or(in.Limits.Outstanding, p.settings.Outstanding),
		age:         cmp.Or(in.Limits.Age, p.settings.Age),
	}
	in.Pairing = s
	return s
}

// relink keeps a session in the list for as long as something waits in it.
func (p *Pairer) relink(s *session) {
	waits := len(s.queue) > 0 || len(s.early) > 0 || len(s.byKey) > 0
	switch {
	case waits && !s.linked:
		s.next, s.prev = p.waiting, nil
		if s.next != nil {
			s.next.prev = s
		}
		p.waiting = s
	case !waits && s.linked:
		if s.prev != nil {
			s.prev.next = s.next
		} else {
			p.waiting = s.next
		}
		if s.next != nil {
			s.next.prev = s.prev
		}
		s.next, s.prev = nil, nil
	}
	if !waits {
		s.letGo()
	}
	s.linked = waits
}

// spareWaiting is for how many messages a session keeps room while none waits.
const spareWaiting = 16

// letGo gives up the room that many messages needed.
func (s *session) letGo() {
	if cap(s.queue) > spareWaiting {
		s.queue = nil
	}
	if cap(s.early) > spareWaiting {
		s.early = nil
	}
	if s.mostKeys > spareWaiting {
		s.byKey, s.mostKeys = nil, 0
	}
}

// emit hands an exchange on.
func (s *session) emit(x *Exchange) {
	st := s.pairer.stats
	x.Conn, x.Dissector, x.Carrier, x.Prefaces, x.ClientIsLocal = s.Conn, s.Dissector, s.Carrier, s.Prefaces, s.ClientIsLocal != x.reversed()
	x.First = s.First && !s.emitted && !s.Conn.Midway && !s.lossy[dissect.ToServer].unseen()
	s.emitted = true
	switch {
	case x.Request != nil && x.Response != nil:
		st.Paired.Add(1)
		if x.Uncertain {
			st.Uncertain.Add(1)
		}
	case x.Missing == "":
		st.OneWay.Add(1)
	case x.Request == nil:
		st.RequestMissing.Add(1)
	default:
		st.ResponseMissing.Add(1)
	}
	s.pairer.sink.Exchange(x)
}

// oneWay emits a message that stands for itself.
func (s *session) oneWay(m *dissect.Message) {
	x := &Exchange{}
	if m.Direction == dissect.ToServer {
		x.Request = m
	} else {
		x.Response = m
	}
	s.emit(x)
}

// orphan emits a response, final or interim, that has no request.
func (s *session) orphan(m *dissect.Message, why conn.Reason) {
	if s.multicast() {
		why = ""
	}
	s.emit(&Exchange{Response: m, Missing: why})
}

// end emits what has waited.
func (s *session) end(w *waiting) {
	s.pairer.open.remove(w)
	s.emit(&w.Exchange)
}

// multicast tells whether one end is a group of hosts. Those need not answer, and
// tell what nobody asked: nothing is missing of such an exchange.
func (s *session) multicast() bool {
	c := s.Conn
	return c.Local.Addr().IsMulticast() || c.Remote.Addr().IsMulticast() || c.RemoteNAT.Addr().IsMulticast()
}

// reversed tells whether the session's server sent the request.
func (x *Exchange) reversed() bool {
	return x.Request != nil && x.Request.Reversed || x.Request == nil && x.Response != nil && x.Response.Reversed
}

// before compares TCP sequence numbers (RFC 9293, section 3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }

// end is the sequence number after a message.
func end(m *dissect.Message) uint32 { return m.Last.Seq + 1 }

// hasPositions tells whether a response's marks carry sequence numbers. Every TCP
// segment but the first has an acknowledgement; 0 stands for none.
func (s *session) hasPositions(m *dissect.Message) bool {
	return s.Conn.Transport == capture.TCP && m.First.Ack != 0
}
