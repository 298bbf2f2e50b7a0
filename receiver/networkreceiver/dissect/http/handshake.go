// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// noteHandshake remembers of a message of a WebSocket handshake what those who go on
// with the connection need. The message itself is handed over like any other.
func (c *conversation) noteHandshake(h *half) {
	m := httpmessage.Origin(h.msg)
	m.First = h.first
	switch {
	case m.Direction == dissect.ToServer:
		c.handshake = []*dissect.Message{m}
	case len(c.handshake) > 0:
		c.handshake = append(c.handshake[:1], m)
	}
}
