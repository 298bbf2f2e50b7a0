// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"time"
	"unsafe"

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

// lingering remembers connections that have ended, so that late segments do not
// open them again.
type lingering[K comparable] struct {
	byKey map[K]*closedConn[K]
	queue list[closedConn[K]]
}

func (l *lingering[K]) add(t *Table, key K, c *Conn) {
	l.forget(t, key)
	for l.queue.len >= t.settings.MaxClosed {
		l.forget(t, l.queue.oldest().key)
		t.stats.ClosedForgotten.Add(1)
	}
	if !t.budget.Take(closedCost) {
		t.stats.ClosedForgotten.Add(1)
		return
	}
	e := &closedConn[K]{key: key}
	e.isn, e.known = c.isns()
	l.byKey[key] = e
	l.queue.push(&e.node, e, t.now)
}

func (l *lingering[K]) forget(t *Table, key K) {
	if e := l.byKey[key]; e != nil {
		e.node.remove()
		delete(l.byKey, key)
		t.budget.Give(closedCost)
	}
}

func (l *lingering[K]) expire(t *Table, timeout time.Duration) {
	for e := l.queue.expired(t.now, timeout); e != nil; e = l.queue.expired(t.now, timeout) {
		l.forget(t, e.key)
	}
}

func (l *lingering[K]) clear(t *Table) {
	for e := l.queue.oldest(); e != nil; e = l.queue.oldest() {
		l.forget(t, e.key)
	}
}

// has reports whether seg belongs to the connection that ended. A SYN with
// another sequence number doesn't: the connection is forgotten then.
func (l *lingering[K]) has(t *Table, key K, seg *capture.Segment) bool {
	e := l.byKey[key]
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
	l.forget(t, key)
	return false
}

// isLate reports whether seg belongs to a connection that has ended.
func (t *Table) isLate(seg *capture.Segment) bool {
	if seg.Socket != 0 {
		return t.closedLive.has(t, seg.Socket, seg)
	}
	if len(t.closedFile.byKey) == 0 {
		return false
	}
	return t.closedFile.has(t, flowBetween(seg.Source, seg.Destination, seg.Scope), seg)
}
