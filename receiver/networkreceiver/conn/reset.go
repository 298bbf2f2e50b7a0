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

// rstWindow is how far a reset may be from the next byte to be looked at.
const rstWindow = 2 << 20

var _ capture.ResetHandler = (*Table)(nil)

// pendingReset is a reset of which it is not known whether its receiver believes it.
// It does so only if the reset has exactly the next sequence number, and answers any
// other one in its window by a challenge (RFC 5961, section 3.2). But bytes that the
// capture has lost make a good reset look like a bad one, and a reset that looks good
// may have a checksum or an option that its receiver refuses. So what follows decides.
type pendingReset struct {
	dir   Dir
	seq   uint32
	time  int64
	exact bool
	next  [2]uint32 // next byte of each direction when it came
	// held is what came after an exact reset in a capture file: it belongs to the
	// connection only if that lives.
	held []capture.Segment
	cost int
}

// Reset implements capture.ResetHandler.
func (t *Table) Reset(socket uint64, now int64) {
	if c := t.sockets[socket]; c != nil {
		t.close(c, now, ReasonRST)
	}
}

// reset takes a RST segment of h.
func (t *Table) reset(c *Conn, h, other *half, seg *capture.Segment) {
	switch {
	case c.Live && h.dir == Out:
		t.closeReset(c, h, seg.Seq, seg.Time)
	case !h.stream.Started():
		if seg.Flags&capture.ACK == 0 || !other.refused(seg.Ack) {
			t.stats.RSTIgnored.Add(1)
		} else if !c.Live {
			t.close(c, seg.Time, ReasonRST)
		}
	default:
		t.doubtReset(c, h, other, seg)
	}
}

// refused reports whether a reset that acknowledges ack refuses the SYN of h.
func (h *half) refused(ack uint32) bool {
	first := h.stream.Next()
	if h.hasISN {
		first = h.isn + 1
	}
	return h.stream.Started() && fits(first, ack, reassembly.Distance(first, h.stream.Next()))
}

// doubtReset notes a reset, unless it is too far off. Live, the kernel tells whether it
// believes it: see Reset.
func (t *Table) doubtReset(c *Conn, h, other *half, seg *capture.Segment) {
	window := rstWindow
	if t.lossy() {
		window = t.window()
	}
	exact := h.isNext(seg.Seq)
	if !within(h.stream.Next(), seg.Seq, window) {
		t.stats.RSTIgnored.Add(1)
		return
	}
	if p := c.table.reset; p != nil {
		if p.exact || !exact {
			return
		}
		t.forgetReset(c)
	}
	p := &pendingReset{dir: h.dir, seq: seg.Seq, time: seg.Time, exact: exact}
	p.next[h.dir], p.next[h.dir.Other()] = h.stream.Next(), other.stream.Next()
	c.table.reset = p
	t.touch(c)
}

// isNext reports whether seq is the next number of h. Its FIN has one too.
func (h *half) isNext(seq uint32) bool {
	d := reassembly.Distance(h.stream.Next(), seq)
	return d == 0 || d == 1 && (h.ended || h.stream.FINSeen())
}

// passReset reports whether a segment is followed that comes after a reset. If it
// shows that the connection lives, what was held back is followed before it.
func (t *Table) passReset(c *Conn, seg *capture.Segment) bool {
	p := c.table.reset
	if !p.refutedBy(c, seg) {
		if c.Live || !p.exact {
			return true
		}
		if !p.keep(&c.Memory, seg) {
			t.stats.Late.Add(1)
		}
		return false
	}
	t.stats.RSTIgnored.Add(1)
	t.forgetReset(c)
	for i := range p.held {
		t.follow(c, &p.held[i])
	}
	return true
}

// refutedBy reports whether a segment shows that the connection lives on. Bytes of
// the receiver of a reset may have been on their way, and those of its sender too if
// somebody else has sent it: each end has to answer the other.
func (p *pendingReset) refutedBy(c *Conn, seg *capture.Segment) bool {
	d := c.direction(seg)
	end := seg.Seq + uint32(seg.WireLen)
	if seg.Flags&capture.FIN != 0 {
		end++
	}
	ack := seg.Flags&capture.ACK != 0
	switch bySender := d == p.dir; {
	case c.Live:
		return after(p.next[d], end)
	case p.exact && bySender:
		return after(p.seq, end) && ack && after(p.next[d.Other()], seg.Ack)
	case p.exact:
		return ack && after(p.seq, seg.Ack)
	case bySender:
		return after(p.next[d], end)
	default: // the challenge
		return ack && seg.WireLen == 0 && seg.Ack == p.next[p.dir]
	}
}

// after reports whether seq lies after from, and not so far that it says nothing.
func after(from, seq uint32) bool {
	d := reassembly.Distance(from, seq)
	return d > 0 && d <= rstWindow
}

func (p *pendingReset) keep(memory *budget.Account, seg *capture.Segment) bool {
	n := len(seg.Payload) + int(unsafe.Sizeof(*seg))
	if len(p.held) >= maxPostponed || p.cost+n > maxPostponedBytes || !memory.Take(n) {
		return false
	}
	p.cost += n
	kept := *seg
	kept.Payload = slices.Clone(seg.Payload)
	p.held = append(p.held, kept)
	return true
}

// decides reports whether the connection is over if nothing else comes. Live, the kernel
// would have told of a reset that is not exact, had it believed it.
func (p *pendingReset) decides(c *Conn) bool { return p.exact || !c.Live }

func (t *Table) forgetReset(c *Conn) {
	c.Memory.Give(c.table.reset.cost)
	c.table.reset = nil
	t.touch(c)
}

// settleReset returns when and why a connection ends that is ended for r: by its reset,
// if nothing has shown that it outlived that.
func (t *Table) settleReset(c *Conn, now int64, r Reason) (int64, Reason) {
	p := c.table.reset
	if p == nil {
		return now, r
	}
	t.forgetReset(c)
	t.stats.Late.Add(uint64(len(p.held)))
	if r == "" || r == ReasonFIN || r == ReasonElsewhere || r != ReasonRST && !p.decides(c) {
		t.stats.RSTIgnored.Add(1)
		return now, r
	}
	t.giveUpToReset(&c.table.halves[p.dir], p.seq, p.time)
	return p.time, ReasonRST
}

// closeReset ends a connection by a reset that is believed.
func (t *Table) closeReset(c *Conn, h *half, seq uint32, now int64) {
	t.giveUpToReset(h, seq, now)
	t.close(c, now, ReasonRST)
}

// giveUpToReset declares lost what is missing before a reset: it carries the number of
// the next byte to send.
func (t *Table) giveUpToReset(h *half, seq uint32, now int64) {
	if missing := reassembly.Distance(h.stream.Next(), seq); !h.ended && h.stream.Started() &&
		missing > 1 && missing <= t.window() {
		t.stats.HolesClosed.Add(uint64(t.assembler.GiveUpTo(&h.stream, seq, now, h)))
	}
}

// within reports whether seq is at most window before or after next.
func within(next, seq uint32, window int) bool {
	d := reassembly.Distance(next, seq)
	return -window <= d && d <= window
}

// resetByAddress takes a RST of no known socket. The kernel answers for a socket
// that is gone with a socket of its own; for one that lives too, where a handshake is
// answered wrongly, so that only the next number, or a socket that the process has
// closed, says that it is gone.
func (t *Table) resetByAddress(seg *capture.Segment) {
	if seg.Direction == capture.Egress {
		local, remote := ends(seg)
		c := t.wires[wireFlow(local, remote, seg.NetNS)]
		for ; c != nil; c = c.table.wireNext {
			if c.Transport != capture.TCP || c.table.wireLocal != local || c.table.wireOther != remote {
				continue
			}
			h := &c.table.halves[Out]
			if h.stream.Started() && (h.isNext(seg.Seq) || h.ended && within(h.stream.Next(), seg.Seq, rstWindow)) {
				t.close(c, seg.Time, ReasonRST)
				return
			}
		}
	}
	t.stats.Unmatched.Add(1)
}
