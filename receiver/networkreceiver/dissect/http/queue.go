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

// asked is what is remembered of a request until its response begins.
type asked struct {
	kind
	target string // shares memory with the message; empty if it is not known
}

// queue holds the requests that await their response, oldest first.
type queue struct {
	list []asked
	head int
	// answered counts responses that came before the header section of their
	// request was complete: these requests do not enter the queue.
	answered int
	// doubtful is set where first may be another request than the next final
	// response's.
	doubtful bool
}

func (q *queue) len() int { return len(q.list) - q.head }

// push appends a request and reports whether the oldest one had to go.
func (q *queue) push(a asked, limit int) (dropped bool) {
	if q.answered > 0 {
		q.answered--
		return false
	}
	if q.head > 0 && len(q.list) == cap(q.list) {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, a)
	if q.len() > limit {
		q.drop()
		return true
	}
	return false
}

// first is the request that the next final response belongs to.
func (q *queue) first() (a asked, ok bool) {
	if q.len() == 0 {
		return a, false
	}
	return q.list[q.head], true
}

// last is the newest request.
func (q *queue) last() kind {
	if q.len() == 0 {
		return 0
	}
	return q.list[len(q.list)-1].kind
}

// lostResponses drops all but the newest request, because the responses of the
// others may be lost: without pipelining a client waits before it sends the next.
func (q *queue) lostResponses() {
	if q.len() > 1 {
		q.list[0] = q.list[len(q.list)-1]
		clear(q.list[1:])
		q.list, q.head, q.doubtful = q.list[:1], 0, true
	}
}

func (q *queue) pop() {
	q.doubtful = false
	if q.drop(); q.head >= len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
}

// drop lets go of the oldest request.
func (q *queue) drop() {
	q.list[q.head] = asked{}
	q.head++
}

func (q *queue) clear() {
	clear(q.list)
	*q = queue{list: q.list[:0]}
}
