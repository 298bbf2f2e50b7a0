// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// loss is why messages may be missing (dissect.ReasonGap and so on), and until when that
// went on. Without a reason there is none.
type loss struct {
	why conn.Reason
	at  int64
}

func (l loss) any() bool { return l.why != "" }

// unseen reports whether something was not seen.
func (l loss) unseen() bool { return l.any() && l.why != dissect.ReasonViolation }

// add notes another reason. One that means that something was not seen outweighs the
// doubt about what was.
func (l *loss) add(why conn.Reason, at int64) {
	if l.why == "" || l.why == dissect.ReasonViolation {
		l.why = why
	}
	l.at = max(l.at, at)
}

// Resync implements dissect.Output.
func (p *Pairer) Resync(in *dissect.Session, d dissect.Direction, why conn.Reason, t int64) {
	s := p.of(in)
	s.hole[d].add(why, t)
	s.lossy[d].add(why, t)
}

// Skipped implements dissect.Output. Bytes of which all were seen, and none begins a
// message, do not break the order: a body that is longer than its message says, padding.
func (p *Pairer) Skipped(in *dissect.Session, d dissect.Direction, m conn.Mark) {
	s := p.of(in)
	hole := &s.hole[d]
	if !hole.any() {
		return
	}
	hole.at = max(hole.at, m.Time)
	if last := &s.last[d]; hole.why == dissect.ReasonViolation && last.known && before(last.seq, m.Seq) {
		last.seq = m.Seq
		switch n := len(s.queue); {
		case n == 0:
		case d == dissect.ToServer:
			s.queue[n-1].skipped = m.Seq - s.queue[n-1].end()
		default:
			s.mayBeAnswered = true
		}
	}
}

// bridges reports whether nothing can be missing between where the message before ended
// and where m begins.
func (s *session) bridges(hole loss, last *edge, m *dissect.Message) bool {
	switch {
	case !s.hasPositions(m) || !last.known:
		return false
	case hole.why == dissect.ReasonViolation:
		return !before(last.seq+s.slack(), m.First.Seq)
	}
	return last.seq == m.First.Seq
}

// mended forgets what was lost before a pair that is certain, unless something that
// waits came after a loss.
func (s *session) mended() {
	for _, w := range s.queue {
		if w.hole {
			return
		}
	}
	s.gaveUp, s.lossy = "", s.hole
}

// whyNoRequest is the reason for a response without request.
func (s *session) whyNoRequest() conn.Reason {
	switch lossy := s.lossy[dissect.ToServer]; {
	case lossy.any():
		return lossy.why
	case s.gaveUp != "":
		return s.gaveUp
	}
	return ReasonUnsolicited
}

// whyPassedOver is the reason for a request without response, where the response to a
// later one is there.
func (s *session) whyPassedOver() conn.Reason {
	switch {
	case s.lossy[dissect.ToClient].any():
		return s.lossy[dissect.ToClient].why
	case s.gaveUp != "":
		return s.gaveUp
	case s.lossy[dissect.ToServer].any():
		return s.lossy[dissect.ToServer].why
	}
	return ReasonSuperseded
}

// whyNoResponse is the reason for a request without response at the end of a session, or
// when its time is over. The end counts, unless the response may have been missed since
// the request came.
func (s *session) whyNoResponse(w *waiting, end conn.Reason) conn.Reason {
	hole := s.hole[responses(w.Request)]
	if hole.any() && w.Request.First.Time <= hole.at {
		return hole.why
	}
	return end
}

// responses is the direction of the bytes in which a request's response comes.
func responses(request *dissect.Message) dissect.Direction {
	if request.Reversed {
		return dissect.ToServer
	}
	return dissect.ToClient
}
