// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// halfClose is within which time after its request a client's FIN says no more than that
// the request was the last one: the client goes on waiting for the response. Later than
// that, it has given up.
const halfClose = 10 * second / 1000

// unanswered emits a request that has no response, why, and at which time that was known.
func (s *session) unanswered(w *waiting, why conn.Reason, t int64) {
	w.Missing = why
	// Time may have passed in one step, in which a connection is let go of first.
	if over := w.since + s.age; why == conn.ReasonIdle && over < t {
		why, t = ReasonTimeout, over
	}
	switch why {
	case conn.ReasonFIN, conn.ReasonRST, conn.ReasonIdle, ReasonTimeout:
		w.Missing, w.Ended = s.abandoned(w.Request, why, t)
	default: // when the call ended is not known
	}
	if s.multicast() {
		w.Missing, w.Ended = "", 0
	}
	s.end(w)
}

// abandoned is when and why the wait for a response ended: at the first FIN or reset by
// which it could not come any more, else at time t for why.
func (s *session) abandoned(request *dissect.Message, why conn.Reason, t int64) (conn.Reason, int64) {
	to := responses(request)
	answerer, asker := s.Ends[to], s.Ends[to.Other()]
	waited := why == conn.ReasonIdle || why == ReasonTimeout
	if orderly(asker) && !orderly(answerer) && !waited || orderly(asker) && asker.Time-request.Last.Time >= halfClose {
		why, t = earlier(why, t, asker, waited)
		waited = false
	}
	if orderly(answerer) {
		why, t = earlier(why, t, answerer, waited)
	}
	return why, t
}

func orderly(e dissect.End) bool { return e.Why == conn.ReasonFIN || e.Why == conn.ReasonRST }

// earlier is the earlier one of two ends. Where the connection's end is what counts, its
// reason does.
func earlier(why conn.Reason, t int64, e dissect.End, replace bool) (conn.Reason, int64) {
	if replace {
		why = e.Why
	}
	if t == 0 || e.Time < t {
		t = e.Time
	}
	return why, t
}
