// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// firstAlloc is how much is allocated at most for a body before its bytes come.
const firstAlloc = 16 << 10

// Body collects the kept part of one message's body.
type Body struct {
	Size     uint64 // transferred bytes so far, lost ones included
	Kept     []byte
	Reserved int    // granted by Sink.Keep for Kept
	Cut      string // why no more is kept: Content.Truncated

	stream Stream // who reads it while it comes
}

// Take adds bytes that were seen. toCome is how many bytes are known to come, these
// included, and exact says that they are all that is to come of the body.
func (b *Body) Take(p []byte, toCome uint64, exact bool, limit int, sink dissect.Sink) {
	b.Size += uint64(len(p))
	if b.Cut != "" || len(p) == 0 {
		return
	}
	fits := p[:min(len(p), max(limit-len(b.Kept), 0))]
	if !b.grow(len(fits), toCome, exact, limit, sink) {
		return
	}
	b.Kept = append(b.Kept, fits...)
	if len(fits) < len(p) {
		b.Cut = "limit"
		sink.Limit("body_bytes")
	}
}

// grow makes room for n more bytes: twice the room of before, or all that is to
// come as soon as a quarter of it is there. It reports whether the memory was granted.
func (b *Body) grow(n int, toCome uint64, exact bool, limit int, sink dissect.Sink) bool {
	have, need := cap(b.Kept), len(b.Kept)+n
	if need <= have {
		return true
	}
	want, whole := max(need, 2*have), uint64(len(b.Kept))+toCome
	switch {
	case whole <= firstAlloc:
		want = max(want, int(whole))
	case exact && whole <= 4*uint64(need): // a good part of what was promised is there
		want = int(whole)
	case exact:
		want = max(want, firstAlloc)
	}
	want = min(want, limit)
	if !sink.Keep(want - have) {
		// What is left may do for a smaller step.
		want = min(want, need+need/8)
		if !sink.Keep(want - have) {
			b.Cut = "memory"
			return false
		}
	}
	b.Reserved += want - have
	grown := make([]byte, len(b.Kept), want)
	copy(grown, b.Kept)
	b.Kept = grown
	return true
}

// Lose adds n bytes that were lost. What comes after a hole is not kept, so that
// nothing is joined that was not together.
func (b *Body) Lose(n uint64) {
	b.Size += n
	b.stream.lose(n, dissect.ReasonGap)
	b.Truncate("gap")
}

// Truncate notes why the body is not whole, unless something earlier cut it.
func (b *Body) Truncate(why string) {
	if b.Cut == "" {
		b.Cut = why
	}
}

// Finish gives the kept body its final form: codings removed, the last applied
// first. It reports whether the body is not what its codings say.
func (b *Body) Finish(content *dissect.Content, codings []string, limit int, sink dissect.Sink) (damaged bool) {
	content.BodySize, content.KeptSize = b.Size, uint64(len(b.Kept))
	if len(codings) > 0 && len(b.Kept) > 0 {
		damaged = b.decode(content, codings, limit, sink)
	}
	content.Body, content.Truncated = b.Kept, b.Cut
	return damaged
}

// decode replaces the kept body by its decoded form. Where nothing could be
// decoded it stays as it was.
func (b *Body) decode(content *dissect.Content, codings []string, limit int, sink dissect.Sink) (damaged bool) {
	content.Coding = strings.Join(codings, ", ")
	out, err := decode(b.Kept, codings, b.Cut == "", limit, sink)
	switch {
	case err == nil:
	case err == errTooLarge:
		sink.Limit("decoded_bytes")
		b.Truncate("decode_limit")
	case err == errNoMemory:
		b.Truncate("memory")
	case err == errNotCoded:
		damaged = true
	case err != errUnsupported && b.Cut == "":
		damaged = true
		if len(out.data) > 0 {
			b.Cut = "incomplete"
		}
	}
	if err != nil && len(out.data) == 0 {
		content.DecodeError = true
		sink.Release(out.reserved)
		return damaged
	}
	sink.Release(b.Reserved)
	b.Kept, b.Reserved = out.data, out.reserved
	return damaged
}
