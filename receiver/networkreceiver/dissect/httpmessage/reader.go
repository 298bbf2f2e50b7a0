// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Reader reads a message's body while it comes, and tells Events of the call before
// the call is over. It hands them to the Sink that it was opened with, which adds
// what the version of HTTP knows of their call (Key, Origin).
type Reader interface {
	// Read takes the next bytes of the body, transfer coding and content codings
	// removed. The mark of p[i] is m.At(at+i). p is borrowed.
	Read(p []byte, m dissect.Marks, at int)
	// Lose says that n bytes of the body are missing before the next Read, or, with
	// 0, that any number may be, and why.
	Lose(n uint64, why conn.Reason)
	// End says that nothing more comes. why is empty if the body is whole, else
	// Message.Incomplete. What the reader keeps of it is given back. It tells how
	// many events there were.
	End(why conn.Reason) (events uint64)
}

// Renderer is a Reader that shows the kept body in another form: what it says, not how it
// is framed.
type Renderer interface {
	// Render may replace Body and MediaType of a body that is finished, and add
	// Trailers that were part of it. reserved is what Sink.Keep has granted for it so
	// far; it returns what is granted afterwards.
	Render(content *dissect.Content, reserved int) (now int)
}

// Head is what is known when the header section of a message is there and a body
// follows. All of it is borrowed.
type Head struct {
	Message *dissect.Message // its Direction, headers and media type
	// Path is that of the request, also for a response, without its query. It is
	// empty where it is not known.
	Path string
	// Codings are the content codings in the order in which they were applied.
	Codings []string
	Limits  dissect.Limits
	// Peer is the reader of the request for its response, if there is one. It may
	// have ended.
	Peer Reader
}

// EventInfo is Message.Protocol of an Event that a Reader tells.
type EventInfo interface {
	// DescribeEvent is that of dissect.EventDescriber.
	DescribeEvent(m *dissect.Message, out dissect.Attributes) (name string)
}

// TunnelInfo is Message.Protocol of the request of a call that goes through a tunnel
// (RFC 8441).
type TunnelInfo interface {
	// DescribeCall is dissect.Dissector.Describe of the call.
	DescribeCall(out dissect.Attributes) dissect.Summary
}

// DescribeEvent implements dissect.EventDescriber for all versions of HTTP.
func DescribeEvent(m *dissect.Message, out dissect.Attributes) (name string) {
	if info, ok := m.Protocol.(EventInfo); ok {
		return info.DescribeEvent(m, out)
	}
	return "http.event"
}

// Stream is the part of a body that is read while it comes.
type Stream struct {
	reader   Reader
	coded    bool      // the reader gets the body when it is whole and its codings are removed
	unpacker *unpacker // removes the coding while the body comes
}

// Attach sets who reads the body. codings are those that are still to be removed. If that
// cannot be done while the body comes, the reader gets it as a whole, when it ends.
func (b *Body) Attach(r Reader, codings []string, sink dissect.Sink) {
	b.stream = Stream{reader: r}
	if len(codings) > 0 {
		b.stream.unpacker = newUnpacker(codings, sink)
		b.stream.coded = b.stream.unpacker == nil
	}
}

// Streams reports whether somebody reads the body while it comes. No byte of it is
// to be left out.
func (b *Body) Streams() bool { return b.stream.reader != nil && !b.stream.coded }

// Read hands bytes that were seen to the reader, if there is one. It is called besides
// Take.
func (b *Body) Read(p []byte, m dissect.Marks, at int) {
	s := &b.stream
	switch {
	case !b.Streams() || len(p) == 0:
	case s.unpacker == nil:
		s.reader.Read(p, m, at)
	case !s.unpacker.over:
		// What the bytes say has the position of the last of them.
		switch {
		case s.unpacker.feed(p, s.readAt(m.At(at+len(p)-1))):
		case s.unpacker.input.full:
			s.unpacker.close()
			s.unpacker, s.coded = nil, true
		default:
			s.reader.Lose(0, dissect.ReasonViolation)
		}
	}
}

// readAt hands to the reader what was decoded from the bytes up to last.
func (s *Stream) readAt(last conn.Mark) func([]byte) {
	return func(p []byte) { s.reader.Read(p, dissect.MarksAt(last), 0) }
}

// Doubt tells the reader that a part of the body may be missing, and why.
func (b *Body) Doubt(why conn.Reason) { b.stream.lose(0, why) }

// lose tells the reader of a hole. What follows one in a coded body cannot be decoded.
func (s *Stream) lose(n uint64, why conn.Reason) {
	switch {
	case s.reader == nil || s.coded:
	case s.unpacker == nil:
		s.reader.Lose(n, why)
	case !s.unpacker.over:
		s.unpacker.over = true
		s.reader.Lose(0, why)
	}
}

// EndStream ends the reading of the body of a message that is finished otherwise. All
// of a body that was coded was sent up to the mark last.
func (b *Body) EndStream(content *dissect.Content, last conn.Mark, why conn.Reason) (events uint64) {
	s := &b.stream
	r := s.reader
	if r == nil {
		return 0
	}
	if s.unpacker != nil {
		s.unpacker.end(s.readAt(last))
	}
	if s.coded && !content.DecodeError && len(content.Body) > 0 {
		r.Read(content.Body, dissect.MarksAt(last), 0)
		if why == "" && content.Truncated != "" {
			why = conn.Reason(content.Truncated)
		}
	}
	if renderer, ok := r.(Renderer); ok {
		b.Reserved = renderer.Render(content, b.Reserved)
	}
	b.stream = Stream{}
	return r.End(why)
}
