// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"slices"
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// role is a message's place in its stream.
type role uint8

const (
	request role = iota
	response
)

// stream is one exchange (RFC 9113, section 5). In the table of streams they are
// in the order in which they began.
type stream struct {
	id         uint32
	parts      [2]part // by role
	connect    bool    // the request's method is CONNECT
	head       bool    // or HEAD
	teller     teller
	tunnel     tunnel
	peer       httpmessage.Reader // of the request's body, also when that is over
	prev, next *stream
}

// part is one message of a stream.
type part struct {
	msg    *dissect.Message // nil before it begins and when it is handed over
	begun  bool
	ended  bool        // END_STREAM was seen, or will not be
	doubt  conn.Reason // why bytes of its direction may be missing since it began
	first  conn.Mark
	last   conn.Mark
	size   uint64
	gap    uint64
	status int // of a response

	body      httpmessage.Body
	length    uint64 // Content-Length
	hasLength bool
	codings   []string
	flags     flagSet
	reserved  int
}

// see adds bytes of the message on the wire, the last of them at m.
func (p *part) see(size int, m conn.Mark) {
	p.size += uint64(size)
	m.Time = max(m.Time, p.last.Time)
	p.last = m
	if p.msg != nil {
		p.msg.Last, p.msg.Size = p.last, p.size
	}
}

// toCome is how many more bytes of the body are announced, at least n.
func (p *part) toCome(n int) (left uint64, exact bool) {
	if !p.hasLength || p.length < p.body.Size+uint64(n) {
		return uint64(n), false
	}
	return p.length - p.body.Size, true
}

const streamSize = int(unsafe.Sizeof(stream{})) + 64 // with its place in the map

// streams are those that are not over, by number and by age.
type streams struct {
	byID        map[uint32]*stream
	first, last *stream
	spare       *stream
	// over are the numbers of the last streams that ended: what still comes for
	// them is late.
	over [64]uint32
	at   int
}

// add makes a stream, the youngest.
func (t *streams) add(id uint32) *stream {
	s := t.spare
	if s == nil {
		s = &stream{}
	}
	t.spare = nil
	*s = stream{id: id, prev: t.last}
	if t.last != nil {
		t.last.next = s
	} else {
		t.first = s
	}
	t.last = s
	t.byID[id] = s
	return s
}

// remove ends a stream.
func (t *streams) remove(s *stream) {
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		t.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		t.last = s.prev
	}
	delete(t.byID, s.id)
	t.over[t.at%len(t.over)] = s.id
	t.at++
	*s = stream{}
	t.spare = s
}

// isOver reports whether a stream has ended lately.
func (t *streams) isOver(id uint32) bool {
	return slices.Contains(t.over[:min(t.at, len(t.over))], id)
}
