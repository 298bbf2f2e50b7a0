// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

const (
	maxSkipped = 8   // records, or chunks, that are left out to find what fits
	maxSteps   = 512 // records and chunks until both fit
	someSteps  = 64  // likewise, with some left out
	fewSteps   = 8   // likewise, where it may be by chance
)

// match looks for the next place at which records and chunks fit: after leaving out skip
// records and without chunks. NeedMore: what comes next will tell. If it must not be
// waited for, what fits by now is taken.
func (a *aligner) match(force bool) (skip, without int, v dissect.Verdict) {
	if a.doubt && !force && !a.due() && !a.seeksAgain() {
		return 0, 0, dissect.NeedMore
	}
	if !a.c.cipher.Known && a.c.overhead == 0 {
		return a.guessOverhead(force)
	}
	return a.matchHere(force)
}

// seekAfter is after how much more plaintext a place to join is looked for again, as 1/n of
// what there is: that goes through all that waits.
const seekAfter = 8

func (a *aligner) seeksAgain() bool {
	n := len(a.chunks)
	if n >= a.soughtAt && n < a.soughtAt+a.soughtAt/seekAfter {
		return false
	}
	a.soughtAt = n
	return true
}

// matchHere takes the overhead that is known or tried.
func (a *aligner) matchHere(force bool) (skip, without int, v dissect.Verdict) {
	if a.doubt && len(a.records) > 0 {
		if skip, without, v = a.join(force); v != dissect.No || a.matched {
			return skip, without, v
		}
	}
	return a.matchAll(force)
}

func (a *aligner) matchAll(force bool) (skip, without int, v dissect.Verdict) {
	records, chunks := 0, 0
	if a.maySkip() {
		for records < min(maxSkipped, len(a.records)) && !a.records[records].isHole {
			records++
		}
	}
	if a.loose {
		chunks = min(maxSkipped, len(a.chunks))
	}
	a.enough = 0
	least := 0
	if !a.due() {
		least = min(a.tickets(), records)
	}
	waits := false
	steps := maxSteps
	for total := least; total <= min(records+chunks, maxSkipped); total++ {
		for skip = min(total, records); skip >= max(least, total-chunks); skip-- {
			if a.doubt && a.impossible(skip, total-skip) {
				continue
			}
			switch a.fit(skip, total-skip, steps) {
			case dissect.Yes:
				if waits && a.matched && !a.loose && !force && !a.due() {
					return 0, 0, dissect.NeedMore // rather without leaving out
				}
				return skip, total - skip, dissect.Yes
			case dissect.NeedMore:
				waits = true
			default: // No
			}
		}
		steps = someSteps
	}
	for skip = range least { // a server that speaks first
		if a.fit(skip, 0, fewSteps) == dissect.Yes {
			return skip, 0, dissect.Yes
		}
	}
	if waits {
		return 0, 0, dissect.NeedMore
	}
	return 0, 0, dissect.No
}

// tickets is how many of the first records from the server are no answer: the server had
// nothing to answer yet.
func (a *aligner) tickets() (n int) {
	c := a.c
	if a.matched || !c.cipher.TLS13 || a.d != toClient || !c.asks {
		return 0
	}
	for _, r := range a.records {
		early := int32(r.mark.Ack-c.firstAsked) <= 0 || n > 0 && r.size == a.records[0].size
		if r.isHole || !early {
			break
		}
		n++
	}
	return n
}

// maySkip tells whether a record of application data can carry something else.
func (a *aligner) maySkip() bool { return a.loose || a.c.cipher.TLS13 || !a.c.cipher.Known }

// fit tells whether an end of a record and an end of a chunk come together, from a record
// and a chunk on, in so many steps.
func (a *aligner) fit(record, chunk, steps int) dissect.Verdict {
	var sealed, plain, before uint64
	for i := range min(chunk, len(a.chunks)) {
		before += a.chunks[i].left
	}
	for range steps {
		if sealed < plain {
			if record >= len(a.records) || a.records[record].isHole {
				return dissect.NeedMore
			}
			n, ok := a.carries(&a.records[record], sealed, plain, chunk)
			if !ok {
				a.want(before + sealed + n)
				return dissect.NeedMore
			}
			sealed += n
			record++
		} else {
			if chunk >= len(a.chunks) {
				a.want(before + max(sealed, 1))
				return dissect.NeedMore
			}
			plain += a.chunks[chunk].left
			chunk++
		}
		if sealed == plain && sealed > 0 {
			return dissect.Yes
		}
	}
	return dissect.No
}

// carries is the plaintext of a record, after so much of other records, where so much
// plaintext is before chunk i. It is not ok where the cipher pads and more chunks have to
// tell; then it is the least that it can be.
func (a *aligner) carries(r *wire, sealed, plain uint64, i int) (n uint64, ok bool) {
	low, high := a.length(r)
	if low == high {
		return uint64(high), true
	}
	end := a.endFrom(plain, sealed+uint64(low), i)
	if end == 0 {
		return uint64(low), false
	}
	return min(uint64(high), end-sealed), true
}

// endFrom is the first end of a chunk that is not before least, 0 if there is none yet. So
// many bytes of plaintext are before chunk i.
func (a *aligner) endFrom(plain, least uint64, i int) uint64 {
	for ; plain < least; i++ {
		if i >= len(a.chunks) {
			return 0
		}
		plain += a.chunks[i].left
	}
	return plain
}

// want says that nothing more can be told before there are n bytes of chunks.
func (a *aligner) want(n uint64) {
	if a.enough == 0 || n < a.enough {
		a.enough = n
	}
}

// length bounds the plaintext of a record.
func (a *aligner) length(r *wire) (low, high int) {
	switch c := &a.c.cipher; {
	case !c.Known:
		return fixed(r.size - a.c.overhead)
	case !c.Pads:
		return fixed(r.size - c.Overhead)
	default:
		high = max(0, r.size-c.Overhead-1) // at least one byte of padding
		return max(0, high-blockBytes+1), min(high, maxPlain)
	}
}

func fixed(n int) (low, high int) {
	n = max(0, min(n, maxPlain))
	return n, n
}
