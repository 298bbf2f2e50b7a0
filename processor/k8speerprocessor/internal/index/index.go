// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package index knows who had an address at a time. Any number of goroutines read
// it without a lock while another one writes.
package index

import (
	"sync"
	"sync/atomic"
)

// Index maps keys to those who have or had them.
type Index struct {
	table table
	keys  atomic.Int64
	past  atomic.Int64

	mu      sync.Mutex // of those who write
	perKey  int
	maxPast int
	ended   queue // claims that are over, in the order in which they ended
	changed func(Key)
}

// New makes an index that remembers so many claims of each key, and so many in
// all that are over.
func New(perKey, maxPast int) *Index {
	return &Index{perKey: max(1, perKey), maxPast: maxPast, changed: func(Key) {}}
}

// OnChange lets f be told of each key whose claims have changed, but not of what
// is forgotten. Set it before anything is written. f must not write to the index.
func (x *Index) OnChange(f func(Key)) { x.changed = f }

// Find gives who had a key at a time (nanoseconds since 1970), or nil.
func (x *Index) Find(k Key, at int64) (*Peer, Kind) {
	return x.find(k, at, slack)
}

// FindExactly is Find for keys that have another one to fall back to: it does not
// stretch the time in which a peer had the key.
func (x *Index) FindExactly(k Key, at int64) (*Peer, Kind) {
	return x.find(k, at, 0)
}

func (x *Index) find(k Key, at, slack int64) (*Peer, Kind) {
	s := x.table.slot(k)
	if s == nil {
		return nil, Unknown
	}
	return s.find(at, slack)
}

// Claim is a time in which a peer had a key.
type Claim struct {
	From, Until int64 // nanoseconds since 1970; Until is excluded, and [Open] if there is no end yet
	Kind        Kind
	Peer        *Peer
}

// Open is the end of a claim that has none yet.
const Open = open

// Claims gives who has and had a key, the newest first.
func (x *Index) Claims(k Key) []Claim {
	return x.table.claims(k).list()
}

// Touch tells that what peers of a key refer to has changed.
func (x *Index) Touch(k Key) { x.changed(k) }

// Set gives a key to a peer from a time on. Whoever has it then loses it.
func (x *Index) Set(k Key, kind Kind, p *Peer, from int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := x.table.claims(k)
	x.store(k, was, was.with(claim{from: from, until: open, kind: kind, peer: p}).since(0, x.perKey))
}

// Replace lets another value stand for the peer that has the key.
func (x *Index) Replace(k Key, old, p *Peer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if was := x.table.claims(k); was.isOpen(old) {
		now := *was
		now.peer = p
		x.store(k, was, &now)
	}
}

// End takes a key from a peer, if it still has it.
func (x *Index) End(k Key, p *Peer, until int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if was := x.table.claims(k); was.isOpen(p) {
		now := *was
		now.until = max(until, now.from)
		x.store(k, was, &now)
	}
}

// Forget drops what ended before a time.
func (x *Index) Forget(before int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(before)
}

// Sizes gives how many keys somebody has or had, and how many claims are over.
func (x *Index) Sizes() (keys, past int) {
	return int(x.keys.Load()), int(x.past.Load())
}

// forget drops claims that are too old, or too many.
func (x *Index) forget(before int64) {
	for x.ended.len() > 0 && (x.ended.first().until < before || x.ended.len() > x.maxPast) {
		e := x.ended.pop()
		was := x.table.claims(e.key)
		x.put(e.key, was, was.since(e.until+1, x.perKey))
	}
}

// store puts claims in the place of others, and keeps in mind those that ended.
func (x *Index) store(k Key, was, now *claim) {
	x.put(k, was, now)
	x.changed(k)
	for c := now; c != nil; c = c.older {
		if c.until != open && !was.has(c.from, c.until) {
			x.ended.push(ended{k, c.until})
		}
	}
	x.forget(0)
}

func (x *Index) put(k Key, was, now *claim) {
	if was == now {
		return
	}
	x.table.put(k, now)
	x.keys.Store(int64(x.table.len))
	x.past.Add(int64(now.past() - was.past()))
}
