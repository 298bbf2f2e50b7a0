// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"time"
	"unsafe"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// closedConn is what is remembered of a connection that has ended.
type closedConn[K comparable] struct {
	key   K
	isn   [2]uint32
	known [2]bool
	node  node[closedConn[K]]
}

// closedCost is what one takes from the budget, with its map entry.
const closedCost = int(unsafe.Sizeof(closedConn[flow]{}))*9/8 + 112

// recentlyClosed remembers connections that have ended, so that late segments do not
// open them again.
type recentlyClosed[K comparable] struct {
	max     int
	timeout time.Duration
	budget  *budget.Budget
	stats   *Stats

	byKey   map[K]*closedConn[K]
	largest int // length of byKey
	queue   list[closedConn[K]]
}

func newRecentlyClosed[K comparable](s *Settings, b *budget.Budget, stats *Stats) recentlyClosed[K] {
	return recentlyClosed[K]{
		max: s.MaxClosed, timeout: s.ClosedTimeout, budget: b, stats: stats,
		byKey: map[K]*closedConn[K]{},
	}
}

// add remembers a connection by the key under which its segments would be found. The
// oldest one makes room.
func (r *recentlyClosed[K]) add(key K, c *Conn, now int64) {
	r.forget(key)
	for r.queue.len >= r.max {
		r.forget(r.queue.oldest().key)
		r.stats.ClosedForgotten.Add(1)
	}
	if !r.budget.Take(closedCost) {
		r.stats.ClosedForgotten.Add(1)
		return
	}
	e := &closedConn[K]{key: key}
	e.isn, e.known = c.isns()
	r.byKey[key] = e
	r.queue.push(&e.node, e, now)
}

func (r *recentlyClosed[K]) forget(key K) {
	if e := r.byKey[key]; e != nil {
		e.node.remove()
		delete(r.byKey, key)
		r.budget.Give(closedCost)
	}
}

func (r *recentlyClosed[K]) expire(now int64) {
	for e := r.queue.expired(now, r.timeout); e != nil; e = r.queue.expired(now, r.timeout) {
		r.forget(e.key)
	}
}

func (r *recentlyClosed[K]) clear() {
	for e := r.queue.oldest(); e != nil; e = r.queue.oldest() {
		r.forget(e.key)
	}
}

// compact gives back the memory of what was forgotten.
func (r *recentlyClosed[K]) compact() { compact(&r.byKey, &r.largest) }

// has reports whether seg belongs to the connection that ended. A SYN with
// another sequence number doesn't: the connection is forgotten then.
func (r *recentlyClosed[K]) has(key K, seg *capture.Segment) bool {
	e := r.byKey[key]
	if e == nil {
		return false
	}
	if seg.Flags&capture.SYN == 0 {
		return true
	}
	for d := range e.isn {
		if e.known[d] && e.isn[d] == seg.Seq {
			return true
		}
	}
	r.forget(key)
	return false
}

// isLate reports whether seg belongs to a connection that has ended.
func (t *Table) isLate(seg *capture.Segment) bool {
	if seg.Socket != 0 {
		return t.closedLive.has(seg.Socket, seg)
	}
	if len(t.closedFile.byKey) == 0 {
		return false
	}
	return t.closedFile.has(flowBetween(seg.Source, seg.Destination, seg.Scope), seg)
}
