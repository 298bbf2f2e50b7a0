// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"
)

// verdict tells what a SYN means for the connection with its addresses or socket.
type verdict uint8

const (
	synOfThis    verdict = iota // part of its handshake, or a retransmission
	synOfAnother                // a new connection that replaces it
	synDoubted                  // of a new connection, if somebody answers it
	synIgnored                  // forged, or of another time
)

// judge tells what a SYN or SYN-ACK means for c.
func (t *Table) judge(c *Conn, seg *capture.Segment) verdict {
	d := c.direction(seg)
	h, other := &c.table.halves[d], &c.table.halves[d.Other()]
	expected := !h.hasISN && !c.Midway && c.table.half
	switch {
	case h.hasISN && h.isn == seg.Seq:
		return synOfThis
	case expected && seg.Flags&capture.ACK == 0: // simultaneous open
		return synOfThis
	case expected && fits(other.isn+1, seg.Ack, reassembly.Distance(other.isn+1, other.stream.Next())):
		return synOfThis
	case expected || c.Live && d == In:
		// A connection that replaces this one would show itself at the listener.
		return synIgnored
	case c.Live || c.table.half || c.table.reset != nil && c.table.reset.exact:
		return synOfAnother
	}
	return synDoubted
}

// fits reports whether seq lies in [from, from+length].
func fits(from, seq uint32, length int) bool {
	d := reassembly.Distance(from, seq)
	return d >= 0 && d <= length
}

// learnHandshake takes what a segment with an acknowledgement says about the
// handshake. Established stays zero where the moment is not known exactly.
func (t *Table) learnHandshake(c *Conn, d Dir, seg *capture.Segment) {
	if c.Established != 0 || c.Midway {
		return
	}
	other := &c.table.halves[d.Other()]
	if seg.Flags&capture.SYN != 0 {
		if !other.hasISN {
			other.start(seg.Ack - 1)
		}
		if c.Live && d == In {
			// The socket is established when it takes the SYN-ACK.
			c.Established = seg.Time
			t.promote(c)
		}
		return
	}
	byInitiator := (d == Out) == (c.Initiator == InitiatorLocal)
	if !byInitiator || !other.hasISN || reassembly.Distance(other.isn, seg.Ack) <= 0 {
		return
	}
	t.promote(c)
	// A live capture has no bare acknowledgements: behind payload the handshake
	// may have been complete for long.
	if !c.Live || seg.WireLen == 0 && seg.Flags&capture.FIN == 0 {
		c.Established = seg.Time
	}
}

// promoteOnData marks a connection that carries bytes outside its handshake as
// established.
func (t *Table) promoteOnData(c *Conn, seg *capture.Segment) {
	if c.table.half && seg.Flags&capture.SYN == 0 {
		t.promote(c)
	}
}

// learnAddresses takes the first segment of each direction of a live connection:
// translated addresses differ between them.
func (t *Table) learnAddresses(c *Conn, d Dir, seg *capture.Segment) {
	if c.table.seen[d] {
		return
	}
	c.table.seen[d] = true
	if !c.Live {
		return
	}
	if d == In {
		if c.table.seen[Out] && c.Remote != seg.Source {
			c.RemoteNAT = c.Remote
		}
		c.Local, c.Remote = seg.Destination, seg.Source
	} else if c.table.seen[In] && c.Remote != seg.Destination {
		c.RemoteNAT = seg.Destination
	}
}

// isns gives the initial sequence numbers that are known.
func (c *Conn) isns() (isn [2]uint32, known [2]bool) {
	for d := range c.table.halves {
		isn[d], known[d] = c.table.halves[d].isn, c.table.halves[d].hasISN
	}
	return isn, known
}
