// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import "sync/atomic"

// Stats counts what a Table does. One shard writes, anyone may read.
type Stats struct {
	// Open connections, those of them that are half-open, and handshakes of
	// listening sockets that wait for their accepted socket: current values.
	Open     atomic.Int64
	HalfOpen atomic.Int64
	Pending  atomic.Int64

	Segments        atomic.Uint64 // segments and datagrams taken
	Opened          atomic.Uint64 // connections opened
	OpenedMidway    atomic.Uint64 // of those, without a handshake
	ClosedFIN       atomic.Uint64
	ClosedRST       atomic.Uint64
	ClosedIdle      atomic.Uint64
	ClosedReused    atomic.Uint64
	ClosedElsewhere atomic.Uint64
	ClosedShutdown  atomic.Uint64
	ClosedOwn       atomic.Uint64 // found to belong to OwnPID after they were opened
	Evicted         atomic.Uint64 // established connections evicted by MaxConnections or the budget
	EvictedHalf     atomic.Uint64 // half-open connections evicted likewise
	Refused         atomic.Uint64 // connections not followed because the budget was used up

	PendingEvicted  atomic.Uint64 // handshakes evicted by MaxPending or the budget
	PendingExpired  atomic.Uint64 // handshakes whose accepted socket never came
	PendingDropped  atomic.Uint64 // segments of pending handshakes dropped by a limit
	ClosedForgotten atomic.Uint64 // closed connections forgotten early because of MaxClosed
	OwnersEvicted   atomic.Uint64 // owners forgotten because of MaxOwners

	Retransmitted atomic.Uint64 // segments with nothing new
	OutOfOrder    atomic.Uint64 // segments that were held
	Overlapped    atomic.Uint64 // segments partly known
	Contradicted  atomic.Uint64 // segments with other bytes than the first ones held
	AfterFIN      atomic.Uint64 // segments with bytes after the FIN
	Probes        atomic.Uint64 // keep-alive and zero-window probes
	Urgent        atomic.Uint64 // urgent bytes, which are not part of what is read
	OutOfWindow   atomic.Uint64 // segments, acknowledgements and SYNs too far off to be believed
	RSTIgnored    atomic.Uint64 // resets too far off to be believed
	Late          atomic.Uint64 // segments of closed connections
	Unmatched     atomic.Uint64 // segments without payload of unknown connections
	OwnSegments   atomic.Uint64 // segments of OwnPID
	Malformed     atomic.Uint64 // segments with impossible lengths
	Records       atomic.Uint64 // records lost by the capture, as told by Lost

	Plain        atomic.Uint64 // pieces of plaintext taken
	PlainLate    atomic.Uint64 // of those, of closed connections
	PlainDropped atomic.Uint64 // of those, dropped because their connection did not come or a limit was met

	Gaps         atomic.Uint64 // gaps handed over
	GapBytes     atomic.Uint64 // bytes missing in them
	HolesAcked   atomic.Uint64 // holes lost because the receiver has acknowledged them
	HolesLimited atomic.Uint64 // holes lost because of MaxHeldBytes, MaxHeldSegments or the budget
	HolesExpired atomic.Uint64 // holes lost by HoleTimeout
	HolesClosed  atomic.Uint64 // holes lost because the connection ended
}

// closed is the counter of connections that ended for a reason.
func (s *Stats) closed(r Reason, half bool) *atomic.Uint64 {
	switch r {
	case ReasonFIN:
		return &s.ClosedFIN
	case ReasonRST:
		return &s.ClosedRST
	case ReasonIdle:
		return &s.ClosedIdle
	case ReasonReused:
		return &s.ClosedReused
	case ReasonElsewhere:
		return &s.ClosedElsewhere
	case ReasonShutdown:
		return &s.ClosedShutdown
	case ReasonEvicted:
		if half {
			return &s.EvictedHalf
		}
		return &s.Evicted
	default:
		return &s.ClosedOwn
	}
}
