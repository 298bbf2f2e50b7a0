// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"container/list"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/wirespan/wirespan/internal/budget"
)

// Settings bound what is remembered.
type Settings struct {
	Age time.Duration // since the lookup's end; the answers' time to live does not count
	Max int           // lookups of all owners; those who have looked up nothing for longest are forgotten first
}

// maxOfOwner bounds the lookups of one owner. The oldest give way.
const maxOfOwner = 64

// Table is what is remembered. It is safe for concurrent use. A nil Table remembers
// nothing.
type Table struct {
	set    Settings
	budget *budget.Budget

	mu     sync.Mutex
	n      int
	owners map[Owner]*list.Element // of *history
	recent *list.List              // who looked up last is in front
	missed misses
}

// history is what one owner has looked up, in the order in which it came.
type history struct {
	owner   Owner
	lookups []*Lookup
}

// New makes a Table that takes its memory from a budget, which may be nil.
func New(s Settings, b *budget.Budget) *Table {
	return &Table{set: s, budget: b, owners: map[Owner]*list.Element{}, recent: list.New()}
}

// Outcome is what has become of a lookup.
type Outcome struct {
	Dropped int // lookups that were forgotten before their time, this one included
	// Late is set where a connection that it served was asked for before it came.
	Late bool
}

// Put remembers a lookup of an owner. It owns the lookup.
func (t *Table) Put(o Owner, l *Lookup) (out Outcome) {
	if t == nil {
		return out
	}
	if len(l.Addresses) > maxAddresses {
		l.Addresses = slices.Clone(l.Addresses[:maxAddresses])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	out.Late = t.missed.take(o, l, int64(t.set.Age))
	t.expire(l.End)
	h := t.historyOf(o)
	t.drop(h, h.expired(l.End-int64(t.set.Age)))
	if len(h.lookups) == maxOfOwner {
		t.drop(h, 1)
		out.Dropped++
	}
	for t.n >= t.set.Max || !t.budget.Take(l.size()) {
		oldest := t.recent.Back().Value.(*history)
		if oldest == h && len(h.lookups) == 0 {
			t.forget(h)
			out.Dropped++
			return out
		}
		out.Dropped += len(oldest.lookups)
		t.drop(oldest, len(oldest.lookups))
		if oldest != h {
			t.forget(oldest)
		}
	}
	h.lookups = append(h.lookups, l)
	t.n++
	return out
}

// Find gives the resolution by which an owner has found the address that it connects
// to at a time.
func (t *Table) Find(o Owner, addr netip.Addr, at int64) (r Resolution, ok bool) {
	if t == nil {
		return r, false
	}
	addr = addr.Unmap()
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.owners[o]
	if e == nil {
		return r, false
	}
	all := e.Value.(*history).lookups
	for _, l := range slices.Backward(all) {
		if l.End <= at && at-l.End <= int64(t.set.Age) && slices.Contains(l.Addresses, addr) {
			return group(l, all, at), true
		}
	}
	return r, false
}

// Miss notes that nothing was found, and that nobody will ask again.
func (t *Table) Miss(o Owner, addr netip.Addr, at int64) {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.missed.add(miss{o, addr.Unmap(), at})
	}
}

// Expire lets time pass: it forgets the owners whose lookups are all too old.
func (t *Table) Expire(now int64) {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.expire(now)
	}
}

// historyOf gives an owner's history.
func (t *Table) historyOf(o Owner) *history {
	if e := t.owners[o]; e != nil {
		t.recent.MoveToFront(e)
		return e.Value.(*history)
	}
	h := &history{owner: o}
	t.owners[o] = t.recent.PushFront(h)
	return h
}

func (t *Table) expire(now int64) {
	before := now - int64(t.set.Age)
	for e := t.recent.Back(); e != nil; e = t.recent.Back() {
		oldest := e.Value.(*history)
		if oldest.expired(before) < len(oldest.lookups) {
			return
		}
		t.drop(oldest, len(oldest.lookups))
		t.forget(oldest)
	}
}

// expired is how many of the oldest lookups ended before a time.
func (h *history) expired(before int64) (n int) {
	for n < len(h.lookups) && h.lookups[n].End < before {
		n++
	}
	return n
}

// drop forgets an owner's n oldest lookups.
func (t *Table) drop(h *history, n int) {
	for _, l := range h.lookups[:n] {
		t.budget.Give(l.size())
	}
	h.lookups = slices.Delete(h.lookups, 0, n)
	t.n -= n
}

// forget forgets an owner without lookups.
func (t *Table) forget(h *history) {
	t.recent.Remove(t.owners[h.owner])
	delete(t.owners, h.owner)
}

// size is about what a lookup takes, with its share of an owner's history.
func (l *Lookup) size() int { return 384 + len(l.Name) + 24*cap(l.Addresses) }
