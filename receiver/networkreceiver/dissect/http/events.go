// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// DescribeEvent implements dissect.EventDescriber.
func (Dissector) DescribeEvent(m *dissect.Message, out dissect.Attributes) string {
	return httpmessage.DescribeEvent(m, out)
}

// attachReader lets what is spoken inside HTTP read the body that follows.
func (c *conversation) attachReader(h *half) {
	head := httpmessage.Head{Message: h.msg, Codings: h.codings, Limits: c.limits}
	target := h.target
	if r, ok := h.msg.Protocol.(*RequestInfo); ok {
		target = r.Target
	}
	head.Path, _, _ = strings.Cut(target, "?")
	if r := c.applications.Open(&head, &c.teller); r != nil {
		h.body.Attach(r, h.codings, c.sink)
	}
}

// teller is the Sink of readers of bodies.
type teller struct {
	dissect.Sink
	conversation *conversation
}

// Message adds to an event the request of its call, if that is still on its way.
func (t *teller) Message(m *dissect.Message) {
	c := t.conversation
	m.Origin = c.requestUnderWay()
	if m.Direction == dissect.ToServer {
		m.Origin = c.halves[dissect.ToServer].msg
	}
	if of := c.halves[m.Direction].msg; of != nil {
		of.Events++
	}
	t.Sink.Message(m)
}
