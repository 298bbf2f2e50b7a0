// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

var _ dissect.Upgrader = (*conversation)(nil)

// handOn hands a message over, unless it is part of an upgrade to HTTP/2: the request
// is answered there, and 101 is not its final response (RFC 7540, section 3.2).
func (c *conversation) handOn(m *dissect.Message, offered bool) {
	if offered && (m.Direction == dissect.ToClient || len(c.offer) == 0) {
		c.offer = append(c.offer, m)
		return
	}
	c.withdrawOffer()
	c.sink.Message(m)
}

// withdrawOffer hands over what was held back: the connection stays HTTP/1.
func (c *conversation) withdrawOffer() {
	for _, m := range c.offer {
		c.sink.Message(m)
	}
	c.offer = nil
}

// TransferMessages gives away a request that is answered in HTTP/2, and to a successor what is
// remembered of a handshake.
func (c *conversation) TransferMessages(successor bool) (messages []*dissect.Message) {
	messages, c.offer = c.offer, nil
	if len(messages) == 0 && successor {
		return c.handshake
	}
	return messages
}
