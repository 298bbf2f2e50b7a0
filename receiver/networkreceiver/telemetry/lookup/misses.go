// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"net/netip"
	"slices"
)

// misses are the last connections for which no lookup was found. They tell whether one
// came too late.
type misses struct {
	ring [32]miss
	next int
}

type miss struct {
	owner Owner
	addr  netip.Addr
	at    int64
}

func (m *misses) add(one miss) {
	m.ring[m.next%len(m.ring)] = one
	m.next++
}

// take reports whether a lookup is what was missed, and forgets that it was.
func (m *misses) take(o Owner, l *Lookup, age int64) (found bool) {
	for i := range m.ring {
		one := &m.ring[i]
		if one.addr.IsValid() && one.owner == o && l.End <= one.at && one.at-l.End <= age && slices.Contains(l.Addresses, one.addr) {
			*one, found = miss{}, true
		}
	}
	return found
}
