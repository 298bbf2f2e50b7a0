// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Bits of a span's flags beyond the W3C ones (opentelemetry-proto, SpanFlags).
const (
	flagHasIsRemote = 0x100
	flagIsRemote    = 0x200
)

// attributeRoom is how many attributes a record without headers has, about.
const attributeRoom = 40

// addSpan builds the span of the call's side.
func (b *Builder) addSpan(c *call) {
	policy := &c.protocol.payload
	request, response := c.request.preview(policy.Preview), c.response.preview(policy.Preview)
	b.roomForSpan(len(request.body)+len(response.body)+2048, c.now)

	span := b.traces.scope(resourceOf(c.Conn)).Spans().AppendEmpty()
	span.SetTraceID(c.id.trace)
	span.SetSpanID(c.span)
	span.SetParentSpanID(c.parent)
	span.SetFlags(c.spanFlags())
	span.TraceState().FromRaw(c.id.header.State)
	span.SetKind(ptrace.SpanKindClient)
	if c.side == dissect.ServerSide {
		span.SetKind(ptrace.SpanKindServer)
	}
	span.SetStartTimestamp(pcommon.Timestamp(c.start()))
	span.SetEndTimestamp(pcommon.Timestamp(c.end()))

	m := span.Attributes()
	m.EnsureCapacity(attributeRoom + b.fieldsOnSpan(c))
	summary, isError := b.addCall(c, m)
	c.addCompleteness(m, [2]string{request.cut, response.cut})
	span.SetName(valid(summary.Name))
	if isError {
		span.Status().SetCode(ptrace.StatusCodeError)
	}
	if policy.Enabled && policy.SpanHeaders {
		b.addHeaders(c, m)
	}
	putBody(m, c.protocol.request.body, &request)
	putBody(m, c.protocol.response.body, &response)
	b.addedSpan(span)
}

// addCall adds what a span and a log record have in common.
func (b *Builder) addCall(c *call, m pcommon.Map) (summary dissect.Summary, isError bool) {
	summary = c.Dissector.Describe(c.side, c.Request, c.Response, b.describing(m))
	isError, errorType := c.outcome(&summary)
	putStr(m, keyErrorType, errorType)
	c.addNetwork(m)
	c.addTimes(m)
	putStr(m, keyTraceSource, c.id.header.Format.String())
	return summary, isError
}

func (b *Builder) addHeaders(c *call, m pcommon.Map) {
	if c.Request != nil {
		b.addFields(m, c.Request.Content.Headers, &c.protocol.requestNames)
	}
	if c.Response != nil {
		b.addFields(m, c.Response.Content.Headers, &c.protocol.responseNames)
	}
}

// fieldsOnSpan is how many attributes headers will make.
func (b *Builder) fieldsOnSpan(c *call) (n int) {
	if policy := &c.protocol.payload; !policy.Enabled || !policy.SpanHeaders {
		return 0
	}
	if c.Request != nil {
		n += min(len(c.Request.Content.Headers), maxFields)
	}
	if c.Response != nil {
		n += min(len(c.Response.Content.Headers), maxFields)
	}
	return n
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
