// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// fresh is a message that has begun in the bytes that are read.
type fresh struct {
	stream *stream
	part   *part
	msg    *dissect.Message
}

// identify says of a message that has begun which call it is of.
func (p *part) identify(s *stream) {
	m := p.msg
	m.Keyed, m.Key = true, uint64(s.id)
	m.First, m.Last, m.Size = p.first, p.last, p.size
}

// remember has a message told of if its end does not come in the same bytes.
func (c *conversation) remember(s *stream, p *part) {
	c.fresh = append(c.fresh, fresh{s, p, p.msg})
}

// spareFresh is for how many messages room is kept.
const spareFresh = 32

// tellBegun tells of the messages that have begun and are not whole. A stream that has
// ended meanwhile may have become another one.
func (c *conversation) tellBegun() {
	if len(c.fresh) == 0 {
		return
	}
	for _, f := range c.fresh {
		if f.part.msg != f.msg {
			continue
		}
		if f.msg.Kind == dissect.Response {
			f.msg.Origin = f.stream.parts[request].msg
		}
		c.sink.Started(f.msg)
		f.msg.Origin = nil
	}
	clear(c.fresh)
	if c.fresh = c.fresh[:0]; cap(c.fresh) > spareFresh {
		c.fresh = nil
	}
}
