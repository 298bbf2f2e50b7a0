// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// firstAlloc is how much is allocated at most for a body before its bytes come.
const firstAlloc = 16 << 10

// body collects the kept part of one message's body.
type body struct {
	left     uint64 // bytes to come of the body (byLength) or the chunk (byChunks)
	exact    bool   // left is all that is to come of the body
	size     uint64 // transferred bytes so far, lost ones included
	kept     []byte
	reserved int    // granted by Sink.Keep for kept
	cut      string // why no more is kept: Content.Truncated
}

// take adds bytes that were seen. They are still counted in left.
func (b *body) take(p []byte, limit int, sink dissect.Sink) {
	b.size += uint64(len(p))
	if b.cut != "" || len(p) == 0 {
		return
	}
	fits := p[:min(len(p), max(limit-len(b.kept), 0))]
	if !b.grow(len(fits), limit, sink) {
		return
	}
	b.kept = append(b.kept, fits...)
	if len(fits) < len(p) {
		b.cut = "limit"
		sink.Limit("body_bytes")
	}
}

// grow makes room for n more bytes, twice the room of before, but no more than can
// still come. It reports whether the memory was granted.
func (b *body) grow(n, limit int, sink dissect.Sink) bool {
	have, need := cap(b.kept), len(b.kept)+n
	if need <= have {
		return true
	}
	want, toCome := max(need, 2*have), uint64(len(b.kept))+b.left
	if b.exact && toCome < uint64(want) {
		want = int(toCome)
	}
	if toCome <= firstAlloc {
		want = max(want, int(toCome))
	}
	want = min(want, limit)
	if !sink.Keep(want - have) {
		b.cut = "memory"
		return false
	}
	b.reserved += want - have
	grown := make([]byte, len(b.kept), want)
	copy(grown, b.kept)
	b.kept = grown
	return true
}

// skip adds n bytes that were lost. What comes after a hole is not kept, so that
// nothing is joined that was not together.
func (b *body) skip(n uint64) {
	b.size += n
	if b.cut == "" {
		b.cut = "gap"
	}
}
