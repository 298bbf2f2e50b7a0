// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"net/netip"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// flow is a key of fixed layout, which hashes faster than address types.
type flow struct {
	addr   [2][16]byte
	port   [2]uint16
	space  uint32 // capture.Segment's Scope or NetNS
	socket uint64
}

// flowBetween is the same for both directions.
func flowBetween(a, b netip.AddrPort, space uint32) flow {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return flow{
		addr:  [2][16]byte{a.Addr().As16(), b.Addr().As16()},
		port:  [2]uint16{a.Port(), b.Port()},
		space: space,
	}
}

// flowOf is one remote end of a socket.
func flowOf(socket uint64, remote netip.AddrPort) flow {
	return flow{
		addr:   [2][16]byte{remote.Addr().As16()},
		port:   [2]uint16{remote.Port()},
		socket: socket,
	}
}

// wireFlow is the same at both ends of a connection. Loopback addresses mean
// something else in each network namespace.
func wireFlow(local, remote netip.AddrPort, netns uint32) flow {
	if !local.Addr().IsLoopback() {
		netns = 0
	}
	return flowBetween(local, remote, netns)
}

// ends gives the addresses of a live segment as its local end sees them.
func ends(seg *capture.Segment) (local, remote netip.AddrPort) {
	if seg.Direction == capture.Ingress {
		return seg.Destination, seg.Source
	}
	return seg.Source, seg.Destination
}

// onEgress is the direction of a live segment.
func onEgress(seg *capture.Segment) Dir {
	if seg.Direction == capture.Ingress {
		return In
	}
	return Out
}
