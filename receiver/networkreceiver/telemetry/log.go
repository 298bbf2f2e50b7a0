// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// addLog builds the log record of the call's side. It stands beside the span and
// is useful without it.
func (b *Builder) addLog(c *call) {
	policy := &c.protocol.payload
	request, response := c.request.limited(policy.MaxBody, "limit"), c.response.limited(policy.MaxBody, "limit")
	m := &b.attributes
	n, bytes := len(m.list), m.bytes
	c.addSpan(m)
	c.addElapsed(m)
	c.addCompleteness(m, [2]string{request.cut, response.cut})
	if b.set.LeanLogs && b.set.Traces {
		m = b.lean()
	}
	payload := c.request.size(&request) + c.response.size(&response)
	if policy.Enabled && policy.InAttributes {
		c.addPayload(m, &request, &response)
		payload = len(request.bytes) + len(response.bytes)
	}
	size := recordRoom + m.bytes + len(c.protocol.event) + payload
	batch := b.roomForLog(c.class, size, c.now)

	record := batch.scope(resourceOf(c.Conn)).LogRecords().AppendEmpty()
	record.SetTraceID(c.id.trace)
	record.SetSpanID(c.span)
	record.SetFlags(plog.LogRecordFlags(c.id.flags()))
	record.SetTimestamp(c.timestamp(c.start()))
	record.SetObservedTimestamp(pcommon.Timestamp(c.now))
	record.SetEventName(c.protocol.event)

	b.shapes.put(record.Attributes(), m.list)
	b.attributes.truncate(n, bytes)
	if c.forward != nil {
		batch.forwards = append(batch.forwards, logForward{c.forward, record})
	}
	if b.waits(c) {
		batch.links = append(batch.links, logLink{c.link(), record})
	}
	switch {
	case !policy.Enabled:
	case policy.InAttributes:
		putBytes(record.Attributes(), c.protocol.request.body, request.bytes)
		putBytes(record.Attributes(), c.protocol.response.body, response.bytes)
	default:
		b.addBody(record.Body(), c, &request, &response)
	}
	b.addedLog(c.class, size)
}

// addSpan adds what the call's span says of itself, and whether there is another one of
// the same call: who has only log records can do without spans.
func (c *call) addSpan(m *attributes) {
	m.str(semconv.SpanName, c.summary.Name)
	if c.failed {
		m.strIfAny(semconv.StatusMessage, clip(c.summary.Status, maxStatus))
	}
	c.addParent(m)
}

// leanKeys are the attributes of a lean log record: what it is, how it ended, and what
// is not the same on the span.
var leanKeys = map[string]bool{
	semconv.Side: true, semconv.SpanName: true, semconv.PeerCaptured: true, semconv.ErrorType: true, semconv.Incomplete: true,
	semconv.NetworkProtocolName: true, semconv.ServerAddress: true, semconv.URLFull: true, "url.path": true,
	"http.request.method": true, "http.response.status_code": true, "rpc.response.status_code": true, "wirespan.dns.response.code": true,
	requestKeys.bodyTruncated: true, responseKeys.bodyTruncated: true,
}

// lean returns the attributes of a lean log record. They are valid until the next call.
func (b *Builder) lean() *attributes {
	few := &b.few
	few.reset()
	for _, v := range b.attributes.list {
		if leanKeys[v.key] {
			few.add(v)
		}
	}
	return few
}

// addBody puts both messages into a log record's body.
func (b *Builder) addBody(to pcommon.Value, c *call, request, response *payload) {
	usual := len(c.request.trailers)+len(c.response.trailers)+len(request.bytes)+len(response.bytes) == 0
	if k := b.shapes.kinds; k != nil && usual {
		headers := k.body(to, [2]slabPart{
			{bodyRequest, c.Request != nil, len(c.request.headers) > 0, request.text},
			{bodyResponse, c.Response != nil, len(c.response.headers) > 0, response.text},
		})
		b.putFields(headers[0], c.request.headers)
		b.putFields(headers[1], c.response.headers)
		return
	}
	body := to.SetEmptyMap()
	body.EnsureCapacity(2)
	b.addToBody(body, bodyRequest, c.Request, &c.request, request)
	b.addToBody(body, bodyResponse, c.Response, &c.response, response)
}

// addToBody adds one message to a log record's body. A message that was not seen
// is not there.
func (b *Builder) addToBody(body pcommon.Map, key string, msg *dissect.Message, p *parts, content *payload) {
	if msg == nil {
		return
	}
	m := body.PutEmptyMap(key)
	m.EnsureCapacity(2)
	if len(p.headers) > 0 {
		b.putFields(m.PutEmptyMap(bodyHeaders), p.headers)
	}
	if len(p.trailers) > 0 {
		b.putFields(m.PutEmptyMap(bodyTrailers), p.trailers)
	}
	putBody(m, bodyBody, content)
}

// addPayload is the other place for the same payload. Bytes are put into the record.
func (c *call) addPayload(m *attributes, request, response *payload) {
	m.addFields(c.request.headers)
	m.addFields(c.response.headers)
	m.addFields(c.request.trailers)
	m.addFields(c.response.trailers)
	m.addText(c.protocol.request.body, request.text)
	m.addText(c.protocol.response.body, response.text)
}

// size is about what fields and body take as OTLP in a log record's body.
func (p *parts) size(body *payload) int {
	return sizeOf(p.headers) + sizeOf(p.trailers) + body.len()
}
