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
	size := b.recordSize(c) + request.len() + response.len() + c.request.fieldsSize(&c.protocol.request) + c.response.fieldsSize(&c.protocol.response)
	b.roomForLog(size, c.now)

	record := b.logs.scope(resourceOf(c.Conn)).LogRecords().AppendEmpty()
	record.SetTraceID(c.id.trace)
	record.SetSpanID(c.span)
	record.SetFlags(plog.LogRecordFlags(c.id.flags()))
	record.SetTimestamp(pcommon.Timestamp(c.start()))
	record.SetObservedTimestamp(pcommon.Timestamp(c.now))
	record.SetEventName(c.protocol.event)

	m := record.Attributes()
	m.EnsureCapacity(1 + len(b.common.list) + completenessRoom)
	m.PutStr(keySide, c.sideName())
	b.common.put(m)
	c.addCompleteness(m, [2]string{request.cut, response.cut})
	switch {
	case !policy.Enabled:
	case policy.InAttributes:
		c.addToAttributes(m, &request, &response)
	default:
		body := record.Body().SetEmptyMap()
		body.EnsureCapacity(2)
		addToBody(body, bodyRequest, c.Request, &c.request, &request)
		addToBody(body, bodyResponse, c.Response, &c.response, &response)
	}
	b.addedLog(size)
}

// addToBody adds one message to a log record's body. A message that was not seen
// is not there.
func addToBody(body pcommon.Map, key string, msg *dissect.Message, p *parts, content *payload) {
	if msg == nil {
		return
	}
	m := body.PutEmptyMap(key)
	m.EnsureCapacity(2)
	if len(p.headers) > 0 {
		addToMap(m.PutEmptyMap(bodyHeaders), p.headers)
	}
	if len(p.trailers) > 0 {
		addToMap(m.PutEmptyMap(bodyTrailers), p.trailers)
	}
	putBody(m, bodyBody, content)
}

// addToAttributes is the other place for the same payload.
func (c *call) addToAttributes(m pcommon.Map, request, response *payload) {
	addToSpan(m, c.request.headers)
	addToSpan(m, c.response.headers)
	addToSpan(m, c.request.trailers)
	addToSpan(m, c.response.trailers)
	putBody(m, c.protocol.request.body, request)
	putBody(m, c.protocol.response.body, response)
}

func (p *parts) fieldsSize(k *messageKeys) int {
	return sizeOf(p.headers, len(k.header)) + sizeOf(p.trailers, len(k.trailer))
}
