// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

// EachClosed calls f with the number of connections that ended for each reason.
// It is safe while the table runs.
func (s *Stats) EachClosed(f func(reason string, n uint64)) {
	f(string(ReasonFIN), s.ClosedFIN.Load())
	f(string(ReasonRST), s.ClosedRST.Load())
	f(string(ReasonIdle), s.ClosedIdle.Load())
	f(string(ReasonReused), s.ClosedReused.Load())
	f(string(ReasonElsewhere), s.ClosedElsewhere.Load())
	f(string(ReasonShutdown), s.ClosedShutdown.Load())
	f("own", s.ClosedOwn.Load())
	f(string(ReasonEvicted), s.Evicted.Load())
	f("evicted_half_open", s.EvictedHalf.Load())
	f("refused", s.Refused.Load())
}

// EachEvent calls f with each counter of oddities and met limits. It is safe
// while the table runs.
func (s *Stats) EachEvent(f func(kind string, n uint64)) {
	f("opened_midway", s.OpenedMidway.Load())
	f("handshake_evicted", s.PendingEvicted.Load())
	f("handshake_expired", s.PendingExpired.Load())
	f("handshake_segment_dropped", s.PendingDropped.Load())
	f("closed_forgotten", s.ClosedForgotten.Load())
	f("owner_evicted", s.OwnersEvicted.Load())
	f("retransmitted", s.Retransmitted.Load())
	f("out_of_order", s.OutOfOrder.Load())
	f("overlapped", s.Overlapped.Load())
	f("contradicted", s.Contradicted.Load())
	f("after_fin", s.AfterFIN.Load())
	f("probe", s.Probes.Load())
	f("urgent", s.Urgent.Load())
	f("out_of_window", s.OutOfWindow.Load())
	f("reset_ignored", s.RSTIgnored.Load())
	f("late", s.Late.Load())
	f("unmatched", s.Unmatched.Load())
	f("own_segment", s.OwnSegments.Load())
	f("malformed", s.Malformed.Load())
	f("plain", s.Plain.Load())
	f("plain_late", s.PlainLate.Load())
	f("plain_dropped", s.PlainDropped.Load())
	f("gap", s.Gaps.Load())
	f("hole_acknowledged", s.HolesAcked.Load())
	f("hole_limited", s.HolesLimited.Load())
	f("hole_expired", s.HolesExpired.Load())
	f("hole_closed", s.HolesClosed.Load())
}
