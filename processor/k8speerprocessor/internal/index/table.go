// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"math/bits"
	"sync/atomic"
)

// leastSlots is the size of a small table.
const leastSlots = 1 << 8

// table is a hash table with open addressing that is read without a lock while one
// goroutine writes. A slot belongs to one key for good, and what is in it when the
// key comes is not written again: later claims of the key hang at it. When there
// are too many such, or too few slots, the table moves to new slots.
type table struct {
	slots atomic.Pointer[[]slot]
	len   int // keys
	taken int // slots
	later int // claims that hang at a slot
}

// slot is a key with its claims. The newest claim is part of it, and all of it is
// one line of the processor's cache (64 bytes): a lookup is one access to memory,
// which takes longer than all of its instructions.
type slot struct {
	id       [16]byte
	port     uint16
	protocol Protocol
	kind     Kind
	state    atomic.Uint32

	from, until int64
	peer        *Peer
	older       *claim
	instead     atomic.Pointer[claim] // what counts, if not nil
}

// What state has.
const (
	taken uint32 = 1 << iota
	used         // since a Replica has looked for what to forget
)

// gone are the claims of a key without any.
var gone = &claim{}

func (s *slot) key() Key { return Key{s.id, s.port, s.protocol} }

// claims gives the claims of the key, the newest first, or nil.
func (s *slot) claims() *claim {
	switch c := s.instead.Load(); c {
	case nil:
		return &claim{s.from, s.until, s.kind, s.peer, s.older}
	case gone:
		return nil
	default:
		return c
	}
}

// find gives who has the key at a time. Outside of all claims, these are stretched
// by slack.
func (s *slot) find(at, slack int64) (*Peer, Kind) {
	c := s.instead.Load()
	if c == nil && s.from <= at && at < s.until {
		return s.peer, s.kind
	}
	if c == nil {
		return claim{s.from, s.until, s.kind, s.peer, s.older}.at(at, slack)
	}
	return c.at(at, slack)
}

// pending reports whether nothing has been told of the key yet.
func (s *slot) pending() bool { return s.kind == Pending && s.instead.Load() == nil }

// slot gives the slot of a key, or nil. The key may be gone.
func (t *table) slot(k Key) *slot {
	p := t.slots.Load()
	if p == nil {
		return nil
	}
	slots := *p
	for i := k.hash(); ; i++ {
		s := &slots[i&uint64(len(slots)-1)]
		if s.state.Load() == 0 {
			return nil
		}
		if s.id == k.id && s.port == k.port && s.protocol == k.protocol {
			return s
		}
	}
}

// claims gives the claims of a key, the newest first, or nil.
func (t *table) claims(k Key) *claim {
	if s := t.slot(k); s != nil {
		return s.claims()
	}
	return nil
}

// put replaces the claims of a key; without claims, the key goes.
func (t *table) put(k Key, c *claim) {
	if p := t.slots.Load(); p == nil || 4*(t.taken+1) > 3*len(*p) || t.later > t.len/4+leastSlots {
		t.move()
	}
	s := t.slot(k)
	if t.claims(k) != nil {
		t.len--
	}
	if c != nil {
		t.len++
	}
	switch {
	case s == nil && c != nil:
		add(*t.slots.Load(), k, *c, taken)
		t.taken++
	case s != nil && c == nil:
		s.instead.Store(gone)
	case s != nil:
		s.instead.Store(c)
		t.later++
	}
}

// move gives the table twice as many slots as it has keys, at the least.
func (t *table) move() {
	slots := make([]slot, max(leastSlots, 1<<bits.Len(uint(2*t.len))))
	if old := t.slots.Load(); old != nil {
		for i := range *old {
			s := &(*old)[i]
			if s.state.Load() == 0 {
				continue
			}
			if c := s.claims(); c != nil {
				add(slots, s.key(), *c, s.state.Load())
			}
		}
	}
	t.taken, t.later = t.len, 0
	t.slots.Store(&slots)
}

func add(slots []slot, k Key, c claim, state uint32) {
	i := k.hash()
	for slots[i&uint64(len(slots)-1)].state.Load() != 0 {
		i++
	}
	s := &slots[i&uint64(len(slots)-1)]
	s.id, s.port, s.protocol = k.id, k.port, k.protocol
	s.kind, s.from, s.until, s.peer, s.older = c.kind, c.from, c.until, c.peer, c.older
	s.state.Store(state)
}
