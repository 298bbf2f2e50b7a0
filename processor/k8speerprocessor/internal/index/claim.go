// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import "math"

// open is the end of a claim that has none yet.
const open = math.MaxInt64

// slack is how far, in nanoseconds, a call may lie outside the time in which a
// peer had its address. Times in the API are whole seconds and other machines'
// clocks, and events come late.
const slack = 5e9

// claim is a time in which a peer had a key, and those before it. Claims are
// immutable: a change makes the changed one and those newer than it anew.
type claim struct {
	from, until int64 // nanoseconds since 1970, until is excluded
	kind        Kind
	peer        *Peer
	older       *claim
}

// at gives who has the key at a time. Failing that, it is the next one if that
// claim begins within the slack, else the last one if that ended within it: an end
// is rather seen late than early, a beginning too. No two claims of a key overlap.
func (c claim) at(t, slack int64) (*Peer, Kind) {
	newer := claim{from: open}
	for c.from > t {
		newer = c
		if c.older == nil {
			c = claim{from: -open, until: -open}
			break
		}
		c = *c.older
	}
	switch {
	case t < c.until:
		return c.peer, c.kind
	case newer.from-t < slack:
		return newer.peer, newer.kind
	case c.until > 0 && t-c.until < slack:
		return c.peer, c.kind
	}
	return nil, Unknown
}

// with gives the claims and one more. Those that it meets end where the next one
// begins.
func (c *claim) with(n claim) *claim {
	if c == nil || c.from <= n.from {
		n.older = c
		if c != nil && c.until > n.from {
			n.older = &claim{from: c.from, until: n.from, kind: c.kind, peer: c.peer, older: c.older}
		}
		return &n
	}
	n.until = min(n.until, c.from)
	changed := *c
	changed.older = c.older.with(n)
	return &changed
}

// isOpen reports whether a peer has the key now. Only the newest claim can be open.
func (c *claim) isOpen(p *Peer) bool {
	return c != nil && c.until == open && c.peer == p
}

// has reports whether one of the claims was in just this time.
func (c *claim) has(from, until int64) bool {
	for ; c != nil; c = c.older {
		if c.from == from && c.until == until {
			return true
		}
	}
	return false
}

// past counts the claims that are over.
func (c *claim) past() int {
	n := 0
	for ; c != nil; c = c.older {
		if c.until != open {
			n++
		}
	}
	return n
}

// since gives the claims without those that ended before a time, and no more than
// the newest so many.
func (c *claim) since(t int64, most int) *claim {
	if c == nil || most == 0 || c.until < t {
		return nil
	}
	older := c.older.since(t, most-1)
	if older == c.older {
		return c
	}
	changed := *c
	changed.older = older
	return &changed
}

// list gives the claims in the order of the chain, without the end of it that a
// [Replica] keeps.
func (c *claim) list() []Claim {
	var all []Claim
	for ; c != nil && c.peer != nil; c = c.older {
		all = append(all, Claim{c.from, c.until, c.kind, c.peer})
	}
	return all
}
