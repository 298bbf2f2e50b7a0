// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// overheads are those of the usual suites, for a connection that was joined midway: TLS
// 1.3, and of TLS 1.2 GCM and ChaCha20.
var overheads = [...]int{17, 24, 16}

const (
	mostTrust  = 4  // in a guess, one for each turn that it explains
	leastTrust = -3 // and one less for each that it does not
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

// trusts tells whether the overhead that was guessed is still believed, when a record and a
// chunk are to be handed over from where they are. If it is right, a turn of one side of the
// connection begins with both, and not within one of them; a thread that is late with
// telling is an exception.
func (a *aligner) trusts(r *wire, ch *chunk) bool {
	c := a.c
	switch within := r.used > 0 || ch.begun; {
	case c.overhead == 0:
		return true
	case within && (r.used == 0 && r.turn == takesOver || !ch.begun && ch.turn == takesOver):
		c.trust--
	case !within && r.turn == takesOver && ch.turn == takesOver:
		c.trust = min(c.trust+1, mostTrust)
	}
	return c.trust > leastTrust
}

// guessAgain gives up the overhead, and what was found with it.
func (a *aligner) guessAgain() {
	a.c.overhead = 0
	for d := range a.c.sides {
		side := &a.c.sides[d]
		side.unsettle()
		side.matched, side.usual = false, 0
	}
}
