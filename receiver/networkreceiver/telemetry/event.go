// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// Event builds the log record of something that is told of a call while it runs. It
// is linked to the span that the call has or will have.
func (b *Builder) Event(e *pair.Event) {
	switch {
	case b.abandoned():
		b.stats.Abandoned.Add(1)
	case b.set.Logs:
		before := b.redactor.Applied()
		b.buildEvent(e)
		b.stats.Redactions.Add(b.redactor.Applied() - before)
		b.call = call{}
		b.attributes.reset()
	}
	e.Conn.Memory.Give(e.Message.Reserved)
}

func (b *Builder) buildEvent(e *pair.Event) {
	x := pair.Exchange{Conn: e.Conn, Dissector: e.Dissector, ClientIsLocal: e.ClientIsLocal, Request: e.Origin}
	if e.Origin == nil {
		x.Response = e.Message
	}
	c := &b.call
	*c = call{Exchange: &x, protocol: b.protocolOf(x.Dissector), id: identify(&x), naming: b.set.ServiceName, now: b.now(), step: b.step()}
	content := b.payloadOf(c.protocol, e.Message)
	content = content.limited(c.protocol.payload.MaxBody, "limit")
	for _, side := range b.sides(&x) {
		c.view(side, b.peerCaptured(x.Conn))
		b.addEvent(c, e.Message, &content)
	}
}

// addEvent builds the record of one side.
func (b *Builder) addEvent(c *call, m *dissect.Message, content *payload) {
	attributes := &b.attributes
	attributes.reset()
	attributes.payload = c.protocol.payload.Enabled
	attributes.str(semconv.Side, c.sideName())
	c.addParent(attributes)
	attributes.str(semconv.EventDirection, eventDirection(m))
	attributes.Int(semconv.EventSize, int64(m.Content.BodySize))
	attributes.strIfAny(semconv.EventTruncated, content.cut)
	if m.GapBytes > 0 {
		attributes.Int(semconv.GapBytes, int64(m.GapBytes))
	}
	attributes.flags(m.Flags)
	name := "message"
	if n, ok := c.Dissector.(dissect.EventDescriber); ok {
		m.Origin = c.Request
		name = n.DescribeEvent(m, attributes)
	}
	b.addNetwork(c, attributes)
	size := recordRoom + attributes.bytes + len(name) + content.len()
	batch := b.roomForLog(c.class, size, c.now)

	record := batch.scope(resourceOf(c.Conn)).LogRecords().AppendEmpty()
	record.SetTraceID(c.id.trace)
	record.SetSpanID(c.span)
	record.SetFlags(plog.LogRecordFlags(c.id.flags()))
	record.SetTimestamp(c.timestamp(m.First.Time))
	record.SetObservedTimestamp(pcommon.Timestamp(c.now))
	record.SetEventName("wirespan." + name)

	b.shapes.put(record.Attributes(), attributes.list)
	switch {
	case len(content.bytes) > 0:
		record.Body().SetEmptyBytes().FromRaw(content.bytes)
	case content.text != "":
		record.Body().SetStr(content.text)
	}
	b.addedLog(c.class, size)
}

// eventDirection says who sent an event.
func eventDirection(m *dissect.Message) string {
	if m.Direction == dissect.ToServer {
		return "request"
	}
	return "response"
}
