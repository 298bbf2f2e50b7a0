// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"
)

// tcp takes a segment that belongs to a connection's own socket, or is from a
// capture file.
func (t *Table) tcp(seg *capture.Segment) {
	c := t.find(seg)
	if c != nil && seg.Flags&capture.SYN != 0 {
		switch t.judge(c, seg) {
		case synIgnored:
			t.stats.OutOfWindow.Add(1)
			return
		case synDoubted:
			t.doubtSYN(c, seg)
			return
		case synOfAnother:
			t.close(c, seg.Time, ReasonReused)
			c = nil
		}
	} else if c != nil && c.table.syn != nil && c.answersSYN(seg) {
		c = t.replace(c)
	}
	if c == nil {
		if c = t.meetStranger(seg); c == nil {
			return
		}
	}
	if c.table.reset != nil && seg.Flags&capture.RST == 0 && !t.passReset(c, seg) {
		return
	}
	if !c.Live && t.postpone(c, seg) {
		return
	}
	t.follow(c, seg)
}

// find gives the connection of a segment, or nil.
func (t *Table) find(seg *capture.Segment) *Conn {
	if seg.Socket != 0 {
		return t.sockets[seg.Socket]
	}
	return t.flows[flowBetween(seg.Source, seg.Destination, seg.Scope)]
}

// direction is the direction of a segment of c.
func (c *Conn) direction(seg *capture.Segment) Dir {
	if c.Live {
		return onEgress(seg)
	}
	if seg.Source == c.Local {
		return Out
	}
	return In
}

// meetStranger opens the connection of a segment of no known one, if that is
// worth it.
func (t *Table) meetStranger(seg *capture.Segment) *Conn {
	if t.isLate(seg) {
		t.stats.Late.Add(1)
		return nil
	}
	if seg.Socket != 0 && t.owners.isOwn(seg.Socket, t.now) {
		t.handshakes.take(seg)
		t.stats.OwnSegments.Add(1)
		return nil
	}
	if seg.Flags&capture.RST != 0 {
		t.resetByAddress(seg)
		return nil
	}
	if seg.Flags&capture.SYN != 0 {
		if seg.Socket != 0 && seg.Flags&capture.ACK != 0 {
			if c := t.join(seg); c != nil {
				return c
			}
		}
		return t.openHandshake(seg)
	}
	if seg.Socket != 0 {
		if c := t.join(seg); c != nil {
			return c
		}
	}
	// One byte that isn't pushed is a keep-alive or zero-window probe.
	if seg.WireLen == 0 || seg.WireLen == 1 && seg.Flags&capture.PSH == 0 {
		t.stats.Unmatched.Add(1)
		return nil
	}
	return t.openMidway(seg)
}

// openHandshake opens a connection with its SYN or SYN-ACK.
func (t *Table) openHandshake(seg *capture.Segment) *Conn {
	c := &Conn{Local: seg.Source, Remote: seg.Destination, Initiator: InitiatorLocal}
	byLocal := true
	if seg.Socket != 0 {
		c.Local, c.Remote = ends(seg)
		byLocal = seg.Direction == capture.Egress
	}
	if seg.Flags&capture.ACK != 0 {
		if seg.Socket == 0 {
			c.Local, c.Remote = seg.Destination, seg.Source
		} else {
			byLocal = !byLocal
		}
	}
	if !byLocal {
		c.Initiator = InitiatorRemote
	}
	// The index of both ends compares initial sequence numbers.
	d := Out
	if c.Local != seg.Source {
		d = In
	}
	c.table.halves[d].start(seg.Seq)
	return t.open(c, seg)
}

func (t *Table) openMidway(seg *capture.Segment) *Conn {
	c := &Conn{Local: seg.Source, Remote: seg.Destination, Midway: true}
	if seg.Socket != 0 {
		c.Local, c.Remote = ends(seg)
	}
	c = t.open(c, seg)
	if c != nil {
		t.promote(c)
	}
	return c
}

// follow takes a segment of a connection. What it acknowledges comes first: the
// bytes that it answers lie before its own.
func (t *Table) follow(c *Conn, seg *capture.Segment) {
	if c.table.node.in == nil {
		return // closed by what was held for it
	}
	if c.table.over != "" {
		t.stats.Late.Add(1)
		return
	}
	d := c.direction(seg)
	h, other := &c.table.halves[d], &c.table.halves[d.Other()]
	c.LastActive = seg.Time
	t.touch(c)
	t.learnAddresses(c, d, seg)

	if seg.Flags&capture.RST != 0 {
		t.reset(c, h, other, seg)
		return
	}
	first := seg.Seq
	if seg.Flags&capture.SYN != 0 {
		first++
		h.start(seg.Seq)
	}
	if h.stream.Started() && !t.near(h, first) {
		if h.hasISN || !h.stream.Fresh() {
			t.stray(c, h, seg)
			return
		}
		// Only an acknowledgement has said where it starts: the bytes know better.
		h.stream.Start(first)
	}
	h.strays = 0
	if seg.Flags&capture.ACK != 0 {
		t.learnHandshake(c, d, seg)
		t.acknowledge(c, other, seg)
	}
	h.passOver(first, seg.Time)
	if seg.WireLen > 0 {
		t.promoteOnData(c, seg)
		if !h.ended {
			t.receive(c, h, seg, first)
		} else if reassembly.Distance(h.stream.Next(), first+uint32(seg.WireLen)) > 0 {
			t.stats.AfterFIN.Add(1)
		} else {
			t.stats.Retransmitted.Add(1)
		}
	} else if h.stream.Started() && first+1 == h.stream.Next() && seg.Flags == capture.ACK && !h.stream.FINSeen() {
		t.stats.Probes.Add(1)
	}
	if seg.Flags&capture.FIN != 0 && !h.ended {
		t.fin(h, first+uint32(seg.WireLen))
	}
	t.finish(c, seg.Time)
}

// receive takes the payload of a segment.
func (t *Table) receive(c *Conn, h *half, seg *capture.Segment, first uint32) {
	if !h.stream.Started() {
		// What a socket sends is captured in order.
		if c.Live && h.dir == Out {
			h.stream.Start(first)
		} else {
			h.stream.StartFloating(first)
		}
	}
	if seg.Flags&(capture.URG|capture.SYN) == capture.URG {
		h.urge(seg)
	}
	next := h.stream.Next()
	h.insert(reassembly.Segment{
		Time: seg.Time, Seq: first, Ack: seg.Ack, Payload: seg.Payload, WireLen: seg.WireLen,
	})
	h.watch(next)
}

// fin takes the end of a direction.
func (t *Table) fin(h *half, seq uint32) {
	if !h.stream.Started() {
		h.stream.Start(seq)
	}
	if _, n := h.stream.Held(); n > 0 && seq == h.stream.Next() && !h.stream.Floating() {
		// The stream ends here: what is held behind it is not its own.
		t.assembler.Discard(&h.stream)
		t.stats.OutOfWindow.Add(uint64(n))
	}
	if !h.stream.FIN(seq) {
		t.stats.OutOfWindow.Add(1)
		return
	}
	h.watch(h.stream.Next())
}

// acknowledge takes the acknowledgement of what h carried. Bytes that their
// receiver has and we have not were lost by the capture.
func (t *Table) acknowledge(c *Conn, h *half, seg *capture.Segment) {
	if h.ended {
		return
	}
	if !h.stream.Started() {
		h.stream.Start(seg.Ack)
		return
	}
	ahead := reassembly.Distance(h.stream.Next(), seg.Ack)
	if ahead < 0 || ahead == 0 && !h.stream.Floating() {
		return
	}
	if ahead > t.window() {
		t.stats.OutOfWindow.Add(1)
		return
	}
	_, held := h.stream.Held()
	switch {
	case ahead == 1 && held == 0 && !h.stream.FINSeen():
		h.maybeFIN, h.fin = true, h.stream.Next()
	case !c.Live && seg.WireLen == 0 && seg.Flags&capture.FIN == 0:
		// A capture file may show an acknowledgement shortly before the bytes.
		t.awaitBytes(h, seg.Ack)
	default:
		t.giveUpTo(h, seg.Ack, seg.Time)
		t.endDone(h, seg.Time)
	}
}

// stray takes a segment that is too far off to be believed, unless more follow it.
func (t *Table) stray(c *Conn, h *half, seg *capture.Segment) {
	t.stats.OutOfWindow.Add(1)
	if seg.WireLen == 0 {
		return
	}
	if h.strays > 0 && seg.Seq != h.strayEnd {
		h.strays = 0
	}
	h.strays++
	h.strayEnd = seg.Seq + uint32(seg.WireLen)
	if h.strays < believeStrays {
		return
	}
	h.strays = 0
	if c.Live && reassembly.Distance(h.stream.Next(), seg.Seq) > 0 {
		// The socket is the same, so this is its stream, far ahead.
		if !h.ended {
			t.giveUpTo(h, seg.Seq, seg.Time)
			t.receive(c, h, seg, seg.Seq)
			t.finish(c, seg.Time)
		}
		return
	}
	p := c.Process
	t.close(c, seg.Time, ReasonReused)
	if seg.Socket != 0 {
		t.owners.put(seg.Socket, p, t.now)
	}
	if c = t.openMidway(seg); c != nil {
		t.follow(c, seg)
	}
}

// believeStrays is how many contiguous segments make an unbelievable sequence
// number believable.
const believeStrays = 3

// finish ends directions that are complete, and the connection with the second.
func (t *Table) finish(c *Conn, now int64) {
	out, in := &c.table.halves[Out], &c.table.halves[In]
	t.endDone(out, now)
	t.endDone(in, now)
	t.resume(c)
	if out.ended != in.ended {
		h := out
		if out.ended {
			h = in
		}
		if h.maybeFIN && !h.stream.FINSeen() && h.stream.Next() == h.fin {
			t.end(h, now, ReasonFIN)
		}
	}
	switch {
	case out.ended && in.ended:
		t.close(c, now, ReasonFIN)
	case out.ended:
		t.touch(c)
	}
}

// endDone ends a direction whose FIN is due.
func (t *Table) endDone(h *half, now int64) {
	if !h.ended && h.stream.Done() {
		t.end(h, now, ReasonFIN)
	}
}
