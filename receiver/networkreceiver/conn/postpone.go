// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"slices"
	"unsafe"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"
)

// Limits for what is postponed on one connection.
const (
	maxPostponed      = 16
	maxPostponedBytes = 64 << 10
)

// postponed are segments of one direction that a capture file shows before the
// bytes that they acknowledge. They wait for these for a moment, so that a request
// never overtakes the response before it.
type postponed struct {
	dir      Dir
	segments []capture.Segment
	cost     int
}

// postpone reports whether it keeps seg back.
func (t *Table) postpone(c *Conn, seg *capture.Segment) bool {
	d := c.direction(seg)
	p := c.table.postponed
	if p == nil {
		if !t.overtakes(c, d, seg) {
			return false
		}
		p = &postponed{dir: d}
	}
	if d == p.dir && seg.Flags&capture.RST == 0 && p.keep(&c.Memory, seg) {
		if c.table.postponed == nil {
			c.table.postponed = p
			t.awaitBytes(&c.table.halves[d.Other()], seg.Ack)
		}
		return true
	}
	// This segment answers what waits, or there is no room.
	if d == p.dir || seg.Flags&capture.RST != 0 ||
		reassembly.Distance(c.table.halves[p.dir].stream.Next(), seg.Ack) > 0 {
		t.release(c)
	}
	return false
}

// overtakes reports whether seg carries bytes and acknowledges others that have
// not been seen.
func (t *Table) overtakes(c *Conn, d Dir, seg *capture.Segment) bool {
	other := &c.table.halves[d.Other()]
	if seg.WireLen == 0 || seg.Flags&(capture.ACK|capture.SYN|capture.RST) != capture.ACK ||
		other.ended || !other.stream.Started() || other.stream.Floating() {
		return false
	}
	// One number more may be a FIN.
	ahead := reassembly.Distance(other.stream.Next(), seg.Ack)
	return ahead > 1 && ahead <= t.window()
}

// awaitBytes gives the capture a moment to show what h carried before ack.
func (t *Table) awaitBytes(h *half, ack uint32) {
	if h.soon.in == nil {
		t.soon.push(&h.soon, h, t.now)
		h.acked = ack
	} else if h.stream.Floating() || reassembly.Distance(h.acked, ack) > 0 {
		h.acked = ack
	}
}

func (p *postponed) keep(memory *budget.Account, seg *capture.Segment) bool {
	n := len(seg.Payload) + int(unsafe.Sizeof(*seg))
	if len(p.segments) >= maxPostponed || p.cost+n > maxPostponedBytes || !memory.Take(n) {
		return false
	}
	p.cost += n
	kept := *seg
	kept.Payload = slices.Clone(seg.Payload)
	p.segments = append(p.segments, kept)
	return true
}

// resume takes those postponed segments whose wait is over.
func (t *Table) resume(c *Conn) {
	for p := c.table.postponed; p != nil; p = c.table.postponed {
		other := &c.table.halves[p.dir.Other()]
		seg := &p.segments[0]
		if !other.ended && reassembly.Distance(other.stream.Next(), seg.Ack) > 0 {
			return
		}
		if p.segments = p.segments[1:]; len(p.segments) == 0 {
			t.forgetPostponed(c)
		}
		t.follow(c, seg)
	}
}

// release takes all postponed segments: what they acknowledge is lost.
func (t *Table) release(c *Conn) {
	p := c.table.postponed
	if p == nil {
		return
	}
	t.forgetPostponed(c)
	for i := range p.segments {
		t.follow(c, &p.segments[i])
	}
}

func (t *Table) forgetPostponed(c *Conn) {
	c.Memory.Give(c.table.postponed.cost)
	c.table.postponed = nil
}
