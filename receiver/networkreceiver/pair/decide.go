// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

// decision is which of the waiting requests a response answers.
type decision struct {
	passed  int  // so many of the oldest requests have lost their response
	found   bool // the next request is the one
	certain bool
	hold    bool // it is one that is not complete yet
}

// decide chooses the request of a final response.
func (s *session) decide(a answer) decision {
	unbroken := s.aligned && !a.hole && !s.queue[0].hole
	if !s.hasPositions(a.Message) {
		return decision{found: true, certain: unbroken}
	}
	last := s.lastAnswerable(a)
	switch {
	case last < 0:
		// A response that comes before its request could cause it. In an unbroken
		// order it is unsolicited, and the order stays what it was.
		return decision{certain: unbroken}
	case unbroken:
		return decision{found: true, certain: true}
	case s.answersLost(a):
		s.client = max(s.client, batch)
		return decision{}
	case s.client == serial:
		if d, ok := s.decideSerial(a, last); ok {
			return d
		}
		s.client = batch
	}
	return s.decideBatch(a, last)
}

// lastAnswerable is the index of the last request that a response can answer by
// its position, or -1.
func (s *session) lastAnswerable(a answer) int {
	for i, w := range s.queue {
		// A request in the segment that opens the connection acknowledges nothing
		// (RFC 7413).
		sentLater := w.ack() != 0 && before(a.First.Seq, w.ack())
		if sentLater || !before(w.start(), a.First.Ack) {
			return i - 1
		}
	}
	return len(s.queue) - 1
}

// answersLost tells whether a response is certainly for a request that is lost:
// responses are unbroken, and between the last request that was answered and the
// oldest one waiting there are bytes of another request.
func (s *session) answersLost(a answer) bool {
	w := s.queue[0]
	return s.aligned && !a.hole && w.hole && w.after.known && before(w.after.seq+s.slack(), w.start())
}

// beyond is what a server that answers may have seen after a request.
type beyond uint8

const (
	nothing beyond = iota
	lost           // a request that was lost
	coming         // a request that is not complete yet, or was lost
)

// beyond tells whether a response can also answer a request after the last one
// that waits and that it can answer.
func (s *session) beyond(a answer, last int) beyond {
	switch next := last + 1; {
	case !before(s.queue[last].end()+s.slack(), a.First.Ack):
		return nothing
	case next < len(s.queue) && !s.queue[next].hole:
		return nothing
	case next < len(s.queue):
		return lost
	}
	return coming
}

// decideSerial decides for a client that sends a request only after the whole
// response to the one before. It is not ok if that cannot be the case.
func (s *session) decideSerial(a answer, last int) (d decision, ok bool) {
	if s.aligned && !a.hole && last > 0 {
		// No response is missing, yet two requests wait for one.
		return decision{}, false
	}
	after := s.beyond(a, last)
	switch {
	case after == nothing:
		return decision{passed: last, found: true, certain: true}, true
	case s.queue[last].Request.Incomplete != "":
		// Where it ended is not known.
		return decision{passed: last, found: true}, true
	case s.aligned && !a.hole && !s.queue[0].hole && after == coming:
		return decision{}, false // two requests wait again
	}
	return decision{passed: last + 1, hold: after == coming}, true
}

// decideBatch decides for a client that pipelines.
func (s *session) decideBatch(a answer, last int) decision {
	first, certain, after := 0, s.aligned, s.beyond(a, last)
	if s.aligned && a.hole && a.after.known && !s.queue[0].hole {
		// The response before was whole: the one to the oldest request is in the hole.
		first = 1
	}
	if s.client == batch {
		begin := last
		for begin > 0 && s.queue[begin-1].ack() == s.queue[last].ack() {
			begin--
		}
		if a.First.Seq == s.queue[last].ack() {
			last, after = begin, nothing
		}
		if begin >= first && s.queue[begin].first {
			first, certain = begin, true
		}
		first = max(first, begin)
	}
	if first > last && after != nothing {
		return decision{passed: last + 1, hold: after == coming}
	}
	first = min(first, last)
	certain = certain && first == last && after == nothing
	for _, w := range s.queue[:last+1] {
		certain = certain && !w.hole
	}
	return decision{passed: first, found: true, certain: certain}
}
