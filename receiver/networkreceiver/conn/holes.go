// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import "github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"

// expireHoles gives up what did not come in time.
func (t *Table) expireHoles() {
	for h := t.soon.expired(t.now, reorderTimeout); h != nil; h = t.soon.expired(t.now, reorderTimeout) {
		h.soon.remove()
		t.conclude(h)
	}
	timeout := t.settings.HoleTimeout
	if t.lossy() {
		timeout = min(timeout, lossyHoleTimeout)
	}
	for h := t.holes.expired(t.now, timeout); h != nil; h = t.holes.expired(t.now, timeout) {
		h.hole.remove()
		t.expireHole(h)
	}
}

// expireHole gives up what did not come in time. If its receiver can be heard, and has
// not acknowledged it, then it may come yet, and what is behind it may be forged: a few
// segments wait until there are more of them, and a FIN alone is forgotten.
func (t *Table) expireHole(h *half) {
	next := h.stream.Next()
	_, held := h.stream.Held()
	doubtful := !t.lossy() && held < believeStrays && h.c.table.seen[h.dir.Other()]
	switch {
	case doubtful && held > 0:
		t.holes.push(&h.hole, h, t.now)
		return
	case doubtful:
		h.stream.ForgetFIN()
		t.stats.OutOfWindow.Add(1)
	case t.assembler.GiveUp(&h.stream, h):
		t.stats.HolesExpired.Add(1)
	default:
		t.stats.HolesExpired.Add(uint64(t.assembler.Flush(&h.stream, t.now, h)))
	}
	h.watch(next)
	t.finish(h.c, t.now)
}

// conclude ends the wait for segments that the capture may have reordered.
func (t *Table) conclude(h *half) {
	next := h.stream.Next()
	if h.stream.Floating() {
		t.assembler.Settle(&h.stream, h)
	} else {
		t.giveUpTo(h, h.acked, t.now)
	}
	h.watch(next)
	t.release(h.c)
	t.finish(h.c, t.now)
}

// giveUpTo declares what is missing before seq lost: its receiver has it.
func (t *Table) giveUpTo(h *half, seq uint32, now int64) {
	next := h.stream.Next()
	t.stats.HolesAcked.Add(uint64(t.assembler.GiveUpTo(&h.stream, seq, now, h)))
	h.watch(next)
}

// window is how far from the next byte a sequence number is believed. The capture
// may have lost much more than a receive window has.
func (t *Table) window() int {
	if t.lossy() {
		return 1 << 30
	}
	return 64 << 20
}

// near reports whether seq is believable as a number of h.
func (t *Table) near(h *half, seq uint32) bool {
	d := reassembly.Distance(h.stream.Next(), seq)
	return max(d, -d) <= t.window()
}
