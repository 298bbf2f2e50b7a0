// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc

import (
	"encoding/json"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/protobuf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// shownMessage is a message on its way to people.
type shownMessage struct {
	schema     *protobuf.Schema
	method     string
	response   bool
	compressed bool
	coding     string
	payload    []byte
	whole      bool
	limit      int
	sink       dissect.Sink
}

// shown is what became of it.
type shown struct {
	body      []byte
	media     string
	coding    string // that was removed, or could not be
	undecoded bool
	truncated string
	reserved  int
}

// show decompresses a message and makes JSON of it. What can't be shown so stays bytes.
func (k kind) show(m *shownMessage) (s shown) {
	body := m.payload
	if m.compressed && m.coding != "" && m.coding != "identity" {
		var content dissect.Content
		plain := httpmessage.Body{Kept: body}
		plain.Finish(&content, []string{m.coding}, m.limit, m.sink)
		defer func() { m.sink.Release(plain.Reserved) }()
		body, s.coding, s.undecoded, s.truncated = content.Body, content.Coding, content.DecodeError, content.Truncated
	}
	if s.undecoded || s.truncated != "" || !m.whole {
		return s.bytes(body, m.sink)
	}
	text, ok := body, k.json && json.Valid(body)
	if !k.json {
		text, ok = m.schema.JSON(m.method, m.response, body)
	}
	if !ok {
		return s.bytes(body, m.sink)
	}
	if len(text) > m.limit {
		text, s.truncated = text[:m.limit], "limit"
		m.sink.Limit("body_bytes")
	}
	s.media = "application/json"
	return s.keep(text, m.sink)
}

func (s shown) bytes(body []byte, sink dissect.Sink) shown {
	s.media = "application/octet-stream"
	return s.keep(body, sink)
}

// keep copies what is shown, if there is memory for it.
func (s shown) keep(b []byte, sink dissect.Sink) shown {
	if !sink.Keep(len(b)) {
		s.truncated = "memory"
		return s
	}
	s.body, s.reserved = append(make([]byte, 0, len(b)), b...), len(b)
	return s
}

// onto puts it onto a message's content.
func (s *shown) onto(c *dissect.Content) {
	c.Body, c.MediaType, c.Charset = s.body, s.media, ""
	c.Coding, c.DecodeError = s.coding, s.undecoded
	if c.Truncated == "" {
		c.Truncated = s.truncated
	}
}

// EventInfo is Message.Protocol of a message of a stream.
type EventInfo struct {
	Method string // "pkg.Service/Method"
	Number uint64 // of its direction, from 1
}

var _ httpmessage.EventInfo = (*EventInfo)(nil)

// DescribeEvent tells which message of which call it is.
func (e *EventInfo) DescribeEvent(_ *dissect.Message, out dissect.Attributes) string {
	if e.Method != "" {
		out.Str("rpc.method", e.Method)
	}
	out.Int("wirespan.rpc.message.number", int64(e.Number))
	return "rpc.message"
}
