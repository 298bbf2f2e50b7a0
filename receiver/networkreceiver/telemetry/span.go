// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/tracecontext"
)

// Bits of a span's flags beyond the W3C ones (opentelemetry-proto, SpanFlags).
const (
	flagHasIsRemote = 0x100
	flagIsRemote    = 0x200
)

// maxStatus bounds a status description.
const maxStatus = 1 << 10

// addSpan builds the span of the call's side.
func (b *Builder) addSpan(c *call) {
	policy := &c.protocol.payload
	request, response := c.request.preview(policy.Preview), c.response.preview(policy.Preview)
	var fields [2][]field
	if policy.Enabled && policy.SpanHeaders {
		fields = [...][]field{c.request.headers, c.response.headers}
	}
	m := &b.attributes
	n, bytes := len(m.list), m.bytes
	c.addCompleteness(m, [2]string{request.cut, response.cut})
	m.addFields(fields[0])
	m.addFields(fields[1])
	m.addText(c.protocol.request.body, request.text)
	m.addText(c.protocol.response.body, response.text)
	size := recordRoom + m.bytes + len(c.summary.Name) + min(len(c.summary.Status), maxStatus) + len(c.id.header.State)
	batch := b.roomForSpan(c.class, size, c.now)

	span := batch.scope(resourceOf(c.Conn)).Spans().AppendEmpty()
	span.SetTraceID(c.id.trace)
	span.SetSpanID(c.span)
	span.SetParentSpanID(c.parent)
	span.SetFlags(c.spanFlags())
	span.TraceState().FromRaw(c.id.header.State)
	span.SetKind(ptrace.SpanKindClient)
	if c.side == dissect.ServerSide {
		span.SetKind(ptrace.SpanKindServer)
	}
	span.SetStartTimestamp(c.timestamp(c.start()))
	span.SetEndTimestamp(c.timestamp(c.end()))
	span.SetName(valid(c.summary.Name))
	if c.failed {
		span.Status().SetCode(ptrace.StatusCodeError)
		span.Status().SetMessage(valid(clip(c.summary.Status, maxStatus)))
	}

	b.shapes.put(span.Attributes(), m.list[1:]) // all but the side
	m.truncate(n, bytes)
	if c.side == dissect.ServerSide && c.id.answer.Format != tracecontext.None {
		c.linkAnswer(span)
		size += spanLinkSize
	}
	if c.forward != nil {
		batch.forwards = append(batch.forwards, spanForward{c.forward, span})
	}
	if b.waits(c) {
		batch.links = append(batch.links, spanLink{c.link(), span})
	}
	b.addedSpan(c.class, size)
}

// linkAnswer links the SERVER span to the span that the server itself has made.
func (c *call) linkAnswer(span ptrace.Span) {
	to := span.Links().AppendEmpty()
	to.SetTraceID(c.id.answer.TraceID)
	to.SetSpanID(c.id.answer.SpanID)
	to.SetFlags(c.id.flags())
}

// spanFlags says whether the parent is in another process where that is known. It
// is not for the parent of a CLIENT span: the process may have made the header or
// passed on one that it got.
func (c *call) spanFlags() uint32 {
	flags := c.id.flags()
	switch {
	case c.parent.IsEmpty():
		flags |= flagHasIsRemote
	case c.side == dissect.ServerSide:
		flags |= flagHasIsRemote | flagIsRemote
	}
	return flags
}
