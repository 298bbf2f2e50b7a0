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

// Known reports whether there are any.
func (n *Networks) Known() bool {
	s := n.set.Load()
	return s != nil && len(s.prefixes) > 0
}

// Contain reports whether an address is of one of them.
func (n *Networks) Contain(a netip.Addr) bool {
	s := n.set.Load()
	if s == nil {
		return false
	}
	for _, bits := range s.bits {
		if p, err := a.Prefix(bits); err == nil {
			if _, ok := s.prefixes[p]; ok {
				return true
			}
		}
	}
	return false
}
