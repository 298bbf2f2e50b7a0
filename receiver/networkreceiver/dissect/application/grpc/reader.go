// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc

import (
	"encoding/base64"
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/protobuf"
)

const (
	readerSize = int(unsafe.Sizeof(reader{}))
	eventSize  = int(unsafe.Sizeof(event{}))
)

// reader splits the body of one direction into messages. What a call with one message
// per direction says is in its own record. Of a stream each message is an event as soon
// as it is whole; that it is one shows with the second message, or when both directions
// are open and the other one has begun to speak.
type reader struct {
	kind      kind
	schema    *protobuf.Schema
	sink      dissect.Sink
	limit     int
	direction dissect.Direction
	method    string
	coding    string // of compressed messages
	peer      *reader

	prefix  [prefixSize]byte
	has     int // bytes of prefix
	current message
	text    [4]byte // base64 that is no whole group yet
	hasText int
	lost    bool // where the next message begins is not known
	ended   bool

	end    []dissect.Header // what the last message told of the end
	held   message          // the first one, as long as it may be the only one
	count  uint64           // messages so far
	events uint64
	stream bool
}

// message is one that is under way, or held back.
type message struct {
	prefix   prefix
	open     bool
	number   uint64
	first    conn.Mark
	last     conn.Mark
	left     uint32
	kept     []byte
	reserved int
	gap      uint64
	cut      string
}

// event is one allocation.
type event struct {
	dissect.Message
	info EventInfo
}

// Read takes the next bytes of the body.
func (r *reader) Read(p []byte, m dissect.Marks, at int) {
	if r.kind.flavour == webText {
		r.decode(p, m, at)
		return
	}
	r.read(p, m, at)
}

// decode removes base64, which comes in groups of four. What a group stands for has the
// position of its end.
func (r *reader) decode(p []byte, m dissect.Marks, at int) {
	var group [3]byte
	for i, c := range p {
		if c == '\r' || c == '\n' {
			continue
		}
		r.text[r.hasText] = c
		if r.hasText++; r.hasText < len(r.text) {
			continue
		}
		r.hasText = 0
		n, err := base64.StdEncoding.Decode(group[:], r.text[:])
		if err != nil {
			r.Lose(0, dissect.ReasonViolation)
			return
		}
		r.read(group[:n], dissect.MarksAt(m.At(at+i)), 0)
	}
}

func (r *reader) read(p []byte, m dissect.Marks, at int) {
	r.lost = r.lost && !r.isMessage(p)
	for len(p) > 0 && !r.lost {
		if !r.current.open {
			if r.has == 0 {
				r.current = message{first: m.At(at)}
			}
			n := copy(r.prefix[r.has:], p)
			r.has += n
			p, at = p[n:], at+n
			if r.has == prefixSize {
				r.begin(m.At(at - 1))
			}
			continue
		}
		n := min(len(p), int(r.current.left))
		r.take(p[:n])
		p, at = p[n:], at+n
		r.current.left -= uint32(n)
		r.current.last = m.At(at - 1)
		r.endIfWhole()
	}
}

// isMessage reports whether bytes that came in one piece are just one message, as most
// frames of HTTP/2 are: after a loss it is where the next one begins.
func (r *reader) isMessage(p []byte) bool {
	if len(p) < prefixSize {
		return false
	}
	first := parsePrefix(p[:prefixSize])
	return first.valid(r.kind.flavour) && uint64(first.length) == uint64(len(p)-prefixSize)
}

func (r *reader) begin(last conn.Mark) {
	r.has = 0
	p := parsePrefix(r.prefix[:])
	if !p.valid(r.kind.flavour) {
		r.lost = true
		return
	}
	r.count++
	c := &r.current
	c.open, c.prefix, c.left, c.last, c.number = true, p, p.length, last, r.count
	r.endIfWhole()
}

// take keeps what fits of a message.
func (r *reader) take(b []byte) {
	c := &r.current
	if c.cut != "" {
		return
	}
	if c.kept == nil {
		size := min(int(c.prefix.length), r.limit)
		if !r.sink.Keep(size) {
			c.cut = "memory"
			return
		}
		c.reserved = size
		c.kept = make([]byte, 0, size)
	}
	fits := b[:min(len(b), cap(c.kept)-len(c.kept))]
	c.kept = append(c.kept, fits...)
	if len(fits) < len(b) {
		c.cut = "limit"
		r.sink.Limit("body_bytes")
	}
}

func (r *reader) endIfWhole() {
	if r.current.open && r.current.left == 0 {
		r.finish("")
	}
}

// finish ends the message under way.
func (r *reader) finish(why conn.Reason) {
	c := r.current
	r.current = message{}
	if r.direction == dissect.ToClient && c.cut == "" && c.prefix.flags == 0 && isReflection(r.method) {
		learn(r.schema, c.kept)
	}
	switch {
	case c.prefix.isEnd(r.kind.flavour):
		r.takeEnd(&c)
	case r.stream || c.number > 1 || r.peerTalks():
		r.streams()
		r.tell(&c, why)
	default:
		r.held = c
	}
}

// peerTalks reports whether this direction answers one that is still open, or is
// answered before it ends: then neither is unary.
func (r *reader) peerTalks() bool { return r.peer != nil && !r.peer.ended && r.peer.count > 0 }

// streams tells what was held back: the call has more than one message.
func (r *reader) streams() {
	r.stream = true
	if r.held.open {
		held := r.held
		r.held = message{}
		r.tell(&held, "")
	}
	if r.peer != nil && !r.peer.stream && r.peerTalks() {
		r.peer.streams()
	}
}

// tell makes an event of a message.
func (r *reader) tell(m *message, why conn.Reason) {
	r.events++
	e := &event{info: EventInfo{Method: r.method, Number: m.number}}
	e.Kind, e.Direction, e.Protocol = dissect.Event, r.direction, &e.info
	e.First, e.Last, e.GapBytes, e.Incomplete = m.first, m.last, m.gap, why
	e.Size = m.last.Offset - m.first.Offset + 1
	c := &e.Content
	c.BodySize, c.KeptSize = uint64(m.prefix.length), uint64(len(m.kept))
	c.Body, c.Truncated = m.kept, m.cut
	if why != "" && c.Truncated == "" {
		c.Truncated = "incomplete"
	}
	shown := r.kind.show(&shownMessage{
		schema: r.schema, method: r.method, response: r.direction == dissect.ToClient, compressed: m.prefix.flags&flagCompressed != 0, coding: r.coding,
		payload: m.kept, whole: c.Truncated == "", limit: r.limit, sink: r.sink,
	})
	r.sink.Release(m.reserved)
	shown.onto(c)
	e.Reserved = shown.reserved
	if r.sink.Keep(eventSize) {
		e.Reserved += eventSize
	}
	r.sink.Message(&e.Message)
}

// Lose says that bytes are missing, or cannot be read.
func (r *reader) Lose(n uint64, why conn.Reason) {
	c := &r.current
	if r.kind.flavour != webText && n > 0 && c.open && uint64(c.left) >= n {
		c.left -= uint32(n)
		c.gap += n
		c.last.Offset += n
		c.last.Seq += uint32(n)
		if c.cut == "" {
			c.cut = "gap"
		}
		r.endIfWhole()
		return
	}
	r.abandon(why)
	r.lost = true
}

// abandon ends a message that is not whole.
func (r *reader) abandon(why conn.Reason) {
	if r.current.open {
		r.finish(why)
	}
	r.has = 0
}

// End says that nothing more comes.
func (r *reader) End(why conn.Reason) (events uint64) {
	if why == "" {
		why = dissect.ReasonIncomplete
	}
	r.abandon(why)
	r.ended = true
	r.sink.Release(r.held.reserved)
	r.held = message{}
	r.sink.Release(readerSize)
	return r.events
}
