// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Reader reads the frames of one direction and makes an event of each message.
type Reader struct {
	// Origin, Keyed and Key go onto each event.
	Origin *dissect.Message
	Keyed  bool
	Key    uint64

	direction dissect.Direction
	masked    bool // the last frame was, or the next one should be
	limit     int
	sink      dissect.Sink
	talk      *talk // of both directions
	deflate   deflate
	// joined is set where messages may have been lost before the next frame.
	joined bool

	data    message // of text or binary frames; control frames may come between
	control message
	frame   frame
	read    uint64 // bytes of the frame's payload so far
	inFrame bool
}

// NewReaders returns a reader of the frames for each direction of a connection. Calls in
// messages are not looked for of the protocols whose names are disabled.
func NewReaders(limits dissect.Limits, sink dissect.Sink, disabled map[string]bool) (readers [2]*Reader) {
	talk := newTalk(limits.Outstanding, sink, disabled)
	for d := range readers {
		readers[d] = &Reader{direction: dissect.Direction(d), masked: masks(dissect.Direction(d)), limit: limits.BodyBytes, sink: sink, talk: talk}
	}
	return readers
}

// Answer takes the response of the handshake.
func (r *Reader) Answer(m *dissect.Message) {
	for _, h := range m.Content.Headers {
		switch {
		case strings.EqualFold(h.Name, "Sec-WebSocket-Extensions"):
			r.extensions(h.Value)
		case strings.EqualFold(h.Name, "Sec-WebSocket-Protocol"):
			r.talk.agree(strings.TrimSpace(h.Value))
		}
	}
}

// Data takes bytes as Conversation.Data does.
func (r *Reader) Data(m dissect.Marks, b []byte) (used, need int, err error) {
	return r.take(m, 0, b)
}

// take is Data for bytes of which the first has the index at in m.
func (r *Reader) take(m dissect.Marks, at int, b []byte) (used, need int, err error) {
	for used < len(b) {
		if r.inFrame {
			n := int(min(uint64(len(b)-used), r.frame.length-r.read))
			r.payload(m.At(at+used+n-1), b[used:used+n])
			used += n
			continue
		}
		f, need, ok := parseFrame(b[used:])
		if !ok || !r.fits(&f) && need == 0 {
			r.Lose(dissect.ReasonViolation)
			return used, 0, dissect.ErrViolation
		}
		if need > 0 {
			return used, need, nil
		}
		r.begin(f, m.At(at+used), m.At(at+used+f.header-1))
		used += f.header
	}
	return used, 0, nil
}

// fits reports whether a frame can come next (RFC 6455, section 5.4).
func (r *Reader) fits(f *frame) bool {
	switch {
	case f.opcode.isControl():
		return true
	case f.opcode == opContinuation:
		return (r.data.begun || r.joined) && !f.compressed
	}
	return !r.data.begun
}

// current is the message that the frame belongs to.
func (r *Reader) current() *message {
	if r.frame.opcode.isControl() {
		return &r.control
	}
	return &r.data
}

func (r *Reader) begin(f frame, first, last conn.Mark) {
	r.frame, r.read, r.inFrame, r.masked = f, 0, true, f.masked
	m := r.current()
	if !m.begun {
		*m = message{begun: true, opcode: f.opcode, compressed: f.compressed, first: first, last: last}
		if f.opcode == opContinuation {
			// Its beginning was not seen.
			m.opcode, m.cut = opBinary, "gap"
			r.deflate.forget()
		}
	}
	if flag := f.flag(r.direction); flag != "" {
		m.flag = flag
	}
	r.joined = r.joined && f.opcode.isControl()
	m.fragments++
	m.see(uint64(f.header), last)
	r.endFrame()
}

// payload takes bytes of a frame's payload, the last of them at last.
func (r *Reader) payload(last conn.Mark, b []byte) {
	m := r.current()
	kept := m.take(b, r.limit, r.sink)
	if r.frame.masked {
		unmask(kept, r.frame.mask, r.read)
	}
	r.read += uint64(len(b))
	m.see(uint64(len(b)), last)
	r.endFrame()
}

// endFrame ends the frame, and the message with it, if all of it is there.
func (r *Reader) endFrame() {
	if r.read < r.frame.length {
		return
	}
	r.inFrame = false
	if r.frame.final {
		r.finish(r.current(), "")
	}
}

// Gap says that n bytes are missing, as Conversation.Gap does.
func (r *Reader) Gap(m conn.Mark, n uint64) (resumed bool) {
	if !r.inFrame || n > r.frame.length-r.read {
		r.Lose(dissect.ReasonGap)
		return false
	}
	msg := r.current()
	msg.lose(n)
	r.read += n
	m.Offset += n - 1
	m.Seq += uint32(n - 1)
	msg.see(n, m)
	r.endFrame()
	return true
}

// Lose ends what is under way: it is not known where the next frame begins, and why.
func (r *Reader) Lose(why conn.Reason) {
	r.interrupt(why)
	r.deflate.forget()
	r.joined = true
}

// End says that no more bytes will come.
func (r *Reader) End(why conn.Reason) {
	r.interrupt(why)
	r.deflate.close(r.sink)
	r.talk.end()
}

func (r *Reader) interrupt(why conn.Reason) {
	for _, m := range [...]*message{&r.control, &r.data} {
		if m.begun {
			r.finish(m, why)
		}
	}
	r.inFrame = false
}
