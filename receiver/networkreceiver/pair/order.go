// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// session is the pairing state of one dissect.Session.
type session struct {
	*dissect.Session
	pairer      *Pairer
	outstanding int
	age         int64
	next, prev  *session // list of those in which something waits
	linked      bool

	queue []*waiting // requests without a key, oldest first
	early []answer   // responses that came before their request, oldest first
	byKey map[uint64]*waiting
	// mostKeys is how many have waited at a time: maps do not shrink.
	mostKeys int

	// aligned is true where the oldest request that is not answered, lost ones
	// included, belongs to the next response, lost ones included.
	aligned bool
	client  behaviour
	hole    [2]loss // before the next message
	lossy   [2]loss // since the last pair that is certain
	begun   [2]bool
	last    [2]edge // end of the last message that is not interim
	paired  pairEdge
	// mayBeAnswered is set where bytes of the server that are no message may be what remains
	// of a response: they came while a request waited.
	mayBeAnswered bool
	gaveUp        conn.Reason // why a request was given up before
	emitted       bool
	coming        int // requests that are not whole yet
}

// waiting is a request that waits for its response, as the exchange it becomes.
// Of keyed messages it may also be the response that waits.
type waiting struct {
	Exchange
	since int64
	hole  bool // requests may be missing before it
	first bool // nothing is missing before it, and it was sent later than the one before
	after edge // end of the request before
	// skipped is how many bytes after it belong to no message.
	skipped uint32

	// What is known of it while it is open.
	session    *session
	answer     *dissect.Message // the response, as long as it is not whole
	told       bool             // of, because it is open for long
	listed     bool             // in openCalls
	next, prev *waiting
}

func (w *waiting) start() uint32 { return w.Request.First.Seq }
func (w *waiting) end() uint32   { return end(w.Request) + w.skipped }
func (w *waiting) ack() uint32   { return w.Request.First.Ack }

// answer is a response, and whether others may be missing before it.
type answer struct {
	*dissect.Message
	hole  bool
	after edge // end of the final response before
}

// edge is a position at which a message ended, if that is known.
type edge struct {
	known    bool
	seq, ack uint32
}

// pairEdge is what the last certain pair tells about the client.
type pairEdge struct {
	known bool
	ack   uint32 // of the request
	end   uint32 // of the response
}

// behaviour is what a client has been seen to do.
type behaviour uint8

const (
	serial behaviour = iota
	batch
	window
)

// slack is what a client may send after a request that is none: an empty line
// (RFC 9112, section 2.2) and the end of the connection, which takes one number.
const slack = 4

// recordSlack is what a carrier adds between two messages: the end of a TLS record, and
// the header of the next one.
const recordSlack = 64

func (s *session) slack() uint32 {
	if s.Carrier != nil {
		return slack + recordSlack
	}
	return slack
}

// request takes a request in order.
func (s *session) request(m *dissect.Message) {
	s.begin(m)
	w := s.begunBy(m)
	if w == nil {
		w = &waiting{Exchange: Exchange{Request: m}}
	}
	w.since, w.after = m.Last.Time, s.last[dissect.ToServer]
	w.hole = s.advance(m)
	w.first = !w.hole && w.after.known && w.after.ack != m.First.Ack
	s.watch(m.First.Ack)
	if n := len(s.queue); n > 0 && s.queue[n-1].ack() == m.First.Ack {
		s.client = max(s.client, batch)
	}
	if len(s.queue) >= s.outstanding {
		s.pairer.stats.OverLimit.Add(1)
		s.giveUp(ReasonOutstandingLimit, 0)
	}
	s.queue = append(s.queue, w)
	s.open(w)
	for len(s.early) > 0 && len(s.queue) > 0 {
		a := s.early[0]
		s.early = slices.Delete(s.early, 0, 1)
		s.settle(a)
	}
}

// response takes a response in order, final or interim.
func (s *session) response(m *dissect.Message) {
	a := answer{Message: m, hole: s.hole[dissect.ToClient].any()}
	if m.Kind == dissect.Response {
		s.begin(m)
		a.after = s.last[dissect.ToClient]
		a.hole = s.advance(m)
	}
	switch {
	case len(s.queue) > 0:
		s.settle(a)
	case len(s.early) == 0 && !s.requestInProgress(m):
		s.orphan(m, s.whyNoRequest())
	case len(s.early) >= s.outstanding:
		s.pairer.stats.OverLimit.Add(1)
		s.aligned = false
		s.orphan(m, ReasonOutstandingLimit)
	default:
		s.early = append(s.early, a)
	}
}

// requestInProgress tells whether the server can have seen a request that is not
// complete yet.
func (s *session) requestInProgress(m *dissect.Message) bool {
	last := s.last[dissect.ToServer]
	if !s.hasPositions(m) || !last.known {
		return true
	}
	return before(last.seq+s.slack(), m.First.Ack)
}

// begin takes the start of a connection for an end of messages, so that it is
// known whether something is lost before the first one.
func (s *session) begin(m *dissect.Message) {
	if s.begun[m.Direction] {
		return
	}
	s.begun[m.Direction] = true
	s.last[m.Direction] = edge{
		known: s.First && !s.Conn.Midway && len(s.Prefaces) == 0,
		seq:   m.First.Seq - uint32(m.First.Offset),
		ack:   m.First.Ack - 1, // another one
	}
}

// advance notes a message's position, and tells whether others may be missing
// before it.
func (s *session) advance(m *dissect.Message) (hole bool) {
	d := m.Direction
	before, last := s.hole[d], &s.last[d]
	hole = before.any() && !s.bridges(before, last, m)
	if d == dissect.ToClient {
		hole = hole || s.mayBeAnswered && len(s.queue) > 1
		s.mayBeAnswered = false
	}
	if before.why == dissect.ReasonViolation && !hole && s.lossy[d].why == dissect.ReasonViolation {
		s.lossy[d] = loss{}
	}
	s.hole[d] = loss{}
	*last = edge{known: m.Incomplete == "", seq: end(m), ack: m.First.Ack}
	return hole
}

// watch learns about the client from a request that carries ack.
func (s *session) watch(ack uint32) {
	switch {
	case !s.paired.known || !before(ack, s.paired.end):
	case ack == s.paired.ack:
		s.client = max(s.client, batch)
	default:
		s.client = window
	}
}

// settle finds the request of a response. At least one request waits.
func (s *session) settle(a answer) {
	if a.Kind == dissect.Interim {
		s.interim(a)
		return
	}
	d := s.decide(a)
	for range d.passed {
		s.unanswered(s.pop(), s.whyPassedOver(), 0)
	}
	if d.hold {
		// A response that was passed over is gone: the order is not known.
		s.aligned = false
		s.early = slices.Insert(s.early, 0, a)
		return
	}
	if !d.found {
		s.aligned = s.aligned && d.certain
		s.orphan(a.Message, s.whyNoRequest())
		return
	}
	s.aligned = d.certain
	w := s.pop()
	w.Response = a.Message
	w.Uncertain = !d.certain
	if d.certain && s.hasPositions(a.Message) {
		s.paired = pairEdge{known: true, ack: w.ack(), end: end(a.Message)}
		for _, later := range s.queue {
			s.watch(later.ack())
		}
	}
	if d.certain {
		s.mended()
	}
	s.end(w)
}

// interim attaches an interim response to the request that it belongs to.
func (s *session) interim(a answer) {
	w := s.queue[0]
	if s.hasPositions(a.Message) {
		last := s.lastAnswerable(a)
		switch {
		case last < 0:
			s.orphan(a.Message, s.whyNoRequest())
			return
		case !s.aligned || a.hole || w.hole:
			w = s.queue[last]
		}
	}
	if len(w.Interim) == maxInterim {
		s.pairer.stats.OverLimit.Add(1)
		s.orphan(a.Message, ReasonOutstandingLimit)
		return
	}
	w.Interim = append(w.Interim, a.Message)
}

// pop takes the oldest request.
func (s *session) pop() *waiting {
	w := s.queue[0]
	s.queue = slices.Delete(s.queue, 0, 1)
	return w
}

// giveUp emits the oldest request without a response, at time t. Where its response
// belongs, should it still come, is not known any more by order.
func (s *session) giveUp(why conn.Reason, t int64) {
	s.gaveUp = why
	s.aligned = false
	s.unanswered(s.pop(), why, t)
}

// expire gives up what has waited for too long.
func (s *session) expire(now int64) {
	for len(s.queue) > 0 && now-s.queue[0].since > s.age {
		s.pairer.stats.TimedOut.Add(1)
		s.giveUp(s.whyNoResponse(s.queue[0], ReasonTimeout), s.queue[0].since+s.age)
	}
	age := s.age
	if s.lossy[dissect.ToServer].any() {
		age = min(age, lostAge)
	}
	for len(s.early) > 0 && now-s.early[0].Last.Time > age {
		s.pairer.stats.TimedOut.Add(1)
		s.aligned = false
		s.orphan(s.early[0].Message, s.whyNoRequest())
		s.early = slices.Delete(s.early, 0, 1)
	}
	s.expireKeyed(now)
}

// flush emits all that waits at the end of a session, at time t.
func (s *session) flush(why conn.Reason, t int64) {
	forResponses := why
	if s.lossy[dissect.ToServer].any() {
		forResponses = s.whyNoRequest()
	}
	for len(s.queue) > 0 {
		w := s.pop()
		s.unanswered(w, s.whyNoResponse(w, why), t)
	}
	for _, a := range s.early {
		s.orphan(a.Message, forResponses)
	}
	s.early = nil
	s.flushKeyed(why, forResponses, t)
}
