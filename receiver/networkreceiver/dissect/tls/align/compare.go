// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import "slices"

// comparison goes on from a record and a chunk, and compares what it comes to.
type comparison struct {
	a *aligner
	start

	s, w          int    // next record and chunk
	sealed, plain uint64 // bytes of those before
	fitted        uint64 // when both were the same the last time
	seen          [maxPairs]uint64

	turnsBegun    int64
	atTurn, soFar int64 // ns by which their first calls are apart, and the call of this moment
	left          int   // records and chunks that may still be compared
}

// compare goes on from a record and a chunk. It is not ok if neither a call nor a turn is the
// same on both sides, or if a call read what came later.
func (a *aligner) compare(s, w int) (p start, ok bool) {
	if a.chunks[w].missing() {
		return p, false
	}
	c := comparison{a: a, s: s, w: w, left: maxCompared}
	c.start = start{skip: s, without: w, anchor: a.check(a.chunks[w].at, a.records[s].mark.Offset)}
	for ; c.w < len(a.chunks) && !a.chunks[c.w].missing() && c.pairs < maxPairs; c.w++ {
		c.begin()
		if !c.carry() {
			break
		}
		later := a.chunks[c.w].time - a.records[c.s-1].mark.Time
		if a.read && later < 0 {
			return p, false
		}
		if a.endsCall(c.w) {
			c.end(distance(later))
		}
		c.left--
	}
	return c.result(), c.pairs > 0 || c.turns > 0
}

// begin compares the turns of the next record and the next chunk.
func (c *comparison) begin() {
	if c.s >= len(c.a.records) || c.a.records[c.s].isHole {
		return
	}
	record, chunk := c.a.records[c.s].turn, c.a.chunks[c.w].turn
	switch together := c.sealed == c.plain; {
	case together && agree(record, chunk):
		c.turns++
		c.turnsBegun++
		c.soFar = distance(c.a.chunks[c.w].time - c.a.records[c.s].mark.Time)
	case !together && chunk == takesOver, together && record != turnUnknown && chunk != turnUnknown && record != chunk:
		c.oddTurns++
	}
}

// agree tells whether a turn begins on both sides. What is not known of one may be so.
func agree(record, chunk turn) bool {
	return record == takesOver && chunk != goesOn || chunk == takesOver && record != goesOn
}

// carry takes the records of the next chunk, and tells whether they are all there.
func (c *comparison) carry() bool {
	first := c.s
	c.plain += c.a.chunks[c.w].left
	for c.sealed < c.plain && c.left > 0 && c.s < len(c.a.records) && !c.a.records[c.s].isHole {
		n, ok := c.a.carries(&c.a.records[c.s], c.sealed, c.plain, c.w+1)
		if !ok {
			break
		}
		if c.sealed += n; c.a.read && c.sealed < c.plain {
			c.misfits++ // a read gives what is in one record
		}
		if c.s > first && c.a.records[c.s].turn == takesOver {
			c.oddTurns++
		}
		c.s++
		c.left--
	}
	return c.sealed >= c.plain
}

// end takes the end of a call, which is so far from the last record.
func (c *comparison) end(apart int64) {
	c.atTurn += min(c.soFar, apart)
	c.soFar = 0
	c.order()
	switch {
	case c.sealed == c.plain:
		length := c.plain - c.fitted
		if !slices.Contains(c.seen[:c.pairs], length) {
			c.lengths++
		}
		c.seen[c.pairs], c.fitted = length, c.plain
		c.apart += apart
		c.pairs++
	case !c.a.read:
		c.misfits++ // what is written in one call ends a record
	}
}

// order compares with what the other side does meanwhile. Where both take turns, what is
// read was on the wire before, and the answer to it comes later; and what is written goes
// out after what it answers has been read, and before the answer to it is.
func (c *comparison) order() {
	r, ch := &c.a.records[c.s-1], &c.a.chunks[c.w]
	since, at, until := r.mark.Time, ch.time, r.until
	if !c.a.read {
		since, at, until = ch.after, r.mark.Time, ch.until
	}
	switch {
	case at < since, until > 0 && at > until:
		c.oddTurns++
	case since > 0 && until > 0:
		c.ordered++
	}
}

// result takes times from the first calls of turns, if there are any: nobody is behind then.
func (c *comparison) result() start {
	p := c.start
	p.last = c.a.chunks[min(c.w, len(c.a.chunks)-1)].time
	p.late = c.a.read && p.oddTurns > p.turns+p.ordered
	p.apart /= int64(max(p.pairs, 1))
	if c.sealed == c.plain && c.w == len(c.a.chunks) && c.s == len(c.a.records) && c.a.c.answered(c.a.d) {
		p.turns++ // of the other side
	}
	if c.turnsBegun > 0 && p.takesTurns() {
		p.apart = (c.atTurn + c.soFar) / c.turnsBegun
	}
	return p
}

func distance(t int64) int64 { return max(t, -t) }
