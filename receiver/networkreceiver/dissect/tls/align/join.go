// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"slices"
	"sort"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Where plaintext is shown from some point on only, or records were lost, messages of one
// length after the other fit each other's records as well. Then the anchor and times
// decide: a library gives what it read soon after the record has come, never before, and
// what it is given leaves soon before or after its function returns.

// Bounds of looking for where that is.
const (
	nearRecords = 4    // on either side of a chunk's time
	nearChunks  = 16   // likewise, of a record's
	maxWalk     = 64   // records of one call
	maxCompared = 256  // records and chunks
	maxPieces   = 8    // of the wire, between losses
	maxPairs    = 8    // calls that are compared
	maxTurns    = 8    // turns that are tried
	pairsAlone  = 3    // so many decide without an anchor
	pairsAgreed = 2    // and with one
	farApart    = 50e6 // ns; what is not nearer has to be waited for
	mostOdd     = 6    // of so many turns one may be odd: a thread may be late with telling
	tolerance   = 2e5  // ns by which times may differ by chance
)

// start is a place from which records and chunks may go on together.
type start struct {
	skip, without int
	apart         int64 // ns between what the wire and what the library tells, on average
	last          int64 // when the last of these calls was shown
	pairs         int   // of so many calls
	anchor        verdict
	lengths       int  // different ones, of what came between the ends of calls
	misfits       int  // ends that are not where a library would have put them
	turns         int  // of the wire and of the library, together
	oddTurns      int  // of one of them, or in another order
	ordered       int  // calls between what the other side did before and after them
	late          bool // most was read after the answer to it was sent, which an earlier record only makes worse
}

// takesTurns tells whether both sides take turns at this place, on the wire and in the
// library. Whoever is late with reading, or with sending what was written, is not so when
// a turn begins.
func (p *start) takesTurns() bool {
	return p.turns > 0 && mostOdd*p.oddTurns <= p.turns+p.ordered && p.misfits == 0
}

// isPlain tells whether lengths alone say that this is the place: too many different ones
// fit for that to be by chance.
func (p *start) isPlain() bool { return p.misfits == 0 && p.lengths >= pairsAlone }

// better tells whether p is to be preferred. What the anchor says weighs more than times.
func (p *start) better(q *start) bool {
	if p.anchor != q.anchor {
		return p.anchor < q.anchor
	}
	if p.takesTurns() != q.takesTurns() {
		return p.takesTurns()
	}
	if p.takesTurns() {
		if distance(p.apart-q.apart) <= tolerance && p.without != q.without {
			return p.without < q.without
		}
		return p.apart < q.apart
	}
	if p.late != q.late {
		return q.late
	}
	if p.isPlain() != q.isPlain() {
		return p.isPlain()
	}
	if p.isPlain() && p.pairs != q.pairs {
		return p.pairs > q.pairs
	}
	return p.weighed() < q.weighed()
}

// weighed is by how much the times of p count against it. A few that are close by chance
// do not outweigh many.
func (p *start) weighed() int64 {
	if p.pairs < pairsAlone {
		return 4*p.apart + tolerance
	}
	return p.apart
}

// join looks for that place. Between two losses there may be none, or none that is
// certain; then one after them is.
func (a *aligner) join(force bool) (skip, without int, v dissect.Verdict) {
	a.enough = 0
	var first start
	found := false
	for from, pieces := 0, 0; from < len(a.records) && pieces < maxPieces; pieces++ {
		to := a.untilHole(from)
		best, ok := a.nearest(from, to)
		if ok && a.certain(&best) {
			return a.goOn(best)
		}
		if ok && !found && a.likely(&best) {
			first, found = best, true
		}
		from = to + 1
	}
	switch last := force || a.due(); {
	case !last:
		return 0, 0, dissect.NeedMore
	case !found:
		return 0, 0, dissect.No
	}
	return a.goOn(first)
}

// goOn decides for a place.
func (a *aligner) goOn(p start) (skip, without int, v dissect.Verdict) {
	if p.anchor != agrees {
		a.anchor = anchor{}
	}
	p = a.earlier(p)
	return p.skip, p.without, dissect.Yes
}

// certain tells whether nothing that can still come will be better.
func (a *aligner) certain(p *start) bool {
	at := a.chunks[p.without].time
	switch {
	case !a.matched && a.c.wireTime < p.last: // its record may not have been taken from the capture
		return false
	case p.anchor != contradicts && p.takesTurns() && p.pairs > 0 && a.isUsual(p) && (a.matched || p.ordered >= pairsAgreed):
		return a.c.wireTime-at > p.apart
	case p.late, p.anchor == contradicts, !a.isUsual(p) && (p.takesTurns() || !p.isPlain()):
		return false
	case p.anchor == agrees && p.pairs < pairsAgreed, p.anchor == unknown && p.pairs < pairsAlone:
		return false
	}
	last := max(a.now, a.records[len(a.records)-1].mark.Time)
	return last-at > p.apart
}

// likely tells whether a place is good enough if there is none that is certain. What has
// never fitted has nothing to lose.
func (a *aligner) likely(p *start) bool {
	return !a.matched || (p.isPlain() || a.isUsual(p)) && (p.anchor == agrees || p.pairs >= pairsAlone)
}

// isUsual tells whether the times are as close as they have been before.
func (a *aligner) isUsual(p *start) bool {
	if !a.matched {
		return p.apart <= farApart
	}
	return p.apart <= 4*a.usual+tolerance
}

// nearest is the best place among those at which the times of a record and of a chunk are
// close: of the first of these records, and of the first chunks.
func (a *aligner) nearest(from, to int) (best start, found bool) {
	take := func(s, w int) {
		if p, ok := a.compare(s, w); ok && (!found || p.better(&best)) {
			best, found = p, true
		}
	}
	for s := from; s < min(from+nearRecords, to); s++ {
		at := a.records[s].mark.Time
		near := sort.Search(len(a.chunks), func(i int) bool { return a.chunks[i].time >= at })
		for w := max(0, near-nearChunks); w < min(len(a.chunks), near+nearChunks); w++ {
			take(s, w)
		}
	}
	a.atTurns(from, to, take)
	for w := range min(nearChunks, len(a.chunks)) {
		at, n := a.chunks[w].time, a.sameCall(w)
		near := from + sort.Search(to-from, func(i int) bool { return a.records[from+i].mark.Time > at })
		for e := max(from, near-nearRecords); e < min(to, near+nearRecords); e++ {
			if s := a.walkBack(e, n); s >= from {
				take(s, w)
			}
		}
	}
	return best, found
}

// atTurns takes the first turns of the wire and of the library.
func (a *aligner) atTurns(from, to int, take func(s, w int)) {
	records := 0
	for s := from; s < to && records < maxTurns; s++ {
		if a.records[s].turn == goesOn {
			continue
		}
		records++
		chunks := 0
		for w := 0; w < len(a.chunks) && chunks < maxTurns; w++ {
			if agree(a.records[s].turn, a.chunks[w].turn) {
				take(s, w)
				chunks++
			}
		}
	}
}

// endsCall tells whether a chunk is the last one, so far, of a call of the library.
func (a *aligner) endsCall(w int) bool {
	return w+1 == len(a.chunks) || a.chunks[w+1].time != a.chunks[w].time
}

// sameCall is how many bytes come with a chunk from the same call of the library.
func (a *aligner) sameCall(w int) (n uint64) {
	for _, c := range a.chunks[w:] {
		if c.time != a.chunks[w].time || c.missing() {
			break
		}
		n += c.left
	}
	return n
}

// untilHole is where the records end that follow each other from one on.
func (a *aligner) untilHole(from int) int {
	if i := slices.IndexFunc(a.records[from:], func(r wire) bool { return r.isHole }); i >= 0 {
		return from + i
	}
	return len(a.records)
}

// walkBack gives the record at which n bytes begin that end with record e, or -1.
func (a *aligner) walkBack(e int, n uint64) int {
	var carried uint64
	for s := e; s >= 0 && s > e-maxWalk && !a.records[s].isHole; s-- {
		_, high := a.length(&a.records[s])
		if carried += uint64(high); carried >= n {
			return s
		}
	}
	return -1
}

// earlier goes back from a place to the first one from which both go on as they do there:
// nothing is missing in between, so that lengths are enough.
func (a *aligner) earlier(p start) start {
	for {
		q, ok := a.stepBack(p)
		if !ok {
			return p
		}
		c, r := &a.chunks[q.without], &a.records[q.skip]
		if a.read && c.time < r.mark.Time || p.anchor == agrees && a.check(c.at, r.mark.Offset) != agrees {
			return p
		}
		p = q
	}
}

// stepBack goes back to the place before, at which a record and a chunk begin together.
func (a *aligner) stepBack(p start) (q start, ok bool) {
	q = p
	var low, high, plain uint64
	for range someSteps {
		if plain < low {
			if q.without--; q.without < 0 || a.chunks[q.without].missing() {
				return p, false
			}
			plain += a.chunks[q.without].left
		} else {
			if q.skip--; q.skip < 0 || a.records[q.skip].isHole {
				return p, false
			}
			least, most := a.length(&a.records[q.skip])
			low, high = low+uint64(least), high+uint64(most)
		}
		if low <= plain && plain <= high && plain > 0 {
			return q, true
		}
	}
	return p, false
}
