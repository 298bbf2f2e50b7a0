// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package reassembly

import "github.com/wirespan/wirespan/internal/budget"

// Assembler is what all streams of one worker share: limits, and memory for
// segments that came early.
type Assembler struct {
	maxBytes    int
	maxSegments int
	pool        pool
}

// NewAssembler gives an assembler that holds at most maxBytes and maxSegments for
// each stream, and takes the memory from b.
func NewAssembler(maxBytes, maxSegments int, b *budget.Budget) *Assembler {
	return &Assembler{maxBytes: maxBytes, maxSegments: maxSegments, pool: pool{budget: b}}
}

// Outcome tells what was notable about a segment.
type Outcome struct {
	Duplicate  bool // nothing in it was new
	OutOfOrder bool // it was held, or came behind held segments
	Overlap    bool // a part of it was not new
	Differs    bool // it contradicts held bytes
	AfterFIN   bool // it has bytes after the end of the stream; they are ignored
	Refuted    bool // it goes on past a FIN that bytes were missing before; that is forgotten
	Limited    int  // holes that were given up to stay within a limit
}

// Insert takes a segment of a started stream and delivers what is now in order.
// Of bytes that contradict each other those that are in order win, as they do in
// Linux, and of those that are held the first ones.
func (a *Assembler) Insert(s *Stream, seg Segment, r Receiver) (o Outcome) {
	if s.finSeen {
		if over := Distance(s.fin, seg.end()); over > 0 {
			if over < seg.WireLen && s.next != s.fin {
				s.finSeen, o.Refuted = false, true
			} else {
				o.AfterFIN = true
				seg = seg.first(max(0, seg.WireLen-over))
			}
		}
	}
	for seg.WireLen > 0 {
		ahead := Distance(s.next, seg.Seq)
		if s.floating && ahead < 0 && ahead >= -StartTolerance {
			s.next, ahead = seg.Seq, 0
		}
		if -ahead >= seg.WireLen {
			o.Duplicate = true
			return o
		}
		if ahead < 0 {
			o.Overlap = true
			seg.skip(-ahead)
			ahead = 0
		}
		if ahead == 0 && !s.floating {
			a.deliver(s, &seg, r, &o)
			return o
		}
		o.OutOfOrder = true
		if !a.hold(s, &seg, &o) {
			o.Limited++
			a.makeRoom(s, &seg, r)
		}
	}
	return o
}

// deliver hands over seg, which starts at the next byte, and all that follows. What it
// has wins over what is held: that came before its time.
func (a *Assembler) deliver(s *Stream, seg *Segment, r Receiver, o *Outcome) {
	for seg.WireLen > 0 {
		free := seg.WireLen
		if s.head != nil {
			free = min(free, max(len(seg.Payload), Distance(s.next, s.head.seg.Seq)))
		}
		if free > 0 {
			part := seg.first(free)
			a.supersede(s, &part, o)
			s.emit(&part, r)
			seg.skip(free)
			continue
		}
		o.Overlap = true
		seg.skip(min(seg.WireLen, s.head.seg.WireLen))
		a.deliverHead(s, r)
	}
	a.drain(s, r)
}

// supersede drops what is held of the bytes of seg.
func (a *Assembler) supersede(s *Stream, seg *Segment, o *Outcome) {
	for s.head != nil && Distance(s.head.seg.Seq, seg.end()) > 0 {
		held := &s.head.seg
		o.Overlap = true
		o.Differs = o.Differs || seg.differs(held)
		if rest := Distance(seg.end(), held.end()); rest > 0 {
			s.bytes -= len(held.Payload)
			held.skip(held.WireLen - rest)
			s.bytes += len(held.Payload)
			return
		}
		a.pool.put(s, s.unlink())
	}
}

// hold copies what is new in seg between the held segments. It reports false if
// a limit was met; seg is then what was not taken.
func (a *Assembler) hold(s *Stream, seg *Segment, o *Outcome) bool {
	at := s.behind(seg.Seq)
	for seg.WireLen > 0 {
		if at != nil {
			if covered := Distance(seg.Seq, at.seg.end()); covered > 0 {
				o.Overlap = true
				o.Differs = o.Differs || seg.differs(&at.seg)
				seg.skip(min(covered, seg.WireLen))
				continue
			}
		}
		next := s.head
		if at != nil {
			next = at.next
		}
		free := seg.WireLen
		if next != nil {
			free = min(free, Distance(seg.Seq, next.seg.Seq))
		}
		if free > 0 {
			c := a.copied(s, seg.first(free))
			if c == nil {
				return false
			}
			s.link(c, at)
			seg.skip(free)
			next = c
		}
		at = next
	}
	return true
}

// copied gives an own copy of seg, or nil if a limit forbids it.
func (a *Assembler) copied(s *Stream, seg Segment) *chunk {
	if s.count >= a.maxSegments || s.bytes+len(seg.Payload) > a.maxBytes {
		return nil
	}
	return a.pool.get(s, &seg)
}

// makeRoom gives up the first hole: the one before the first held segment, or
// before seg if that comes earlier.
func (a *Assembler) makeRoom(s *Stream, seg *Segment, r Receiver) {
	if s.floating {
		a.Settle(s, r)
		return
	}
	if s.head == nil || Distance(seg.Seq, s.head.seg.Seq) > 0 {
		s.gap(Distance(s.next, seg.Seq), seg.Time, seg.Ack, r)
		return
	}
	a.GiveUp(s, r)
}

// Settle fixes the start of a floating stream and delivers what is in order.
func (a *Assembler) Settle(s *Stream, r Receiver) {
	s.floating = false
	a.drain(s, r)
}

// GiveUp declares the first hole lost, delivers what follows it, and reports
// whether there was a hole.
func (a *Assembler) GiveUp(s *Stream, r Receiver) bool {
	if s.floating {
		a.Settle(s, r)
	}
	if s.head == nil {
		return false
	}
	h := &s.head.seg
	s.gap(Distance(s.next, h.Seq), h.Time, h.Ack, r)
	a.drain(s, r)
	return true
}

// GiveUpTo declares all that is missing before seq lost, as of time t. It gives
// the number of holes.
func (a *Assembler) GiveUpTo(s *Stream, seq uint32, t int64, r Receiver) (holes int) {
	if s.floating {
		a.Settle(s, r)
	}
	if s.finSeen && Distance(s.fin, seq) > 0 {
		seq = s.fin
	}
	for {
		missing := Distance(s.next, seq)
		if missing <= 0 {
			return holes
		}
		holes++
		if s.head != nil && Distance(s.head.seg.Seq, seq) >= 0 {
			a.GiveUp(s, r)
		} else {
			s.gap(missing, t, s.lastAck, r)
		}
	}
}

// Flush declares every hole lost, also the one before the FIN, as of time t. It
// gives the number of holes. Nothing is held afterwards.
func (a *Assembler) Flush(s *Stream, t int64, r Receiver) (holes int) {
	for s.head != nil {
		if a.GiveUp(s, r) {
			holes++
		}
	}
	s.floating = false
	if s.finSeen {
		holes += a.GiveUpTo(s, s.fin, t, r)
	}
	return holes
}

// Discard drops what is held without delivering it.
func (a *Assembler) Discard(s *Stream) {
	for s.head != nil {
		a.pool.put(s, s.unlink())
	}
}

func (a *Assembler) drain(s *Stream, r Receiver) {
	for s.head != nil && s.head.seg.Seq == s.next {
		a.deliverHead(s, r)
	}
}

func (a *Assembler) deliverHead(s *Stream, r Receiver) {
	c := s.unlink()
	s.emit(&c.seg, r)
	a.pool.put(s, c)
}
