// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package capture is stage 1 of 5: it takes records from the kernel or packets
// from a capture file and gives transport segments, each to the one worker that
// owns its connection. It bounds what it holds by the size of its rings.
package capture // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture"

import (
	"context"
	"net/netip"
)

// Transport is an IP protocol number.
type Transport uint8

// The transports that are captured (IANA protocol numbers).
const (
	TCP Transport = 6
	UDP Transport = 17
)

// Flags are the TCP control bits of RFC 9293, section 3.1.
type Flags uint8

// TCP control bits.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// Direction tells on which side of the local socket a segment was seen.
type Direction uint8

// Directions of a segment. A capture file does not know which end is local.
const (
	Unknown Direction = iota
	Egress
	Ingress
)

// Segment is one transport segment (TCP) or datagram (UDP) as it was captured.
// A Segment and its Payload are borrowed: they are valid until the handler
// returns.
type Segment struct {
	Time      int64  // capture time, nanoseconds since the Unix epoch; live, the system's clock being set later does not change it
	Socket    uint64 // socket cookie of the local end; 0 in a capture file
	Cgroup    uint64 // cgroup v2 id of the local socket; 0 when not known
	NetNS     uint32 // inode of the local socket's network namespace; 0 when not known
	Scope     uint32 // in a capture file: tells equal addresses in different VLANs or tunnels apart
	Direction Direction
	Transport Transport
	// Listener is set where the packet still belongs to the listening socket:
	// Socket is then the listener's cookie, and the connection is found by its
	// addresses and NetNS.
	Listener bool

	Source      netip.AddrPort // as in the packet, so after address translation on egress
	Destination netip.AddrPort

	Seq   uint32 // TCP only
	Ack   uint32 // TCP only; valid if Flags has ACK
	Flags Flags  // TCP only
	// UrgentPointer is that of the TCP header; valid if Flags has URG.
	UrgentPointer uint16

	Payload []byte // what was copied of the transport payload
	WireLen int    // length of the payload on the wire; more than len(Payload) if it was cut
}

// Process is the owner of a socket. It is immutable and shared.
type Process struct {
	PID         int32  // thread group id in the root PID namespace
	ParentPID   int32  // 0 when not known
	StartTime   int64  // nanoseconds since the Unix epoch; 0 when not known
	Name        string // comm, at most 15 bytes
	Executable  string // path in the process's own mount namespace; may be empty
	CommandLine []string
	CgroupPath  string // path below the cgroup v2 root; may be empty
	ContainerID string // bare 64 digit id; empty outside a container
	PodUID      string // Kubernetes pod UID from the cgroup path; empty elsewhere
	// ServiceName and ServiceNamespace are what its environment tells OpenTelemetry's
	// SDKs (service.name, service.namespace); empty where it tells nothing.
	ServiceName, ServiceNamespace string
}

// LossReason says why a record that the kernel saw did not arrive.
type LossReason uint8

// Reasons of loss.
const (
	LossRingFull   LossReason = iota // no room in the ring buffer
	LossCopyFailed                   // the kernel could not read the packet's bytes
	LossMalformed                    // the record or packet could not be decoded
	LossFragment                     // an IP fragment's siblings never came, or the limit on them was met
	LossShutdown                     // the time to hand it over was up
	lossReasons
)

// LossReasons is the number of reasons, for tables indexed by LossReason.
const LossReasons = int(lossReasons)

func (r LossReason) String() string {
	return [...]string{"ring_full", "copy_failed", "malformed", "fragment", "shutdown"}[r]
}

// Handler receives what one shard captures. All calls for one shard come from
// one goroutine, in the order of capture.
type Handler interface {
	// Segment takes one segment. The argument is borrowed.
	Segment(seg *Segment)
	// Owner says that a socket belongs to a process from now on. It may come
	// before the socket's first segment, and again when the owner changes.
	Owner(socket uint64, p *Process)
	// Lost says that n records of this shard were lost since the last call.
	Lost(n uint64, reason LossReason)
	// Tick lets time pass. It comes at least every 100 ms of the source's own
	// clock, also when nothing is captured.
	Tick(now int64)
}

// Plain is what a process handed to its TLS library to be sent, or got from it. It
// is borrowed like a Segment.
type Plain struct {
	Time      int64  // when the library returned, nanoseconds since the Unix epoch
	Socket    uint64 // socket cookie of the local end
	Direction Direction
	// Offset is the position of Payload[0] among all plaintext bytes of this
	// direction, from the first one that could have been seen. A jump is a loss.
	Offset  uint64
	Payload []byte
}

// PlainHandler is a Handler that takes the plaintext of encrypted connections beside
// their segments, in the same goroutine. It may come before the segments that carry
// it (egress) or after them, and the same byte comes once.
type PlainHandler interface {
	Plain(p *Plain)
}

// LocalHandler is a Handler that hears of connections within this machine of which
// the source captures one end only.
type LocalHandler interface {
	// Peer says that the other end of a TCP socket's connection belongs to a
	// process and is not captured.
	Peer(socket uint64, p *Process)
	// Leave says that nothing more of a TCP socket is captured, because the other
	// end of its connection is.
	Leave(socket uint64)
}

// ResetHandler is a Handler that hears which resets the kernel has believed. Of the
// segments alone that can't be told: it refuses those that are forged (RFC 5961).
type ResetHandler interface {
	// Reset says that a TCP socket's connection was ended by what it has received.
	Reset(socket uint64, now int64)
}

// Source is where segments come from.
type Source interface {
	// Shards is the number of independent streams of segments. All segments
	// of one connection, and of both ends of a connection whose ends are on
	// this machine, are in the same shard (as far as no address translation
	// lies between the ends).
	Shards() int
	// Start acquires what the source needs. Its error says what is missing
	// and how to provide it. On error nothing stays acquired.
	Start(ctx context.Context) error
	// Run reads one shard until ctx ends or the input does (then nil).
	Run(ctx context.Context, shard int, h Handler) error
	// Close releases everything. It is idempotent and called after every Run
	// has returned.
	Close() error
}

// Abandoner is a Source whose Run hands over what was captured by the end of its
// context, however much that is.
type Abandoner interface {
	// Abandon makes each Run whose context has ended return soon. What is left is
	// lost (LossShutdown). It is safe for concurrent use.
	Abandon()
}

// Translator is a Source that knows where packets go whose addresses are translated
// on the way, in other network namespaces too. Its method is safe for concurrent use.
type Translator interface {
	// Translated gives the other end of what the local socket knows as a connection
	// with remote. It reports false where that is remote itself, or is not known (yet).
	Translated(t Transport, local, remote netip.AddrPort) (netip.AddrPort, bool)
}

// Trimmer is a Source that can leave out bytes that nobody needs. Its methods
// neither block nor fail, and are safe for concurrent use. They are advice: what
// they ask for may come late, or be forgotten.
type Trimmer interface {
	// Trim says that of what a TCP socket sends or receives before the sequence
	// number until no payload is needed. Segments that lie before it may come
	// without payload from now on, with their WireLen as ever, or not at all:
	// only the one that ends at until, those that end the connection, and now and
	// then another one have to. until lies less than 2 GiB ahead of what was
	// captured last, and replaces an earlier one.
	Trim(socket uint64, d Direction, until uint32)
	// Untrim takes that back.
	Untrim(socket uint64, d Direction)
}
