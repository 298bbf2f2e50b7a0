// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

// kind is what a response's framing has to know of its request.
type kind uint8

const (
	isHEAD kind = 1 << iota
	isCONNECT
	isUpgrade
)

func kindOf(method, upgrade string) (q kind) {
	switch method {
	case "HEAD":
		q = isHEAD
	case "CONNECT":
		q = isCONNECT
	}
	if upgrade != "" {
		q |= isUpgrade
	}
	return q
}

// queue holds the kinds of the requests that await their response, oldest first.
type queue struct {
	kinds []kind
	head  int
	// answered counts responses that came before the header section of their
	// request was complete: these requests do not enter the queue.
	answered int
	// doubtful is set where first may be another request than the next final
	// response's.
	doubtful bool
}

func (q *queue) len() int { return len(q.kinds) - q.head }

// push appends a request and reports whether the oldest one had to go.
func (q *queue) push(k kind, limit int) (dropped bool) {
	if q.answered > 0 {
		q.answered--
		return false
	}
	if q.head > 0 && len(q.kinds) == cap(q.kinds) {
		q.kinds = q.kinds[:copy(q.kinds, q.kinds[q.head:])]
		q.head = 0
	}
	q.kinds = append(q.kinds, k)
	if q.len() > limit {
		q.head++
		return true
	}
	return false
}

// first is the request that the next final response belongs to.
func (q *queue) first() (k kind, ok bool) {
	if q.len() == 0 {
		return 0, false
	}
	return q.kinds[q.head], true
}

// last is the newest request.
func (q *queue) last() kind {
	if q.len() == 0 {
		return 0
	}
	return q.kinds[len(q.kinds)-1]
}

// lostResponses drops all but the newest request, because the responses of the
// others may be lost: without pipelining a client waits before it sends the next.
func (q *queue) lostResponses() {
	if q.len() > 1 {
		q.kinds[0] = q.last()
		q.kinds, q.head, q.doubtful = q.kinds[:1], 0, true
	}
}

func (q *queue) pop() {
	q.doubtful = false
	if q.head++; q.head >= len(q.kinds) {
		q.kinds, q.head = q.kinds[:0], 0
	}
}

func (q *queue) clear() { *q = queue{kinds: q.kinds[:0]} }
