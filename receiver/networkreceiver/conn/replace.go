// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"slices"
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// doubtSYN notes a SYN on a connection of a capture file that is established. It may
// be forged: its receiver answers by a challenge (RFC 5961, section 4.2). It opens a
// connection that replaces this one if the other end takes it up.
func (t *Table) doubtSYN(c *Conn, seg *capture.Segment) {
	if c.table.syn != nil && c.answersSYN(seg) {
		if c = t.replace(c); c != nil {
			t.follow(c, seg)
		}
		return
	}
	t.forgetSYN(c)
	if n := synCost(seg); n > maxPostponedBytes || !c.Memory.Take(n) {
		t.stats.OutOfWindow.Add(1)
		return
	}
	kept := *seg
	kept.Payload = slices.Clone(seg.Payload)
	c.table.syn = &kept
}

func synCost(seg *capture.Segment) int { return len(seg.Payload) + int(unsafe.Sizeof(*seg)) }

// answersSYN reports whether seg belongs to the connection that the noted SYN opens.
// A SYN whose number is that of the connection's next byte proves nothing by that.
func (c *Conn) answersSYN(seg *capture.Segment) bool {
	syn := c.table.syn
	d := c.direction(syn)
	first := syn.Seq + 1
	next := first + uint32(syn.WireLen)
	if seg.Flags&capture.ACK == 0 {
		return false
	}
	if c.direction(seg) == d {
		return seg.Flags&(capture.SYN|capture.RST) == 0 && (seg.Seq == first || seg.Seq == next) &&
			seg.Seq != c.table.halves[d].stream.Next()
	}
	if seg.Ack != first && seg.Ack != next {
		return false
	}
	return seg.Flags&capture.SYN != 0 || seg.Ack != c.table.halves[d].stream.Next()
}

// replace ends a connection in favour of the one that the noted SYN opens. It returns
// that one, or nil if there is no memory for it.
func (t *Table) replace(c *Conn) *Conn {
	syn := c.table.syn
	c.Memory.Give(synCost(syn))
	c.table.syn = nil
	t.close(c, syn.Time, ReasonReused)
	if c = t.openHandshake(syn); c != nil {
		t.follow(c, syn)
	}
	return c
}

// forgetSYN counts the noted SYN as one that nobody has answered.
func (t *Table) forgetSYN(c *Conn) {
	if syn := c.table.syn; syn != nil {
		c.Memory.Give(synCost(syn))
		c.table.syn = nil
		t.stats.OutOfWindow.Add(1)
	}
}
