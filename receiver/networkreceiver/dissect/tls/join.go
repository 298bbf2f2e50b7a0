// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"slices"
	"sort"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Where plaintext is shown from some point on only, or records were lost, messages of one
// length after the other fit each other's records as well. Then times decide: a library
// gives what it read soon after the record has come, and what it is given leaves soon
// before or after its function returns.

// Bounds of looking for where that is.
const (
	nearRecords = 3  // on either side of a chunk's time
	nearChunks  = 16 // chunks that are tried
	maxWalk     = 64 // records of one call
)

// start is a place from which records and chunks may go on together.
type start struct {
	skip, without int
	apart         int64 // ns between what the wire and what the library tells
}

// join looks for that place.
func (a *aligner) join(force bool) (skip, without int, v dissect.Verdict) {
	best, found := start{}, false
	for w := range min(nearChunks, len(a.chunks)) {
		if a.chunks[w].b == nil {
			continue
		}
		if p, ok := a.joinChunk(w); ok && (!found || p.apart < best.apart) {
			best, found = p, true
		}
	}
	switch {
	case !found && (force || a.due()):
		return 0, 0, dissect.No
	case !found || !force && !a.due() && !a.seenBeyond(best):
		return 0, 0, dissect.NeedMore
	}
	best = a.earlier(best)
	return best.skip, best.without, dissect.Yes
}

// joinChunk looks for the record at which a chunk begins, among those of its time.
func (a *aligner) joinChunk(w int) (best start, found bool) {
	at := a.chunks[w].time
	n := a.sameCall(w)
	records := a.untilHole()
	near := sort.Search(records, func(i int) bool { return a.records[i].mark.Time > at })
	for e := max(0, near-nearRecords); e < min(records, near+nearRecords); e++ {
		s := a.walkBack(e, n)
		if s < 0 || a.fit(s, w, fewSteps) != dissect.Yes {
			continue
		}
		p := start{s, w, max(at-a.records[e].mark.Time, a.records[e].mark.Time-at)}
		if !found || p.apart < best.apart {
			best, found = p, true
		}
	}
	return best, found
}

// sameCall is how many bytes come with a chunk from the same call of the library.
func (a *aligner) sameCall(w int) (n uint64) {
	for _, c := range a.chunks[w:] {
		if c.time != a.chunks[w].time || c.b == nil {
			break
		}
		n += c.left
	}
	return n
}

func (a *aligner) untilHole() int {
	if i := slices.IndexFunc(a.records, func(r wire) bool { return r.isHole }); i >= 0 {
		return i
	}
	return len(a.records)
}

// walkBack gives the record at which n bytes begin that end with record e, or -1.
func (a *aligner) walkBack(e int, n uint64) int {
	var carried uint64
	for s := e; s >= 0 && s > e-maxWalk; s-- {
		_, high := a.length(&a.records[s])
		if carried += uint64(high); carried >= n {
			return s
		}
	}
	return -1
}

// seenBeyond tells whether no record can come any more that is nearer.
func (a *aligner) seenBeyond(p start) bool {
	last := max(a.now, a.records[len(a.records)-1].mark.Time)
	return last-a.chunks[p.without].time > p.apart
}

// earlier goes back from a place to the first one from which both go on as they do there.
func (a *aligner) earlier(p start) start {
	const tolerance = 200_000 // ns
	for q := p; q.skip > 0 && q.without > 0; p = q {
		q.skip--
		q.without--
		c, r := &a.chunks[q.without], &a.records[q.skip]
		apart := max(c.time-r.mark.Time, r.mark.Time-c.time)
		if c.b == nil || apart > 4*p.apart+tolerance || a.fit(q.skip, q.without, fewSteps) != dissect.Yes {
			break
		}
	}
	return p
}
