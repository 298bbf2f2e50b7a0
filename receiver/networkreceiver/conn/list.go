// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import "time"

// list is a queue whose entries carry their links, in order of the time at which
// they were put in: moving and removing take constant time.
type list[T any] struct {
	front, back *node[T] // front is the oldest
	len         int
}

type node[T any] struct {
	prev, next *node[T]
	in         *list[T]
	item       *T
	since      int64
}

// push puts n at the back.
func (l *list[T]) push(n *node[T], item *T, now int64) {
	n.remove()
	n.in, n.item, n.since, n.prev = l, item, now, l.back
	if l.back == nil {
		l.front = n
	} else {
		l.back.next = n
	}
	l.back = n
	l.len++
}

// remove takes n out of its list, if it is in one.
func (n *node[T]) remove() {
	l := n.in
	if l == nil {
		return
	}
	if n.prev == nil {
		l.front = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.back = n.prev
	} else {
		n.next.prev = n.prev
	}
	l.len--
	n.in, n.prev, n.next = nil, nil, nil
}

// oldest is the front entry, or nil.
func (l *list[T]) oldest() *T {
	if l.front == nil {
		return nil
	}
	return l.front.item
}

// expired is the front entry if it has been in for the timeout, or nil.
func (l *list[T]) expired(now int64, timeout time.Duration) *T {
	if l.front == nil || now-l.front.since < int64(timeout) {
		return nil
	}
	return l.front.item
}
