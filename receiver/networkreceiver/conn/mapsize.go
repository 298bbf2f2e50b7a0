// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import "maps"

// mapSizes are the largest lengths that the maps of connections have had. Go's maps never
// shrink, so that one which a flood has filled would keep its memory for good.
type mapSizes struct {
	sockets, flows, datagrams, users, wires int
}

// compactMaps replaces maps that have become much too large.
func (t *Table) compactMaps() {
	s := &t.sizes
	compact(&t.sockets, &s.sockets)
	compact(&t.flows, &s.flows)
	compact(&t.datagrams, &s.datagrams)
	compact(&t.users, &s.users)
	compact(&t.wires, &s.wires)
	t.handshakes.compact()
	t.owners.compact()
	t.closedLive.compact()
	t.closedFile.compact()
}

const (
	smallMap = 1024 // entries; not worth the work
	muchLess = 4    // the fraction of entries that makes a map too large
)

// compact replaces a map that has become much too large.
func compact[K comparable, V any](m *map[K]V, largest *int) {
	*largest = max(*largest, len(*m))
	if *largest <= smallMap || len(*m) > *largest/muchLess {
		return
	}
	*largest = len(*m)
	smaller := make(map[K]V, len(*m))
	maps.Copy(smaller, *m)
	*m = smaller
}
