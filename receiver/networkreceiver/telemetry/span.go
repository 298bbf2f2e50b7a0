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

// addSpan builds the span of the call's side.
func (b *Builder) addSpan(c *call) {
	policy := &c.protocol.payload
	request, response := c.request.preview(policy.Preview), c.response.preview(policy.Preview)
	var fields [2][]field
	if policy.Enabled && policy.SpanHeaders {
		fields = [...][]field{c.request.headers, c.response.headers}
	}
	size := b.recordSize(c) + request.len() + response.len() + len(c.id.header.State) +
		sizeOf(fields[0], len(c.protocol.request.header)) + sizeOf(fields[1], len(c.protocol.response.header))
	b.roomForSpan(size, c.now)

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
	span.SetName(valid(c.summary.Name))
	if c.failed {
		span.Status().SetCode(ptrace.StatusCodeError)
	}

	m := span.Attributes()
	m.EnsureCapacity(len(b.common.list) + completenessRoom + len(fields[0]) + len(fields[1]) + 2)
	b.common.put(m)
	c.addCompleteness(m, [2]string{request.cut, response.cut})
	addToSpan(m, fields[0])
	addToSpan(m, fields[1])
	putBody(m, c.protocol.request.body, &request)
	putBody(m, c.protocol.response.body, &response)
	b.addedSpan(size)
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
