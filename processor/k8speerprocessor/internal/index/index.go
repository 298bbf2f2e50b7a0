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
	names   sync.Map
}

// New makes an index that remembers so many claims of each key, and so many in
// all that are over.
func New(perKey, maxPast int) *Index {
	return &Index{perKey: max(1, perKey), maxPast: maxPast}
}

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
	c := x.table.get(k)
	if c == nil {
		return nil, Unknown
	}
	if c.from > at || at >= c.until {
		if c = c.at(at, slack); c == nil {
			return nil, Unknown
		}
	}
	return c.peer, c.kind
}

// Set gives a key to a peer from a time on. Whoever has it then loses it.
func (x *Index) Set(k Key, kind Kind, p *Peer, from int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := x.table.get(k)
	x.store(k, was, was.with(claim{from: from, until: open, kind: kind, peer: p}).since(0, x.perKey))
}

// Replace lets another value stand for the peer that has the key.
func (x *Index) Replace(k Key, old, p *Peer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if was := x.table.get(k); was.isOpen(old) {
		now := *was
		now.peer = p
		x.store(k, was, &now)
	}
}

// End takes a key from a peer, if it still has it.
func (x *Index) End(k Key, p *Peer, until int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if was := x.table.get(k); was.isOpen(p) {
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
		was := x.table.get(e.key)
		x.put(e.key, was, was.since(e.until+1, x.perKey))
	}
}

// store puts claims in the place of others, and keeps in mind those that ended.
func (x *Index) store(k Key, was, now *claim) {
	x.put(k, was, now)
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

// serviceName is the name of a service in the cluster.
type serviceName struct{ namespace, name string }

// Named gives the service of a name.
func (x *Index) Named(namespace, name string) *Peer {
	p, _ := x.names.Load(serviceName{namespace, name})
	found, _ := p.(*Peer)
	return found
}

// SetName gives a name to a service, or takes it away.
func (x *Index) SetName(namespace, name string, p *Peer) {
	if p == nil {
		x.names.Delete(serviceName{namespace, name})
		return
	}
	x.names.Store(serviceName{namespace, name}, p)
}
