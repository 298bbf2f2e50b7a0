// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

// ended is a key of which a claim ended at a time.
type ended struct {
	key   Key
	until int64
}

// queue is first in, first out.
type queue struct {
	items []ended
	head  int
}

func (q *queue) push(e ended) {
	if q.head > len(q.items)/2 {
		q.items = append(q.items[:0], q.items[q.head:]...)
		q.head = 0
	}
	q.items = append(q.items, e)
}

func (q *queue) pop() ended {
	e := q.items[q.head]
	q.head++
	return e
}

func (q *queue) first() ended { return q.items[q.head] }
func (q *queue) len() int     { return len(q.items) - q.head }
