// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// overheads are those of the usual suites, for a connection that was joined midway: TLS
// 1.3, and of TLS 1.2 GCM and ChaCha20.
var overheads = [...]int{17, 24, 16}

const (
	mostTrust  = 4  // in a guess, one for each end at which it fitted
	leastTrust = -3 // and one less for each at which it did not
)

// guessOverhead matches with the overhead that fits best. That of several calls tells: one
// fits by chance where a process reads a byte ahead, as that is the difference between two
// suites.
func (a *aligner) guessOverhead(force bool) (skip, without int, v dissect.Verdict) {
	c := a.c
	var best start
	guess := 0
	for _, n := range overheads {
		c.overhead = n
		s, w, verdict := a.matchHere(force)
		if v = max(v, verdict); verdict != dissect.Yes {
			continue
		}
		if p, _ := a.compare(s, w); guess == 0 || p.pairs-p.misfits > best.pairs-best.misfits {
			best, guess, skip, without = p, n, s, w
		}
	}
	c.overhead, a.enough = 0, 0
	switch {
	case guess == 0:
		return 0, 0, v
	case a.doubt && best.pairs-best.misfits < pairsAlone && !force && !a.due():
		return 0, 0, dissect.NeedMore
	}
	c.overhead, c.trust = guess, 0
	return skip, without, dissect.Yes
}

// weighOverhead compares where a record and a chunk end of which some has been handed over.
// A read gives what is in one record, and what is written in one call ends a record. Where
// that is seldom so, the overhead that was guessed is given up.
func (a *aligner) weighOverhead(r *wire, ch *chunk) {
	c := a.c
	if c.overhead == 0 {
		return
	}
	recordEnds, chunkEnds := r.used >= r.plain, ch.left == 0
	switch {
	case recordEnds && chunkEnds:
		c.trust = min(c.trust+1, mostTrust)
	case a.read && recordEnds, !a.read && chunkEnds && a.endsCall(0):
		c.trust--
	}
	if c.trust > leastTrust {
		return
	}
	c.overhead = 0
	for d := range c.sides {
		side := &c.sides[d].align
		side.unsettle()
		side.matched, side.usual = false, 0
	}
}
