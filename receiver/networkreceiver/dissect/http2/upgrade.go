// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// upgraded is the stream on which the request is answered that has asked for the
// upgrade from HTTP/1 (RFC 7540, section 3.2).
const upgraded = 1

// AcceptMessages takes the request that HTTP/1 has read, and the interim response to it.
func (c *conversation) AcceptMessages(messages []*dissect.Message) {
	for _, m := range messages {
		m.Keyed, m.Key = true, upgraded
		if m.Kind == dissect.Response {
			m.Kind = dissect.Interim
		}
		if m.Kind == dissect.Request {
			if s := c.open(upgraded); s != nil {
				s.parts[request] = part{begun: true, ended: true}
				c.newest = upgraded
			}
		}
		c.sink.Message(m)
	}
}
