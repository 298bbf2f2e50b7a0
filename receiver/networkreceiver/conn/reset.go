// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"
)

// rstWindow is how far a reset may be from the next byte. A reset that is forged
// without sight of the connection hits it once in a thousand times.
const rstWindow = 2 << 20

// reset takes a RST segment of h.
func (t *Table) reset(c *Conn, h, other *half, seg *capture.Segment) {
	if !t.believable(c, h, other, seg) {
		t.stats.RSTIgnored.Add(1)
		return
	}
	// A reset carries the number of the next byte to send.
	if missing := reassembly.Distance(h.stream.Next(), seg.Seq); !h.ended && h.stream.Started() &&
		missing > 1 && missing <= t.window() {
		t.stats.HolesClosed.Add(uint64(t.assembler.GiveUpTo(&h.stream, seg.Seq, seg.Time, h)))
	}
	t.close(c, seg.Time, ReasonRST)
}

// believable reports whether a reset is the connection's own. What a local socket
// sends is.
func (t *Table) believable(c *Conn, h, other *half, seg *capture.Segment) bool {
	window := rstWindow
	if t.lossy() {
		window = t.window()
	}
	switch {
	case c.Live && h.dir == Out:
		return true
	case h.stream.Started():
		return within(h.stream.Next(), seg.Seq, window)
	case other.stream.Started() && seg.Flags&capture.ACK != 0: // a SYN was refused
		return within(other.stream.Next(), seg.Ack, window)
	}
	return false
}

// within reports whether seq is at most window before or after next.
func within(next, seq uint32, window int) bool {
	d := reassembly.Distance(next, seq)
	return -window <= d && d <= window
}

// resetByAddress takes a RST of no known socket. The kernel answers for a socket
// that is gone with a socket of its own.
func (t *Table) resetByAddress(seg *capture.Segment) {
	if seg.Direction == capture.Egress {
		local, remote := ends(seg)
		c := t.wires[wireFlow(local, remote, seg.NetNS)]
		for ; c != nil; c = c.table.wireNext {
			if c.Transport != capture.TCP || c.table.wireLocal != local || c.table.wireOther != remote {
				continue
			}
			h := &c.table.halves[Out]
			if h.stream.Started() && within(h.stream.Next(), seg.Seq, rstWindow) {
				t.close(c, seg.Time, ReasonRST)
				return
			}
		}
	}
	t.stats.Unmatched.Add(1)
}
