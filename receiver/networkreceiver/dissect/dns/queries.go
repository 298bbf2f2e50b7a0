// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// queries remembers the queries of a conversation for as long as they can be sent
// again or answered: at most limit of them, the oldest give way.
type queries struct {
	byKey map[uint64]*query
	order []*query // by time
	limit int
	age   int64
}

type query struct {
	key      uint64
	id       uint16
	reversed bool
	since    int64
	answered bool
	gaps     [2]int // of the conversation, when it was asked
	info     *Info  // of the message that was handed over
}

// doubtful tells whether both the response to a query and another query with the
// same id and question may have been lost.
func (q *query) doubtful(gaps [2]int) bool {
	return gaps[dissect.ToServer] != q.gaps[dissect.ToServer] && gaps[dissect.ToClient] != q.gaps[dissect.ToClient]
}

// find gives the query of a key, or nil if it is too old.
func (q *queries) find(key uint64, now int64) *query {
	if known := q.byKey[key]; known != nil && now-known.since <= q.age {
		return known
	}
	return nil
}

// findID gives the youngest query with an id.
func (q *queries) findID(id uint16, reversed bool, now int64) *query {
	for i := len(q.order) - 1; i >= 0; i-- {
		known := q.order[i]
		if known.id == id && known.reversed == reversed && now-known.since <= q.age {
			return known
		}
	}
	return nil
}

// queryBytes is about what is remembered of a query.
const queryBytes = 1 << 10

// add remembers a query if there is memory for it.
func (q *queries) add(one *query, sink dissect.Sink) {
	drop := 0
	for drop < len(q.order) && (len(q.order)-drop >= q.limit || one.since-q.order[drop].since > q.age) {
		if old := q.order[drop]; q.byKey[old.key] == old {
			delete(q.byKey, old.key)
		}
		q.order[drop] = nil
		drop++
	}
	sink.Release(drop * queryBytes)
	q.order = q.order[drop:]
	if !sink.Keep(queryBytes) {
		sink.Limit("query_memory")
		return
	}
	q.order = append(q.order, one)
	if q.byKey == nil {
		q.byKey = map[uint64]*query{}
	}
	q.byKey[one.key] = one
}

// clear forgets all queries.
func (q *queries) clear(sink dissect.Sink) {
	sink.Release(len(q.order) * queryBytes)
	*q = queries{}
}
