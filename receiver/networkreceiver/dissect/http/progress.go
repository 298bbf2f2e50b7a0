// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// progress tells what is known so far of the message that is on its way in a direction.
func (c *conversation) progress(h *half) {
	m := h.msg
	if m == nil {
		return
	}
	m.Last = h.last
	m.Size = m.Last.Offset - m.First.Offset + 1
	m.Content.BodySize = h.body.Size
	if h.begun || h.reserved == 0 {
		return
	}
	h.begun = true
	if m.Direction == dissect.ToClient {
		m.Origin = c.requestUnderWay()
	}
	c.sink.Started(m)
	m.Origin = nil
}

// requestUnderWay is the request that the response in progress answers, if that request
// is on its way itself.
func (c *conversation) requestUnderWay() *dissect.Message {
	if c.queue.len() > 0 {
		return nil
	}
	return c.halves[dissect.ToServer].msg
}
