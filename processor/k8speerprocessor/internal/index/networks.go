// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"net/netip"
	"slices"
	"sync/atomic"
)

// Networks are those that pods have their addresses from.
type Networks struct{ set atomic.Pointer[networks] }

type networks struct {
	prefixes map[netip.Prefix]struct{}
	bits     []int // the lengths that occur
}

// Set replaces the networks.
func (n *Networks) Set(prefixes []netip.Prefix) {
	s := &networks{prefixes: make(map[netip.Prefix]struct{}, len(prefixes))}
	for _, p := range prefixes {
		p = p.Masked()
		s.prefixes[p] = struct{}{}
		if !slices.Contains(s.bits, p.Bits()) {
			s.bits = append(s.bits, p.Bits())
		}
	}
	n.set.Store(s)
}

// Membership says whether an address is of the networks of pods.
type Membership uint8

// The memberships.
const (
	Untold  Membership = iota // nobody says which networks these are
	Outside                   // of none of them
	Inside
)

// Of gives the membership of an address.
func (n *Networks) Of(a netip.Addr) Membership {
	s := n.set.Load()
	if s == nil || len(s.prefixes) == 0 {
		return Untold
	}
	for _, bits := range s.bits {
		if p, err := a.Prefix(bits); err == nil {
			if _, ok := s.prefixes[p]; ok {
				return Inside
			}
		}
	}
	return Outside
}
