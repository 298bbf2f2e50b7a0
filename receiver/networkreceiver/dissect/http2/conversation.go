// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"cmp"
	"encoding/binary"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"
)

// conversation is one connection: two directions that each read frames, and the
// streams that the frames belong to.
type conversation struct {
	applications *application.Set

	limits  dissect.Limits
	sink    dissect.Sink
	halves  [2]half
	streams streams
	newest  uint32 // the highest stream that the client has opened
	resets  int    // how many more streams may be reset before they are answered
	settled int64  // when resets was last raised
	ignored uint32 // streams up to here that are not known stay unknown
	fresh   []fresh
}

// half is one direction.
type half struct {
	started bool
	// joined is set where frames may have been lost: there are streams that are not
	// known, and table entries.
	joined bool
	// largest is the payload of the largest DATA frame that was sent, or the size that the
	// other end allows, if it is more than usual.
	largest int
	block   block
	// What is left of a payload that is read as it comes.
	frame   frame
	left    int  // of the payload, with the padding
	padding int  // at its end
	payload bool // it is DATA; else it is skipped
	over    bool // nothing more comes
}

// Data takes the next bytes of one direction.
func (c *conversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	used, need, err = c.read(d, &c.halves[d], m, b)
	c.tellBegun()
	return used, need, err
}

// read is Data for a direction's half.
func (c *conversation) read(d dissect.Direction, h *half, m dissect.Marks, b []byte) (used, need int, err error) {
	for used < len(b) {
		var n int
		switch {
		case !h.started:
			n, need, err = c.start(d, h, b)
		case h.left > 0:
			n = min(h.left, len(b)-used)
			c.more(d, h, m, used, b[used:used+n])
		default:
			n, need, err = c.frame(d, h, m, used, b[used:])
		}
		used += n
		if err != nil {
			c.lose(d, h, dissect.ReasonViolation)
			return used, 0, err
		}
		if n == 0 && need > 0 {
			return used, need, nil
		}
	}
	return used, 0, nil
}

// start looks at the first bytes of a direction. A client begins with its preface,
// a server with SETTINGS; what begins otherwise was joined in the middle, maybe of a frame.
func (c *conversation) start(d dissect.Direction, h *half, b []byte) (n, need int, err error) {
	if d == dissect.ToServer {
		k := min(len(b), len(preface))
		switch {
		case string(b[:k]) != preface[:k]:
		case k < len(preface):
			return 0, len(preface), nil
		default:
			h.started = true
			return len(preface), 0, nil
		}
	}
	if len(b) < headerSize {
		return 0, headerSize, nil
	}
	h.started = true
	f := parseFrame(b)
	h.join(d == dissect.ToServer || f.kind != typeSettings || f.has(flagAck) || !f.valid())
	if h.joined && follow(b, &c.streams, h.mostPayload()).weight == 0 {
		return 0, 0, dissect.ErrViolation
	}
	return 0, 0, nil
}

// mostPayload is the length of the largest frame that may come.
func (h *half) mostPayload() int { return max(usualFrame, h.largest) }

// join notes that what came before is not known.
func (h *half) join(midway bool) {
	if midway {
		h.joined, h.block.table.unknown = true, true
	}
}

// frame reads a frame that starts at index at of the data that m marks.
func (c *conversation) frame(d dissect.Direction, h *half, m dissect.Marks, at int, b []byte) (n, need int, err error) {
	if len(b) < headerSize {
		return 0, headerSize, nil
	}
	f := parseFrame(b)
	if !f.valid() || h.block.open != (f.kind == typeContinuation) || h.block.open && f.stream != h.block.frame.stream {
		return 0, 0, dissect.ErrViolation
	}
	switch f.kind {
	case typeData:
		return c.data(d, h, m, at, b, f)
	case typeHeaders, typePushPromise, typeContinuation:
		if f.length > c.limits.HeaderBytes-headerSize || h.block.open && h.block.lost {
			return c.skipFields(d, h, m, at, f)
		}
	case typeRSTStream, typeGoAway:
		if f.length > c.limits.HeaderBytes-headerSize {
			return 0, 0, dissect.ErrViolation
		}
	case typeSettings:
		if f.length > maxSettings {
			return c.skip(h, f)
		}
	default:
		if f.length > h.mostPayload() {
			return 0, 0, dissect.ErrViolation
		}
		return c.skip(h, f)
	}
	n = headerSize + f.length
	if len(b) < n {
		return 0, n, nil
	}
	first, last := m.At(at), m.At(at+n-1)
	payload := b[headerSize:n]
	switch f.kind {
	case typeSettings:
		c.halves[d.Other()].allow(payload)
	case typeRSTStream:
		c.reset(d, f.stream, binary.BigEndian.Uint32(payload), first, last)
	case typeGoAway:
		c.goAway(d, payload, first, last)
	default:
		err = c.fields(d, h, f, payload, first, last)
	}
	return n, 0, err
}

// skip passes over a frame that says nothing of a call.
func (*conversation) skip(h *half, f frame) (n, need int, err error) {
	h.frame, h.left, h.padding, h.payload = f, f.length, 0, false
	return headerSize, 0, nil
}

// data begins a DATA frame, whose payload is taken as it comes.
func (c *conversation) data(d dissect.Direction, h *half, m dissect.Marks, at int, b []byte, f frame) (n, need int, err error) {
	n = headerSize + f.overhead()
	if len(b) < n {
		return 0, n, nil
	}
	h.frame, h.left, h.padding, h.payload = f, f.length-f.overhead(), 0, true
	if f.has(flagPadded) {
		h.padding = int(b[headerSize])
	}
	if h.padding > h.left {
		return 0, 0, dissect.ErrViolation
	}
	if p := c.partFor(d, h, f.stream, m.At(at)); p != nil {
		p.see(n, m.At(at+n-1))
	}
	if h.left == 0 {
		c.endData(d, h)
	}
	return n, 0, nil
}

// partFor is the message that a DATA frame belongs to. One whose beginning was not
// seen begins here.
func (c *conversation) partFor(d dissect.Direction, h *half, id uint32, first conn.Mark) *part {
	which, ok := roleOf(d, id)
	if !ok {
		return nil
	}
	s := c.streams.byID[id]
	switch {
	case s == nil && !c.mayBeUnknown(h, id):
		return nil
	case s == nil:
		if s = c.open(id); s == nil {
			return nil
		}
	}
	p := &s.parts[which]
	if !p.begun && h.joined {
		c.beginMidway(s, which, d, first)
	}
	if p.msg == nil {
		return nil
	}
	return p
}

// mayBeUnknown reports whether a stream that is not known may have begun before
// the connection was joined, or in a hole.
func (c *conversation) mayBeUnknown(h *half, id uint32) bool {
	return h.joined && id > c.ignored && !c.streams.isOver(id)
}

// roleOf tells which message of a stream is sent in a direction. A client opens
// odd streams, a server even ones, for responses only (RFC 9113, section 5.1.1).
func roleOf(d dissect.Direction, id uint32) (role, bool) {
	switch {
	case d == dissect.ToClient:
		return response, true
	case id%2 == 1:
		return request, true
	}
	return 0, false
}

// more takes bytes of a payload, which start at index at of the data that m marks.
func (c *conversation) more(d dissect.Direction, h *half, m dissect.Marks, at int, b []byte) {
	if h.payload {
		if p := c.current(d, h); p != nil {
			p.see(len(b), m.At(at+len(b)-1))
			if content := b[:min(len(b), max(0, h.left-h.padding))]; len(content) > 0 {
				toCome, exact := p.toCome(len(content))
				p.body.Read(content, m, at)
				p.body.Take(content, toCome, exact, c.limits.BodyBytes, c.sink)
				p.msg.Content.BodySize = p.body.Size
			}
		} else if t := c.through(d, h); t != nil {
			t.Read(b[:min(len(b), max(0, h.left-h.padding))], m, at)
		}
	}
	h.left -= len(b)
	if h.left == 0 && h.payload {
		c.endData(d, h)
	}
}

// current is the message that the DATA frame in progress belongs to.
func (c *conversation) current(d dissect.Direction, h *half) *part {
	which, ok := roleOf(d, h.frame.stream)
	s := c.streams.byID[h.frame.stream]
	if !ok || s == nil || s.parts[which].msg == nil {
		return nil
	}
	return &s.parts[which]
}

func (c *conversation) endData(d dissect.Direction, h *half) {
	h.largest = max(h.largest, h.frame.length)
	if h.frame.has(flagEndStream) {
		c.endStream(d, h.frame.stream)
	}
	h.payload = false
}

// skipFields passes over a frame of a block that cannot be read: it is too large, or
// a frame before was lost.
func (c *conversation) skipFields(d dissect.Direction, h *half, m dissect.Marks, at int, f frame) (n, need int, err error) {
	if f.kind != typeContinuation {
		h.block.begin(f, 0, m.At(at))
	}
	if !h.block.lost {
		c.sink.Limit("header_bytes")
		h.block.giveUp(flagBlockCut)
	}
	last := m.At(at + headerSize - 1)
	last.Offset += uint64(f.length)
	last.Seq += uint32(f.length)
	h.block.see(headerSize+f.length, last)
	h.frame, h.left, h.padding, h.payload = f, f.length, 0, false
	if f.has(flagEndHeaders) {
		c.endBlock(d, h)
	}
	return headerSize, 0, nil
}

// fields reads a HEADERS, PUSH_PROMISE or CONTINUATION frame.
func (c *conversation) fields(d dissect.Direction, h *half, f frame, payload []byte, first, last conn.Mark) error {
	fragment, promised, ok := f.fragment(payload)
	if !ok || f.kind == typePushPromise && (d == dissect.ToServer || promised == 0) {
		return dissect.ErrViolation
	}
	if f.kind != typeContinuation {
		h.block.begin(f, promised, first)
	}
	h.block.see(headerSize+f.length, last)
	h.block.add(fragment, f.has(flagEndHeaders))
	if f.has(flagEndHeaders) {
		c.endBlock(d, h)
	}
	return nil
}

// Gap says that n bytes are missing.
func (c *conversation) Gap(d dissect.Direction, m conn.Mark, n uint64) (resumed bool) {
	h := &c.halves[d]
	h.started = true
	if n > uint64(h.left) {
		c.lose(d, h, dissect.ReasonGap)
		return false
	}
	p := c.current(d, h)
	if h.payload && p != nil {
		m.Offset += n - 1
		m.Seq += uint32(n - 1)
		p.see(int(n), m)
		p.gap += n
		p.body.Lose(min(n, uint64(max(0, h.left-h.padding))))
	} else if t := c.through(d, h); t != nil && p == nil {
		t.Lose(min(n, uint64(max(0, h.left-h.padding))), dissect.ReasonGap)
	}
	h.left -= int(n)
	if h.left == 0 && h.payload {
		c.endData(d, h)
	}
	return true
}

// lose is for a direction whose thread is lost, and why: frames are missing, of any stream,
// and what they have added to the table.
func (c *conversation) lose(d dissect.Direction, h *half, why conn.Reason) {
	h.started, h.joined = true, true
	h.left, h.payload = 0, false
	h.block.drop()
	for s := c.streams.first; s != nil; s = s.next {
		if which, ok := roleOf(d, s.id); ok {
			s.parts[which].doubt = why
			s.parts[which].body.Doubt(why)
		}
		if t := s.tunnel[d]; t != nil {
			t.Lose(0, why)
		}
	}
}

// End says that no more bytes will come.
func (c *conversation) End(d dissect.Direction, _ int64, r conn.Reason) {
	h := &c.halves[d]
	h.over = true
	for s := c.streams.first; s != nil; {
		next := s.next
		if which, ok := roleOf(d, s.id); ok {
			c.finish(s, which, cmp.Or(r, conn.ReasonShutdown))
		}
		s.tunnel.end(d, cmp.Or(r, conn.ReasonShutdown))
		c.settle(s)
		s = next
	}
	h.left, h.payload = 0, false
	h.block.drop()
	h.block.table.close(c.sink)
}
