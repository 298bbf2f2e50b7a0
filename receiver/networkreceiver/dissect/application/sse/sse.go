// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package sse tells server-sent events (WHATWG HTML, section 9.2) while their response
// streams.
package sse // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/sse"

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// MediaType is that of event streams.
const MediaType = "text/event-stream"

// Protocol is the application.Protocol and Opener of event streams.
type Protocol struct{}

// Info implements application.Protocol.
func (Protocol) Info() dissect.Info { return dissect.Info{Name: "sse"} }

// Describe tells how many events a response had. What they carry may be of another
// protocol.
func (Protocol) Describe(_ dissect.Side, _ *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes, s dissect.Summary) (dissect.Summary, bool) {
	if resp != nil && resp.Message.Content.MediaType == MediaType {
		out.Int("wirespan.sse.events", int64(resp.Message.Events))
	}
	return s, false
}

// Open gives a reader for the body of a response that is an event stream.
func (Protocol) Open(h *httpmessage.Head, sink dissect.Sink) httpmessage.Reader {
	if h.Message.Direction != dissect.ToClient || h.Message.Content.MediaType != MediaType {
		return nil
	}
	if !sink.Keep(readerSize) {
		return nil
	}
	return &reader{sink: sink, limit: min(maxEvent, h.Limits.BodyBytes), fresh: true, info: EventInfo{Retry: -1}}
}

// EventInfo is Message.Protocol of an event.
type EventInfo struct {
	Type    string // empty for the default, "message"
	ID      string
	Retry   int64  // milliseconds, -1 if not given
	Skipped uint64 // bytes between the event before and this one that are of no known event
}

var _ httpmessage.EventInfo = (*EventInfo)(nil)

// DescribeEvent tells an event's fields, and the call whose response it is in. Its data is the body.
func (e *EventInfo) DescribeEvent(m *dissect.Message, out dissect.Attributes) string {
	httpmessage.DescribeOrigin(m, out)
	if e.Type != "" {
		out.Str("wirespan.sse.event.type", e.Type)
	}
	if e.ID != "" {
		out.Str("wirespan.sse.event.id", e.ID)
	}
	if e.Retry >= 0 {
		out.Int("wirespan.sse.event.retry", e.Retry)
	}
	if e.Skipped > 0 {
		out.Int("wirespan.sse.skipped_bytes", int64(e.Skipped))
	}
	return "sse.event"
}
