// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// How plaintext goes on: with its place on the wire, without it, or as a gap.

// accept goes on from a place at which both fit, after records that carry something else
// and chunks of which the records were lost.
func (a *aligner) accept(skip, without int) {
	a.begin(skip)
	for range without {
		if a.c.missesPlain {
			a.lose(&a.chunks[0])
		}
		a.place(&a.chunks[0])
		a.dropDone()
	}
	a.dropRecords(skip)
	a.settled, a.matched, a.loose, a.doubt = true, true, false, false
	a.assign()
}

// assign hands over what the first record and the first chunk have in common.
func (a *aligner) assign() {
	r, c := &a.records[0], &a.chunks[0]
	if !a.trusts(r, c) {
		a.guessAgain()
		return
	}
	if r.plain == 0 {
		low, high := a.length(r)
		if r.plain = high; low != high {
			if end := a.endFrom(0, uint64(low), 0); end > 0 {
				r.plain = min(high, int(end))
			}
		}
	}
	if a.settled && r.used == 0 {
		a.anchor = anchor{known: true, position: c.at, offset: r.mark.Offset}
		if !c.missing() && !c.begun {
			a.usual += (distance(c.time-r.mark.Time) - a.usual) / 8
		}
	}
	a.updates.note(a, r, c)
	n := min(uint64(max(r.plain-r.used, 0)), c.left)
	if n > 0 {
		m := r.mark
		m.Seq += uint32(r.used)
		a.give(c, n, m)
		r.used += int(n)
	}
	a.last = r.mark
	a.last.Seq += uint32(r.used)
	if r.used >= r.plain {
		a.last.Seq = r.mark.Seq + uint32(r.size)
		a.dropRecords(1)
	}
	a.waited = 0
	a.dropDone()
}

// give hands over n bytes of a chunk, of which the first one is at m, unless it was given
// in advance.
func (a *aligner) give(c *chunk, n uint64, m conn.Mark) {
	if c.given {
		c.at, c.left, a.total = c.at+n, c.left-n, a.total-n
		return
	}
	c.begun = true
	a.total -= n
	c.at += n
	if c.left -= n; c.b == nil {
		a.c.out.Gap(a.d, m, n)
		return
	}
	b := c.b[:n]
	c.b = c.b[n:]
	if !c.borrowed {
		a.held -= int(n)
		a.c.memory.Release(int(n))
	}
	a.c.out.Data(a.d, m, b)
}

// begin says that carried bytes have gone by before the first plaintext, if its beginning
// was not seen or so many are left out as no handshake has.
func (a *aligner) begin(skip int) {
	if a.matched || a.c.out.Begun(a.d) {
		return
	}
	before := 0
	for _, r := range a.records[:skip] {
		before += r.size
	}
	const mostHidden = 2 << 10
	if before > mostHidden || !a.c.sawBeginning || a.loose || a.doubt {
		a.missedBefore(a.records[min(skip, len(a.records)-1)].mark)
	}
}

// missedBefore tells of carried bytes that nobody has seen, whose number is not known.
func (a *aligner) missedBefore(m conn.Mark) {
	a.c.out.Gap(a.d, m, 1)
}

// suppose is for when nothing fits. Where nothing was lost, the next record and the next
// chunk begin together: a part of the record was read, or what was written has not been
// sent yet. Else the place is not known.
func (a *aligner) suppose() {
	if skip := min(a.tickets(), len(a.records)-1); !a.loose && !a.records[skip].isHole {
		a.accept(skip, 0)
		return
	}
	shown := a.chunks[len(a.chunks)-1].time
	a.guess()
	passed := 0
	for passed < len(a.records) && (a.records[passed].isHole || a.records[passed].mark.Time <= shown) {
		passed++
	}
	a.dropRecords(passed)
}

// advance hands over all plaintext before the records that carry it have come: a peer that
// reads slowly keeps them in a buffer of the process. These bytes are counted when their
// records do come.
func (a *aligner) advance() {
	isCut := func(c chunk) bool { return c.cut }
	if len(a.chunks) > maxChunks || slices.ContainsFunc(a.chunks, isCut) {
		a.guess()
		return
	}
	for i := range a.chunks {
		if c := &a.chunks[i]; !c.given {
			a.giveAhead(c)
		}
	}
	a.waited = 0
}

// giveAhead hands over a chunk, and leaves its length to be compared with records.
func (a *aligner) giveAhead(c *chunk) {
	if a.settled && !a.read && !c.begun {
		a.last.Seq += headerBytes // what is written begins a record
	}
	ahead := *c
	a.loseDoubtful(c)
	a.place(c)
	a.total += ahead.left
	ahead.b, ahead.given = nil, true
	*c = ahead
}

// guess hands over all plaintext, though the records that carried it are not there. Where
// other plaintext is missing, its pair may be among that, and it is given up.
func (a *aligner) guess() {
	a.settled, a.loose = false, true
	a.doubt = a.doubt || a.mayDoubt()
	for i := range a.chunks {
		a.loseDoubtful(&a.chunks[i])
		a.place(&a.chunks[i])
	}
	a.dropDone()
}

// loseDoubtful gives up the bytes of a chunk whose pair may be missing.
func (a *aligner) loseDoubtful(c *chunk) {
	if !a.settled && a.c.missesPlain && a.matched {
		a.lose(c)
	}
}

// lose gives up the bytes of a chunk.
func (a *aligner) lose(c *chunk) {
	if c.given {
		return
	}
	if c.b != nil && !c.borrowed {
		a.held -= len(c.b)
		a.c.memory.Release(len(c.b))
	}
	c.b = nil
}

// place hands over a chunk whose place on the wire is not known: it takes at least as much
// room there as it is long. Its time is when it was shown. Without an acknowledgement its
// messages are paired by their order alone.
func (a *aligner) place(c *chunk) {
	if c.given {
		a.give(c, c.left, a.last)
		return
	}
	a.c.uncertain = true
	m := a.last
	m.Time, m.Ack = c.time, 0
	if !a.c.out.Begun(a.d) && !a.c.sawBeginning {
		a.missedBefore(m)
	}
	if c.cut {
		a.unsettle()
	}
	a.last.Seq += uint32(c.left)
	a.give(c, c.left, m)
}
