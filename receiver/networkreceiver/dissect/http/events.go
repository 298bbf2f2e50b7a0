// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// DescribeEvent implements dissect.Narrator.
func (Dissector) DescribeEvent(m *dissect.Message, out dissect.Attributes) string {
	return httpmessage.DescribeEvent(m, out)
}

// attachReader lets what is spoken inside HTTP read the body that follows.
func (c *conversation) attachReader(h *half) {
	head := httpmessage.Head{Message: h.msg, Codings: h.codings, Limits: c.limits}
	if r, ok := h.msg.Protocol.(*RequestInfo); ok {
		head.Path, _, _ = strings.Cut(r.Target, "?")
	}
	if r := application.Open(&head, &c.teller); r != nil {
		h.body.Attach(r, h.codings)
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
	if m.Direction == dissect.ToServer || c.queue.len() == 0 {
		m.Origin = c.halves[dissect.ToServer].msg
	}
	t.Sink.Message(m)
}
