// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package conn is stage 2 of 5: it takes transport segments and gives, for each
// connection and direction, contiguous bytes or a Gap. It bounds connections per
// shard, bytes and segments held per direction, and memory in total.
package conn // import "github.com/wirespan/wirespan/receiver/networkreceiver/conn"

import (
	"net/netip"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Dir is a direction of a connection.
type Dir uint8

// Out flows from the local end to the remote end. In a capture file the end that
// opened the connection (else: the end that was seen first) counts as local.
const (
	Out Dir = iota
	In
)

// Other is the opposite direction.
func (d Dir) Other() Dir { return d ^ 1 }

// Initiator tells which end opened the connection.
type Initiator uint8

// Ends that can have opened a connection. It is unknown when the handshake was
// not seen.
const (
	InitiatorUnknown Initiator = iota
	InitiatorLocal
	InitiatorRemote
)

// Reason is why something ended, was cut short or is missing, in the word that telemetry
// shows. Here are the ends of directions and connections; each later stage adds its own
// reasons. The empty Reason means that there is none.
type Reason string

// Reasons for an end.
const (
	ReasonFIN       Reason = "fin"       // orderly
	ReasonRST       Reason = "rst"       // reset by either end
	ReasonIdle      Reason = "idle"      // nothing came for the idle timeout
	ReasonEvicted   Reason = "evicted"   // a limit was met and this connection was the oldest idle one
	ReasonReused    Reason = "reused"    // the same addresses or socket carry a new connection
	ReasonElsewhere Reason = "elsewhere" // the other end, on this machine, is captured instead
	ReasonShutdown  Reason = "shutdown"  // Wirespan stops, or the capture file ended
)

// orderly reports whether an end of the connection has ended it.
func (r Reason) orderly() bool { return r == ReasonFIN || r == ReasonRST }

// Mark is a position in one direction of a connection.
type Mark struct {
	Time   int64  // capture time of the segment that carried the byte, Unix ns
	Offset uint64 // bytes since the first byte of this direction that was seen, gaps included
	Seq    uint32 // TCP sequence number of the byte
	Ack    uint32 // TCP acknowledgement number of the segment that carried it
}

// Conn is one connection (TCP) or one pair of endpoints (UDP). It is owned by
// one worker and must not be kept by anyone else after Sink.Close.
type Conn struct {
	Transport capture.Transport
	Socket    uint64 // 0 in a capture file
	NetNS     uint32
	Cgroup    uint64
	// Live is true where Local is an end on this machine, and false in a
	// capture file.
	Live      bool
	Local     netip.AddrPort
	Remote    netip.AddrPort // as the local socket knows it
	RemoteNAT netip.AddrPort // where packets really went, if that differs from Remote
	Initiator Initiator
	// Midway is true where the handshake was not seen.
	Midway bool
	// PeerCaptured is true where the other end is on this machine and is
	// captured as well.
	PeerCaptured bool
	// PeerProcess owns the other end, where that is captured and its owner known.
	PeerProcess *capture.Process

	Started     int64 // first segment, Unix ns
	Established int64 // handshake complete, Unix ns; 0 when not seen
	LastActive  int64

	// Process is nil until the owner is known.
	Process *capture.Process

	// Session belongs to the next stage.
	Session any
	// AwaitsPlain is set by the next stage where a process's TLS library may show plaintext
	// of a live connection: it does so later than the packets come, even than the last
	// ones. Ends and the close are told when that time is over.
	AwaitsPlain bool
	// Telemetry belongs to stage 5.
	Telemetry any
	// Memory is what all stages hold of this connection, besides what it takes to
	// follow it.
	Memory budget.Account

	// table is the bookkeeping of Table.
	table tableState
}

// Sink is the next stage. All calls for one connection come from one goroutine.
type Sink interface {
	// Open announces a connection. Conn.Process may still be nil.
	Open(c *Conn)
	// Data hands over bytes that directly follow the last ones of this
	// direction. b is borrowed: valid until Data returns. m marks b[0]; all of b
	// was captured in one segment. For UDP each call is one datagram.
	Data(c *Conn, d Dir, m Mark, b []byte)
	// Gap says that n bytes of this direction are missing from here on.
	Gap(c *Conn, d Dir, m Mark, n uint64)
	// Skip says that n bytes of this direction from here on were left out because
	// they are not needed; see Conn.Spare.
	Spared(c *Conn, d Dir, m Mark, n uint64)
	// Plain hands over what a process gave to its TLS library for this direction, or
	// got from it: the plaintext of bytes that come, or have come, by Data. b is
	// borrowed. m.Time and m.Offset count; the offset is that of the plaintext alone,
	// and a jump of it is a loss.
	Plain(c *Conn, d Dir, m Mark, b []byte)
	// End says that nothing more will come in this direction.
	End(c *Conn, d Dir, t int64, r Reason)
	// Close ends the connection. End has been called for both directions.
	Close(c *Conn, t int64, r Reason)
	// Tick lets time pass.
	Tick(now int64)
}
