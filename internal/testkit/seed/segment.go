// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package seed

import (
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// maxSegments bounds the segments of one connection.
const maxSegments = 200

// Segment is the outside of a captured TCP segment.
type Segment struct {
	Back  bool // it came from the end that was seen second
	Seq   uint32
	Ack   uint32
	Flags uint8 // as capture.Flags
	Len   int
	Since time.Duration // the segment before
}

// Segments gives captured TCP connections without what was said. Numbers begin
// with 0 in each direction.
func Segments(tb testing.TB) [][]Segment {
	tb.Helper()
	var all [][]Segment
	for _, file := range files(tb) {
		all = append(all, segments(read(tb, file))...)
	}
	return spread(all, maxTalks)
}

func segments(frames []Frame) (all [][]Segment) {
	type flow struct {
		from  string
		base  [2]uint32
		known [2]bool
		last  time.Time
		list  []Segment
	}
	flows := map[string]*flow{}
	var order []*flow
	for i := range frames {
		packet := frames[i].decode()
		tcp, ok := packet.TransportLayer().(*layers.TCP)
		if !ok || packet.NetworkLayer() == nil {
			continue
		}
		ends := packet.NetworkLayer().NetworkFlow()
		from, to := address(ends.Src().String(), uint16(tcp.SrcPort)), address(ends.Dst().String(), uint16(tcp.DstPort))
		key := min(from, to) + max(from, to)
		f := flows[key]
		if f == nil {
			f = &flow{from: from, last: frames[i].info.Timestamp}
			flows[key], order = f, append(order, f)
		}
		s := Segment{Back: from != f.from, Flags: flags(tcp), Len: len(tcp.Payload), Since: max(0, frames[i].info.Timestamp.Sub(f.last))}
		f.last = frames[i].info.Timestamp
		d := 0
		if s.Back {
			d = 1
		}
		if !f.known[d] {
			f.known[d], f.base[d] = true, tcp.Seq
		}
		s.Seq = tcp.Seq - f.base[d]
		if tcp.ACK && f.known[1-d] {
			s.Ack = tcp.Ack - f.base[1-d]
		}
		if len(f.list) < maxSegments {
			f.list = append(f.list, s)
		}
	}
	for _, f := range order {
		all = append(all, f.list)
	}
	return all
}

// flags gives the control bits from FIN to ACK (RFC 9293, section 3.1).
func flags(tcp *layers.TCP) (bits uint8) {
	for i, set := range [...]bool{tcp.FIN, tcp.SYN, tcp.RST, tcp.PSH, tcp.ACK} {
		if set {
			bits |= 1 << i
		}
	}
	return bits
}
