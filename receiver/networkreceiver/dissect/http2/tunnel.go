// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// tunnel reads what goes through a stream after CONNECT (RFC 8441, section 5), by
// direction.
type tunnel [2]httpmessage.Reader

// accept ends the call that has opened a tunnel, and begins to read what goes through.
func (c *conversation) accept(s *stream) {
	asked, answer := s.parts[request].msg, s.parts[response].msg
	if asked != nil && answer != nil {
		if r, ok := asked.Protocol.(*RequestInfo); ok && r.Protocol != "" {
			s.teller = teller{Sink: c.sink, stream: s}
			s.tunnel = c.applications.OpenTunnel(r.Protocol, asked, answer, c.limits, &s.teller)
		}
	}
	c.finish(s, request, "")
	c.finish(s, response, "")
}

// through is the reader of the DATA frame in progress, if that goes through a tunnel.
func (c *conversation) through(d dissect.Direction, h *half) httpmessage.Reader {
	s := c.streams.byID[h.frame.stream]
	if s == nil || !h.payload {
		return nil
	}
	return s.tunnel[d]
}

// end ends a direction of a tunnel.
func (t *tunnel) end(d dissect.Direction, why conn.Reason) {
	if r := t[d]; r != nil {
		t[d] = nil
		r.End(why)
	}
}
