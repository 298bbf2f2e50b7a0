// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package reassembly

import "bytes"

// Segment is a piece of one direction. Its payload is borrowed.
type Segment struct {
	Time    int64
	Seq     uint32 // of the first payload byte
	Ack     uint32
	Payload []byte
	WireLen int // at least len(Payload); the rest was not captured
}

func (s *Segment) end() uint32 { return s.Seq + uint32(s.WireLen) }

// skip removes the first n bytes.
func (s *Segment) skip(n int) {
	s.Seq += uint32(n)
	s.WireLen -= n
	s.Payload = s.Payload[min(n, len(s.Payload)):]
}

// first is the segment cut to its first n bytes.
func (s *Segment) first(n int) Segment {
	f := *s
	f.WireLen = n
	f.Payload = f.Payload[:min(n, len(f.Payload))]
	return f
}

// differs reports whether two segments carry different bytes for the same
// sequence numbers, as far as both were captured.
func (s *Segment) differs(o *Segment) bool {
	a, b := s.Payload, o.Payload
	if d := Distance(s.Seq, o.Seq); d >= 0 {
		a = a[min(d, len(a)):]
	} else {
		b = b[min(-d, len(b)):]
	}
	n := min(len(a), len(b))
	return !bytes.Equal(a[:n], b[:n])
}
