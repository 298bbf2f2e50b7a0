// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"
)

// maxTrim is how far ahead the capture is told at a time. Comparing sequence
// numbers allows for twice as much; the rest is for segments that were captured
// and not taken yet.
const maxTrim = 1 << 30

// Spare says that the next stage needs none of the bytes of a direction before
// offset (as in Mark), so that the capture need not copy them. Those that do not
// come are handed over by Sink.Spared. It replaces what was said before; an offset
// that has passed (0) takes it back. Without a capture that can leave out bytes,
// and for UDP, it does nothing.
func (c *Conn) Spare(d Dir, offset uint64) {
	h := &c.table.halves[d]
	if h.t == nil || h.t.settings.Trimmer == nil || !c.Live || c.Transport != capture.TCP || h.ended {
		return
	}
	h.skip = offset
	h.trim()
}

// trim tells the capture how far bytes are not needed, if that is news.
func (h *half) trim() {
	if !h.stream.Started() {
		return
	}
	at := h.stream.Offset()
	if h.skip <= at {
		h.untrim()
		return
	}
	next := h.stream.Next()
	until := next + uint32(min(h.skip-at, maxTrim))
	if h.trimmed && (h.until == until || h.skip-at > maxTrim && reassembly.Distance(next, h.until) > maxTrim/2) {
		return
	}
	h.trimmed, h.until = true, until
	h.t.settings.Trimmer.Trim(h.c.Socket, h.side(), until)
}

// untrim takes back what the capture was told.
func (h *half) untrim() {
	h.skip = 0
	if h.trimmed {
		h.trimmed = false
		h.t.settings.Trimmer.Untrim(h.c.Socket, h.side())
	}
}

// side is the direction as the capture knows it.
func (h *half) side() capture.Direction {
	if h.dir == In {
		return capture.Ingress
	}
	return capture.Egress
}

// leaveOut hands over n missing bytes, as far as they are not needed. It gives the
// rest and where that begins.
func (h *half) leaveOut(m Mark, n uint64) (Mark, uint64) {
	if h.skip <= m.Offset {
		return m, n
	}
	k := min(n, h.skip-m.Offset)
	h.t.sink.Spared(h.c, h.dir, m, k)
	m.Offset += k
	m.Seq += uint32(k)
	return m, n - k
}

// passOver hands over what is missing before seq, as far as it is not needed: of
// such bytes the capture tells only now and then.
func (h *half) passOver(seq uint32, now int64) {
	if h.skip == 0 || h.ended || h.stream.Floating() {
		return
	}
	missing := min(reassembly.Distance(h.stream.Next(), seq), h.toSkip())
	if missing > 0 {
		next := h.stream.Next()
		h.t.assembler.GiveUpTo(&h.stream, next+uint32(missing), now, h)
		h.watch(next)
	}
}

// toSkip is how many of the next bytes are not needed, as far as sequence numbers
// tell.
func (h *half) toSkip() int {
	if at := h.stream.Offset(); h.skip > at {
		return int(min(h.skip-at, maxTrim))
	}
	return 0
}
