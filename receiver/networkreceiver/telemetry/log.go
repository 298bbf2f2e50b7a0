// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// addLog builds the log record of the call's side. It stands beside the span and
// is useful without it.
func (b *Builder) addLog(c *call) {
	policy := &c.protocol.payload
	request, response := c.request.limited(policy.MaxBody, "limit"), c.response.limited(policy.MaxBody, "limit")
	b.roomForLog(len(request.body)+len(response.body)+2048, c.now)

	record := b.logs.scope(resourceOf(c.Conn)).LogRecords().AppendEmpty()
	record.SetTraceID(c.id.trace)
	record.SetSpanID(c.span)
	record.SetFlags(plog.LogRecordFlags(c.id.flags()))
	record.SetTimestamp(pcommon.Timestamp(c.start()))
	record.SetObservedTimestamp(pcommon.Timestamp(c.now))
	record.SetEventName(c.protocol.event)

	m := record.Attributes()
	m.EnsureCapacity(attributeRoom)
	m.PutStr(keySide, c.sideName())
	b.addCall(c, m)
	c.addCompleteness(m, [2]string{request.cut, response.cut})
	switch {
	case !policy.Enabled:
	case policy.InAttributes:
		b.addToAttributes(m, c, &request, &response)
	default:
		body := record.Body().SetEmptyMap()
		body.EnsureCapacity(2)
		b.addToBody(body, bodyRequest, c.Request, &request, c.protocol)
		b.addToBody(body, bodyResponse, c.Response, &response, c.protocol)
	}
	b.addedLog(record)
}

// addToBody adds one message to a log record's body. A message that was not seen
// is not there.
func (b *Builder) addToBody(body pcommon.Map, key string, msg *dissect.Message, p *payload, proto *protocol) {
	if msg == nil {
		return
	}
	m := body.PutEmptyMap(key)
	m.EnsureCapacity(3)
	if fields := msg.Content.Headers; len(fields) > 0 {
		headers := m.PutEmptyMap(bodyHeaders)
		headers.EnsureCapacity(min(len(fields), maxFields))
		b.addFields(headers, fields, &proto.headerNames)
	}
	if fields := msg.Content.Trailers; len(fields) > 0 {
		b.addFields(m.PutEmptyMap(bodyTrailers), fields, &proto.headerNames)
	}
	putBody(m, bodyBody, p)
}

// addToAttributes is the other place for the same payload.
func (b *Builder) addToAttributes(m pcommon.Map, c *call, request, response *payload) {
	b.addHeaders(c, m)
	if c.Request != nil {
		b.addTrailers(m, c.Request, c.protocol.request.trailer)
	}
	if c.Response != nil {
		b.addTrailers(m, c.Response, c.protocol.response.trailer)
	}
	putBody(m, c.protocol.request.body, request)
	putBody(m, c.protocol.response.body, response)
}

func (b *Builder) addTrailers(m pcommon.Map, msg *dissect.Message, prefix string) {
	if len(msg.Content.Trailers) > 0 {
		b.addFields(m, msg.Content.Trailers, &nameCache{prefix: prefix})
	}
}
