// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// openEvent is the name of the record that says that a call is open.
const openEvent = "wirespan.call.open"

// Open builds the log record of a call that has been open for long. It is linked to the
// span that the call will have.
func (b *Builder) Open(x *pair.Exchange, now int64) {
	if !b.set.Logs || b.abandoned() {
		return
	}
	before := b.redactor.Applied()
	c := &b.call
	*c = call{Exchange: x, protocol: b.protocolOf(x.Dissector), id: identify(x), naming: b.set.ServiceName, now: b.now(), step: b.step()}
	for _, side := range b.sides(x) {
		c.view(side, b.peerCaptured(x.Conn))
		b.describeOpen(c, now)
		b.addOpen(c, now)
	}
	b.stats.Redactions.Add(b.redactor.Applied() - before)
	b.call = call{}
	b.attributes.reset()
}

// describeOpen works out what is known of a call so far.
func (b *Builder) describeOpen(c *call, now int64) {
	m := &b.attributes
	m.reset()
	m.payload = c.protocol.payload.Enabled
	m.str(semconv.Side, c.sideName())
	elapsed := max(0, now-c.start())
	m.Int(semconv.TimeElapsed, elapsed)
	c.summary = c.Dissector.Describe(c.side, c.Request, c.Response, m)
	c.class = Ordinary
	if b.set.SlowCall > 0 && (c.summary.Error || elapsed >= int64(b.set.SlowCall)) {
		c.class = Urgent
	}
	if c.Carrier != nil {
		c.Carrier.DescribeCarrier(c.First, m)
	}
	c.describePrefaces(m)
	addSizes(m, c.Request, &c.protocol.request)
	if c.Response != nil {
		m.Int(semconv.TimeFirstResponseByte, max(0, c.Response.First.Time-c.start()))
		addSizes(m, c.Response, &c.protocol.response)
	}
	b.addNetwork(c, m)
	b.addRoute(c, m)
	m.strIfAny(semconv.TraceSource, c.id.source())
}

func (b *Builder) addOpen(c *call, now int64) {
	m := &b.attributes
	c.addSpan(m)
	size := recordRoom + m.bytes + len(openEvent)
	record := b.roomForLog(c.class, size, c.now).scope(resourceOf(c.Conn)).LogRecords().AppendEmpty()
	record.SetTraceID(c.id.trace)
	record.SetSpanID(c.span)
	record.SetFlags(plog.LogRecordFlags(c.id.flags()))
	record.SetTimestamp(c.timestamp(now))
	record.SetObservedTimestamp(pcommon.Timestamp(c.now))
	record.SetEventName(openEvent)
	b.shapes.put(record.Attributes(), m.list)
	b.addedLog(c.class, size)
}
