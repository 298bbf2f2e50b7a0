// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// Replica is a part of an [Index] that is elsewhere: the keys that were looked up
// here. A key that is looked up for the first time is asked for; when there are too
// many keys, one that has not been used for long gives way. Any number of goroutines
// read it, without a lock as long as the key is there.
type Replica struct {
	table   table
	perKey  int
	max     int
	evicted atomic.Int64
	wake    chan struct{}

	mu     sync.Mutex // of those who write
	keys   []Key      // those in the table
	hand   int        // where to look for one that gives way
	asking bool       // somebody takes what is wanted
	wanted []Key
	unused []Key
}

// NewReplica makes a replica of so many keys at most, which remembers so many
// claims of each.
func NewReplica(perKey, most int) *Replica {
	return &Replica{perKey: max(1, perKey), max: max(1, most), wake: make(chan struct{}, 1)}
}

// Find is [Index.Find]. The kind is [Pending] if the index has not told of the key yet.
func (r *Replica) Find(k Key, at int64) (*Peer, Kind) { return r.find(k, at, slack) }

// FindExactly is [Index.FindExactly], likewise.
func (r *Replica) FindExactly(k Key, at int64) (*Peer, Kind) { return r.find(k, at, 0) }

func (r *Replica) find(k Key, at, slack int64) (*Peer, Kind) {
	s := r.table.slot(k)
	if s == nil || s.instead.Load() == gone {
		r.want(k)
		return nil, Pending
	}
	if s.state.Load()&used == 0 {
		s.state.Or(used)
	}
	p, kind := s.find(at, slack)
	if p == nil && s.pending() {
		return nil, Pending
	}
	return p, kind
}

// Of gives the membership of an address in the networks of pods, if it has been
// looked up.
func (r *Replica) Of(a netip.Addr) Membership {
	c := r.table.claims(Address(a))
	for ; c != nil; c = c.older {
		if c.peer == nil && c.kind != Pending {
			return Membership(c.kind)
		}
	}
	return Untold
}

// Sizes gives how many keys are held, and how many have given way to others.
func (r *Replica) Sizes() (keys int, evicted int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.keys), r.evicted.Load()
}

// want asks for a key.
func (r *Replica) want(k Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.table.claims(k) != nil {
		return
	}
	if len(r.keys) < r.max {
		r.keys = append(r.keys, k)
	} else {
		r.keys[r.giveWay()] = k
	}
	r.table.put(k, &claim{kind: Pending})
	r.table.slot(k).state.Or(used)
	if !r.asking {
		return
	}
	if r.wanted = append(r.wanted, k); len(r.wanted) > 2*r.max {
		r.wanted = slices.Clone(r.keys)
	}
	r.signal()
}

func (r *Replica) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// giveWay drops the next key that has not been used since it was looked at, and
// gives its place.
func (r *Replica) giveWay() int {
	for {
		i := r.hand
		r.hand = (r.hand + 1) % len(r.keys)
		s := r.table.slot(r.keys[i])
		if s.state.Load()&used != 0 {
			s.state.And(^used)
			continue
		}
		r.table.put(r.keys[i], nil)
		if r.asking && len(r.unused) < 2*r.max {
			r.unused = append(r.unused, r.keys[i])
		}
		r.evicted.Add(1)
		return i
	}
}

// Wanted tells, after a value, that Take gives something.
func (r *Replica) Wanted() <-chan struct{} { return r.wake }

// Take gives the keys to ask for, and those to ask for no more, in this order.
func (r *Replica) Take() (wanted, unused []Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wanted, unused = r.wanted, r.unused
	r.wanted, r.unused = nil, nil
	held := func(k Key) bool { return r.table.claims(k) != nil }
	wanted = slices.DeleteFunc(wanted, func(k Key) bool { return !held(k) })
	unused = slices.DeleteFunc(unused, held)
	return wanted, unused
}

// Restart asks for all keys, anew: the index knows nothing of what was asked before.
// Without it, nothing is asked for.
func (r *Replica) Restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asking, r.wanted, r.unused = true, slices.Clone(r.keys), nil
	r.signal()
}

// Pause asks for nothing until Restart.
func (r *Replica) Pause() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asking, r.wanted, r.unused = false, nil, nil
}

// Put takes what the index tells of a key, the newest claim first. What is known
// here of the time before stays: the index may have been started anew.
func (r *Replica) Put(k Key, told []Claim, m Membership, now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.table.claims(k)
	if known == nil { // it gave way in the meantime
		return
	}
	limit := now
	if len(told) > 0 {
		limit = told[len(told)-1].From
	}
	all := slices.Clone(told)
	for _, c := range known.list() {
		if c.From < limit {
			c.Until = min(c.Until, limit)
			all = append(all, c)
		}
	}
	r.put(k, all, &claim{kind: Kind(m)})
}

// Forget drops what ended before a time.
func (r *Replica) Forget(before int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.keys {
		c := r.table.claims(k)
		all := c.list()
		if len(all) == 0 || all[len(all)-1].Until >= before {
			continue
		}
		r.put(k, slices.DeleteFunc(all, func(c Claim) bool { return c.Until < before }), c.end())
	}
}

// put writes claims, and behind them what is known of the key apart from these.
func (r *Replica) put(k Key, all []Claim, end *claim) {
	c := end
	for _, one := range slices.Backward(all[:min(len(all), r.perKey)]) {
		c = &claim{one.From, one.Until, one.Kind, one.Peer, c}
	}
	r.table.put(k, c)
}

// end gives the last claim of a chain.
func (c *claim) end() *claim {
	for c.older != nil {
		c = c.older
	}
	return c
}
