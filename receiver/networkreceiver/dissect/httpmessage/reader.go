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
	// 0, that any number may be.
	Lose(n uint64)
	// End says that nothing more comes. why is empty if the body is whole, else
	// Message.Incomplete. What the reader keeps of it is given back. It tells how
	// many events there were.
	End(why string) (events uint64)
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
	// empty where it is not known, and for responses in HTTP/1.
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
	// DescribeEvent is that of dissect.Narrator.
	DescribeEvent(m *dissect.Message, out dissect.Attributes) (name string)
}

// DescribeEvent implements dissect.Narrator for all versions of HTTP.
func DescribeEvent(m *dissect.Message, out dissect.Attributes) (name string) {
	if info, ok := m.Protocol.(EventInfo); ok {
		return info.DescribeEvent(m, out)
	}
	return "http.event"
}

// Stream is the part of a body that is read while it comes.
type Stream struct {
	reader Reader
	coded  bool // the reader gets the body when it is whole and its codings are removed
}

// Attach sets who reads the body. codings are those that are still to be removed; the
// reader of a body that has any gets it as a whole, when it ends.
func (b *Body) Attach(r Reader, codings []string) {
	b.stream = Stream{reader: r, coded: len(codings) > 0}
}

// Streams reports whether somebody reads the body while it comes. No byte of it is
// to be left out.
func (b *Body) Streams() bool { return b.stream.reader != nil && !b.stream.coded }

// Read hands bytes that were seen to the reader, if there is one. It is called besides
// Take.
func (b *Body) Read(p []byte, m dissect.Marks, at int) {
	if b.Streams() && len(p) > 0 {
		b.stream.reader.Read(p, m, at)
	}
}

// Doubt tells the reader that a part of the body may be missing.
func (b *Body) Doubt() { b.stream.lose(0) }

// lose tells the reader of a hole.
func (s *Stream) lose(n uint64) {
	if s.reader != nil && !s.coded {
		s.reader.Lose(n)
	}
}

// EndStream ends the reading of the body of a message that is finished otherwise. All
// of a body that was coded was sent up to the mark last.
func (b *Body) EndStream(content *dissect.Content, last conn.Mark, why string) (events uint64) {
	r := b.stream.reader
	if r == nil {
		return 0
	}
	if b.stream.coded && !content.DecodeError && len(content.Body) > 0 {
		r.Read(content.Body, dissect.MarksAt(last), 0)
		if why == "" && content.Truncated != "" {
			why = content.Truncated
		}
	}
	if renderer, ok := r.(Renderer); ok {
		b.Reserved = renderer.Render(content, b.Reserved)
	}
	b.stream = Stream{}
	return r.End(why)
}
