// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import "sync/atomic"

// leastBuckets is the size of a small table.
const leastBuckets = 1 << 10

// table is a hash table that is read without a lock while one goroutine writes.
// What hangs at a bucket is immutable: to change it is to hang up a new chain. A
// table that is too small is replaced by a larger one.
type table struct {
	buckets atomic.Pointer[[]atomic.Pointer[entry]]
	len     int
}

// entry is a key with its claims, in the chain of a bucket. The newest claim is
// part of it: a lookup reads the bucket and the entry, and usually nothing else.
type entry struct {
	key  Key
	next *entry
	claim
}

func (t *table) get(k Key) *claim {
	buckets := t.buckets.Load()
	if buckets == nil {
		return nil
	}
	for e := (*buckets)[k.hash()&uint64(len(*buckets)-1)].Load(); e != nil; e = e.next {
		if e.key == k {
			return &e.claim
		}
	}
	return nil
}

// put replaces the claims of a key; without claims, the key goes.
func (t *table) put(k Key, c *claim) {
	buckets := t.buckets.Load()
	if buckets == nil || t.len >= len(*buckets) {
		buckets = t.grow(buckets)
	}
	bucket := &(*buckets)[k.hash()&uint64(len(*buckets)-1)]
	var chain *entry
	for e := bucket.Load(); e != nil; e = e.next {
		if e.key == k {
			t.len--
			continue
		}
		chain = &entry{e.key, chain, e.claim}
	}
	if c != nil {
		t.len++
		chain = &entry{k, chain, *c}
	}
	bucket.Store(chain)
}

func (t *table) grow(old *[]atomic.Pointer[entry]) *[]atomic.Pointer[entry] {
	n := leastBuckets
	if old != nil {
		n = 2 * len(*old)
	}
	grown := make([]atomic.Pointer[entry], n)
	if old != nil {
		for i := range *old {
			for e := (*old)[i].Load(); e != nil; e = e.next {
				bucket := &grown[e.key.hash()&uint64(n-1)]
				bucket.Store(&entry{e.key, bucket.Load(), e.claim})
			}
		}
	}
	t.buckets.Store(&grown)
	return &grown
}
