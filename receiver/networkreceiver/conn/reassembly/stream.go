// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package reassembly

import "github.com/wirespan/wirespan/internal/budget"

// StartTolerance is how many bytes before the first segment that was seen a
// floating stream still accepts.
const StartTolerance = 64 << 10

// Position is a place in a stream.
type Position struct {
	Time   int64
	Offset uint64
	Seq    uint32
	Ack    uint32
}

// Receiver takes what is in order. Calls come from within methods of Assembler.
type Receiver interface {
	// Data takes bytes that follow the last ones. b is borrowed.
	Data(p Position, b []byte)
	// Gap says that n bytes are missing.
	Gap(p Position, n uint64)
}

// Stream is one direction of a connection. Its zero value is ready for Start.
type Stream struct {
	memory     *budget.Account // what it holds is taken from; may be nil
	head, tail *chunk          // held segments: ascending, disjoint, all after next
	offset     uint64          // of the next byte
	bytes      int             // payload held
	count      int             // segments held
	next       uint32          // sequence number of the next byte
	fin        uint32          // sequence number of the FIN
	lastAck    uint32
	urgent     uint32 // sequence number of an urgent byte, if hasUrgent
	started    bool
	floating   bool
	finSeen    bool
	hasUrgent  bool
}

// Charge says from what the stream takes the memory that it holds, instead of from the
// assembler's budget. It comes before the first segment.
func (s *Stream) Charge(a *budget.Account) { s.memory = a }

// Start says that seq is the sequence number of the first byte.
func (s *Stream) Start(seq uint32) { s.next, s.started = seq, true }

// StartFloating says that the first byte is seq or a little before: until
// [Assembler.Settle] nothing is delivered, and earlier bytes move the start.
func (s *Stream) StartFloating(seq uint32) { s.next, s.started, s.floating = seq, true, true }

// Started reports whether the sequence number of the next byte is known.
func (s *Stream) Started() bool { return s.started }

// Floating reports whether the start may still move.
func (s *Stream) Floating() bool { return s.floating }

// Fresh reports whether nothing was delivered and nothing is held.
func (s *Stream) Fresh() bool { return s.offset == 0 && s.head == nil && !s.finSeen }

// Next is the sequence number of the next byte.
func (s *Stream) Next() uint32 { return s.next }

// Offset is that of the next byte.
func (s *Stream) Offset() uint64 { return s.offset }

// Held is what waits for a hole to be filled.
func (s *Stream) Held() (bytes, segments int) { return s.bytes, s.count }

// FIN notes that the stream ends at seq. It reports false if that contradicts
// bytes that came before; the FIN is then ignored.
func (s *Stream) FIN(seq uint32) bool {
	if s.finSeen {
		return s.fin == seq
	}
	if Distance(s.next, seq) < 0 || s.tail != nil && Distance(s.tail.seg.end(), seq) < 0 {
		return false
	}
	s.fin, s.finSeen = seq, true
	return true
}

// ForgetFIN takes back the FIN, unless it was reached.
func (s *Stream) ForgetFIN() { s.finSeen = s.finSeen && s.next == s.fin }

// FINSeen reports whether the end of the stream is known.
func (s *Stream) FINSeen() bool { return s.finSeen }

// Done reports whether everything up to the FIN was delivered.
func (s *Stream) Done() bool { return s.finSeen && s.next == s.fin && !s.floating }

// Urgent says that the byte at seq is urgent: it is not delivered, and takes no place
// among those that are. It reports false if the byte has passed.
func (s *Stream) Urgent(seq uint32) bool {
	if d := Distance(s.next, seq); d < 0 || s.hasUrgent && Distance(s.urgent, seq) <= 0 {
		return false
	}
	s.urgent, s.hasUrgent = seq, true
	return true
}

// emit delivers a segment that starts at the next byte, but for an urgent byte.
func (s *Stream) emit(seg *Segment, r Receiver) {
	if s.hasUrgent {
		at := Distance(s.next, s.urgent)
		s.hasUrgent = at >= seg.WireLen
		if at < len(seg.Payload) {
			before, rest := seg.first(at), *seg
			rest.skip(at + 1)
			s.deliver(&before, r)
			s.next++
			s.deliver(&rest, r)
			return
		}
	}
	s.deliver(seg, r)
}

func (s *Stream) deliver(seg *Segment, r Receiver) {
	s.lastAck = seg.Ack
	if n := len(seg.Payload); n > 0 {
		p := Position{Time: seg.Time, Offset: s.offset, Seq: s.next, Ack: seg.Ack}
		s.advance(n)
		r.Data(p, seg.Payload)
	}
	if n := seg.WireLen - len(seg.Payload); n > 0 {
		s.gap(n, seg.Time, seg.Ack, r)
	}
}

// gap declares the next n bytes lost.
func (s *Stream) gap(n int, t int64, ack uint32, r Receiver) {
	p := Position{Time: t, Offset: s.offset, Seq: s.next, Ack: ack}
	s.advance(n)
	r.Gap(p, uint64(n))
}

func (s *Stream) advance(n int) {
	s.next += uint32(n)
	s.offset += uint64(n)
}

// link puts c behind at, or in front if at is nil.
func (s *Stream) link(c, at *chunk) {
	c.prev = at
	if at == nil {
		c.next, s.head = s.head, c
	} else {
		c.next, at.next = at.next, c
	}
	if c.next == nil {
		s.tail = c
	} else {
		c.next.prev = c
	}
	s.bytes += len(c.seg.Payload)
	s.count++
}

// unlink takes the first chunk out.
func (s *Stream) unlink() *chunk {
	c := s.head
	if s.head = c.next; s.head == nil {
		s.tail = nil
	} else {
		s.head.prev = nil
	}
	s.bytes -= len(c.seg.Payload)
	s.count--
	return c
}

// behind finds the last held chunk that starts at or before seq. Segments mostly
// come in ascending order, so it looks from the end.
func (s *Stream) behind(seq uint32) *chunk {
	if s.head == nil || Distance(s.head.seg.Seq, seq) < 0 {
		return nil
	}
	c := s.tail
	for Distance(c.seg.Seq, seq) < 0 {
		c = c.prev
	}
	return c
}
