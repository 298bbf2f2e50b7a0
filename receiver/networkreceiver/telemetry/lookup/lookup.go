// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Lookup is one exchange that asked for the addresses of a name.
type Lookup struct {
	Span
	Name      string
	Kind      uint16 // what was asked for: the type of the record
	Addresses []netip.Addr
	Answered  bool  // false where the client had to ask on
	End       int64 // of the response, else of the last query; capture time, Unix ns
}

// Span is the span of a lookup.
type Span struct {
	Trace [16]byte
	ID    [8]byte
	Start int64 // of the query; capture time, Unix ns
}

// Resolution is all that was asked to find one address.
type Resolution struct {
	Name string // lower case
	// Spans are those of its lookups, in the order of their start.
	Spans []Span
	// Took is the time from the first query to the last response that the
	// connection waited for, ns. It is 0 where the connection did not wait, but was
	// opened later with what was known from before.
	Took int64
}

const (
	// pause is the longest pause between the lookups of a resolution, and between
	// the last one and the connection that waits for it, ns.
	pause = int64(1e9)
	// maxSpans bounds the lookups of a resolution.
	maxSpans = 8
	// maxAddresses bounds the addresses that are remembered of a lookup.
	maxAddresses = 32
)

// group puts together the resolution that a lookup has completed. all are the lookups of
// its owner; those that ended after a time do not belong to it.
func group(m *Lookup, all []*Lookup, before int64) Resolution {
	g := resolving{begin: m.Start, end: m.End}
	g.add(m)
	related := make([]*Lookup, 0, len(all))
	for _, l := range all {
		if l != m && l.End <= before && m.joins(l) {
			related = append(related, l)
		}
	}
	// Workers do not hand them over in their order.
	slices.SortStableFunc(related, func(a, b *Lookup) int { return cmp.Compare(a.Start, b.Start) })
	first, _ := slices.BinarySearchFunc(related, m.Start, func(l *Lookup, start int64) int { return cmp.Compare(l.Start, start) })
	for _, l := range related[first:] {
		if l.Start-g.end <= pause && !g.answered(l.Kind) {
			g.add(l)
		}
	}
	for _, l := range slices.Backward(related[:first]) {
		if g.begin-l.End > pause || l.Answered && strings.EqualFold(l.Name, m.Name) && g.answered(l.Kind) {
			break // an earlier resolution of the same name
		}
		g.add(l)
	}
	r := Resolution{Name: strings.ToLower(m.Name), Spans: g.spans}
	slices.SortStableFunc(r.Spans, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	if before-g.end <= pause {
		r.Took = g.end - g.begin
	}
	return r
}

// resolving is a resolution in the making.
type resolving struct {
	spans      []Span
	begin, end int64
	kinds      []uint16 // that are answered
}

func (g *resolving) add(l *Lookup) {
	if len(g.spans) == maxSpans {
		return
	}
	g.spans = append(g.spans, l.Span)
	g.begin, g.end = min(g.begin, l.Start), max(g.end, l.End)
	if l.Answered {
		g.kinds = append(g.kinds, l.Kind)
	}
}

func (g *resolving) answered(kind uint16) bool { return slices.Contains(g.kinds, kind) }

// joins reports whether another lookup can be of the same resolution: it asks for the
// same name, or in vain for that name in a domain of the search list (resolv.conf(5)).
func (l *Lookup) joins(other *Lookup) bool {
	return strings.EqualFold(l.Name, other.Name) || len(other.Addresses) == 0 && expands(other.Name, l.Name)
}

// expands reports whether a name is another one with more labels behind its first
// ones: shop.example.svc.cluster.local and shop.example; db.prod.team.svc.cluster.local
// and db.prod.svc.cluster.local.
func expands(long, short string) bool {
	extra := len(long) - len(short)
	if extra < 2 || short == "" {
		return false
	}
	for i := 0; i <= len(short); i++ {
		if (i == len(short) || short[i] == '.') && long[i] == '.' && i > 0 &&
			strings.EqualFold(long[:i], short[:i]) && strings.EqualFold(long[i+extra:], short[i:]) {
			return true
		}
	}
	return false
}
