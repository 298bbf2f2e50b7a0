// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// DescribeEvent implements dissect.EventDescriber.
func (Dissector) DescribeEvent(m *dissect.Message, out dissect.Attributes) string {
	return httpmessage.DescribeEvent(m, out)
}

// attachReader lets what is spoken inside HTTP read the body that follows.
func (c *conversation) attachReader(s *stream, which role) {
	p := &s.parts[which]
	head := httpmessage.Head{Message: p.msg, Path: s.path(), Codings: p.codings, Limits: c.limits, Peer: s.peer}
	s.teller = teller{Sink: c.sink, stream: s}
	r := c.applications.Open(&head, &s.teller)
	if r == nil {
		return
	}
	p.body.Attach(r, p.codings, c.sink)
	if which == request {
		s.peer = r
	}
}

// path is that of a stream's request, as long as it has not ended.
func (s *stream) path() string {
	m := s.parts[request].msg
	if m == nil {
		return ""
	}
	r, _ := m.Protocol.(*RequestInfo)
	path, _, _ := strings.Cut(r.Path, "?")
	return path
}

// teller is the Sink of the readers of a stream's bodies.
type teller struct {
	dissect.Sink
	stream *stream
}

// Message adds to an event the call that it is of. A tunnel's messages may be calls
// themselves.
func (t *teller) Message(m *dissect.Message) {
	s := t.stream
	if !m.Keyed { // it may be of a call inside
		m.Keyed, m.Key = true, uint64(s.id)
	}
	if asked := s.parts[request].msg; asked != nil {
		m.Origin = asked
	}
	if of := s.parts[m.Direction].msg; of != nil {
		of.Events++
	}
	t.Sink.Message(m)
}
