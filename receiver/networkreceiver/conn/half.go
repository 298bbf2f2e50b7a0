// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"
)

// half is one direction of a TCP connection.
type half struct {
	t   *Table
	c   *Conn
	dir Dir

	stream reassembly.Stream
	isn    uint32 // initial sequence number
	hasISN bool
	ended  bool
	// discard is set where nothing more may be delivered.
	discard bool
	// maybeFIN is set where the other end acknowledged one number more than was
	// sent: a FIN, or one byte, that the capture lost.
	maybeFIN bool
	fin      uint32 // number of that FIN or byte
	offset   uint64 // of the next byte, UDP only
	// acked is how far the other end has acknowledged, while soon waits for it.
	acked uint32
	// skip is the offset before which no bytes are needed, and until the sequence
	// number that the capture was told of it, if trimmed.
	skip    uint64
	until   uint32
	trimmed bool

	strays   int    // segments in a row too far off to be believed
	strayEnd uint32 // where the last of them ended

	hole node[half]
	soon node[half]
	// owed is where an end waits that is not told yet; when it came, and why.
	owed    node[half]
	owedAt  int64
	owedFor Reason
}

var _ reassembly.Receiver = (*half)(nil)

// Data passes bytes on.
func (h *half) Data(p reassembly.Position, b []byte) {
	h.t.sink.Data(h.c, h.dir, Mark(p), b)
	if h.skip > 0 {
		h.trim()
	}
}

// Gap passes a gap on, but for what is not needed.
func (h *half) Gap(p reassembly.Position, n uint64) {
	m, n := h.leaveOut(Mark(p), n)
	if n > 0 {
		h.t.stats.Gaps.Add(1)
		h.t.stats.GapBytes.Add(n)
		h.t.sink.Gap(h.c, h.dir, m, n)
	}
	if h.skip > 0 {
		h.trim()
	}
}

// start says with which sequence number the direction starts.
func (h *half) start(isn uint32) {
	h.isn, h.hasISN = isn, true
	if !h.stream.Started() {
		h.stream.Start(isn + 1)
	}
}

// urge notes the urgent byte of a segment. The pointer is that of the byte after it, as
// all systems have it (RFC 6093, section 2.1). A process gets this byte apart from the
// others, or not at all, unless it has set SO_OOBINLINE.
func (h *half) urge(seg *capture.Segment) {
	if h.stream.Urgent(seg.Seq + uint32(max(seg.UrgentPointer, 1)-1)) {
		h.t.stats.Urgent.Add(1)
	}
}

// insert takes a segment and counts what was notable about it.
func (h *half) insert(seg reassembly.Segment) {
	s := h.t.stats
	if seg.WireLen == 1 && seg.Seq+1 == h.stream.Next() {
		s.Probes.Add(1)
		return
	}
	o := h.t.assembler.Insert(&h.stream, seg, h)
	if o == (reassembly.Outcome{}) {
		return
	}
	if o.Duplicate {
		s.Retransmitted.Add(1)
	}
	if o.OutOfOrder {
		s.OutOfOrder.Add(1)
	}
	if o.Overlap {
		s.Overlapped.Add(1)
	}
	if o.Differs {
		s.Contradicted.Add(1)
	}
	if o.Refuted {
		s.OutOfWindow.Add(1)
	}
	if o.AfterFIN {
		s.AfterFIN.Add(1)
	}
	s.HolesLimited.Add(uint64(o.Limited))
}

// watch keeps the queues of holes up to date after next was the next byte.
func (h *half) watch(next uint32) {
	t := h.t
	if h.ended {
		return
	}
	if h.stream.Floating() {
		if h.soon.in == nil {
			t.soon.push(&h.soon, h, t.now)
			h.acked = h.stream.Next()
		}
		if _, n := h.stream.Held(); n >= settleSegments {
			t.assembler.Settle(&h.stream, h)
		}
	}
	if !h.waits() {
		h.hole.remove()
	} else if h.hole.in == nil || h.stream.Next() != next {
		t.holes.push(&h.hole, h, t.now)
	}
}

// waits reports whether a hole keeps back bytes or the FIN.
func (h *half) waits() bool {
	_, n := h.stream.Held()
	return n > 0 || h.stream.FINSeen() && !h.stream.Done()
}

// settleSegments is how many segments fix the start of a direction joined midway.
const settleSegments = 3
