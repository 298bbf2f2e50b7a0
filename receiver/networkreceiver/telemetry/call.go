// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// call is an exchange on its way to records: what both ends' records share, and
// the end that is looked at.
type call struct {
	*pair.Exchange
	protocol          *protocol
	id                identity
	request, response parts
	summary           dissect.Summary
	failed            bool // the span's status
	class             Class
	now               int64
	step              int64 // from the capture's clock to the system's
	naming            ServiceName
	nameless          bool // nothing names the server but its address

	side          dissect.Side
	captured      bool // the other end has records as well
	span          pcommon.SpanID
	parent        pcommon.SpanID
	local, remote netip.AddrPort // as this side sees it
	sideIsLocal   bool           // the side is Conn's local end
	forward       *forward       // nil if the call took no context with it
}

// parts is what records may carry of one message, redacted.
type parts struct {
	payload
	headers, trailers []field
}

// view looks at the call from one end.
func (c *call) view(side dissect.Side, peerCaptured bool) {
	c.side, c.captured = side, peerCaptured
	c.span = c.id.client
	if side == dissect.ServerSide {
		c.span = c.id.server
	}
	c.parent = c.id.parent(side, peerCaptured)
	c.sideIsLocal = c.ClientIsLocal == (side == dissect.ClientSide)
	c.local, c.remote = c.Conn.Local, c.Conn.Remote
	if !c.sideIsLocal {
		c.local, c.remote = c.remote, c.local
	}
}

// addParent says in a log record what its span's parent is, and whether there are records
// of the other end. Of a SERVER span whose CLIENT span is captured as well it is that one.
func (c *call) addParent(m *attributes) {
	if !c.parent.IsEmpty() {
		m.str(semconv.SpanParentID, c.parent.String())
	}
	m.Bool(semconv.PeerCaptured, c.captured)
}

// addElapsed says in a record of a call that was given up how long it was waited for. A
// span has it as its duration.
func (c *call) addElapsed(m *attributes) {
	if c.Response == nil && c.Missing != "" {
		m.Int(semconv.TimeElapsed, c.end()-c.start())
	}
}

// sideName is the side, for log records, which have no kind.
func (c *call) sideName() string {
	if c.side == dissect.ServerSide {
		return "server"
	}
	return "client"
}

// start is the time of the first byte of the call that was seen.
func (c *call) start() int64 {
	if c.Request != nil {
		return c.Request.First.Time
	}
	return c.Response.First.Time
}

// end is the time of the response's last byte, or when what there was of the call was
// given up (a FIN, a reset, a time-out), else that of the last byte that was seen. Clocks
// of several processors may differ by a little, and a call may be one segment: it is
// after the start at any rate, because backends complain of what takes no time.
func (c *call) end() int64 {
	end := c.start() + 1
	if m := c.Response; m != nil {
		return max(end, m.Last.Time, m.Ended)
	}
	end = max(end, c.Request.Last.Time, c.Request.Ended, c.Ended)
	for _, m := range c.Interim {
		end = max(end, m.Last.Time)
	}
	return end
}

// timestamp is a time of the capture by the system's clock.
func (c *call) timestamp(t int64) pcommon.Timestamp { return pcommon.Timestamp(t + c.step) }

// addTimes adds the times between start and end, in nanoseconds since the start.
func (c *call) addTimes(m *attributes) {
	start := c.start()
	if c.Request != nil {
		m.Int(semconv.TimeLastRequestByte, max(0, c.Request.Last.Time-start))
	}
	if c.Response != nil {
		if c.Request != nil {
			m.Int(semconv.TimeFirstResponseByte, max(0, c.Response.First.Time-start))
		}
		m.Int(semconv.TimeLastResponseByte, max(0, c.Response.Last.Time-start))
	}
	if c.First && c.Conn.Established > 0 && c.Conn.Started > 0 {
		m.Int(semconv.TimeConnect, max(0, c.Conn.Established-c.Conn.Started))
	}
}
