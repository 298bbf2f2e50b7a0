// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"encoding/binary"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	// maxResets is how many streams a client may reset before they are answered,
	// and resetsPerSecond how many more with time. Beyond it (a reset flood) its
	// new streams are not looked at.
	maxResets       = 1000
	resetsPerSecond = 100
)

// mayReset reports whether the client has not reset too much to be listened to.
func (c *conversation) mayReset(now int64) bool {
	const each = 1e9 / resetsPerSecond
	if more := (now - c.settled) / each; more > 0 {
		c.resets = int(min(int64(c.resets)+more, maxResets))
		c.settled = now
	}
	return c.resets > 0
}

// reset acts on RST_STREAM (RFC 9113, section 6.4). It ends both messages.
func (c *conversation) reset(d dissect.Direction, id, code uint32, first, last conn.Mark) {
	s := c.streams.byID[id]
	if s == nil {
		return
	}
	if d == dissect.ToServer && !s.parts[response].begun {
		c.resets--
	}
	if which, ok := roleOf(d, id); ok && s.parts[which].msg != nil {
		s.parts[which].see(headerSize+4, last)
	}
	c.breakOff(s, errorName(code), headerSize+4, first, last, 0)
	c.close(s)
}

// goAway acts on GOAWAY (RFC 9113, section 6.8): streams above the last one that the
// server names will not be answered.
func (c *conversation) goAway(d dissect.Direction, payload []byte, first, last conn.Mark) {
	if d != dissect.ToClient {
		return
	}
	highest := binary.BigEndian.Uint32(payload) & (1<<31 - 1)
	why := errorName(binary.BigEndian.Uint32(payload[4:]))
	if why == "NO_ERROR" {
		why = "GOAWAY"
	}
	for s := c.streams.first; s != nil; {
		next := s.next
		if s.id%2 == 1 && s.id > highest && !s.parts[response].begun {
			c.breakOff(s, why, headerSize+len(payload), first, last, flagGoAway)
			c.close(s)
		}
		s = next
	}
}

// breakOff ends the messages of a stream. Where the response has not begun, the
// frame that ends the stream stands for it.
func (c *conversation) breakOff(s *stream, why string, size int, first, last conn.Mark, flags flagSet) {
	p := &s.parts[response]
	for i := range s.parts {
		if m := s.parts[i].msg; m != nil {
			m.Ended = last.Time
		}
	}
	c.finish(s, request, conn.ReasonRST)
	switch {
	case p.msg != nil:
		if info, ok := p.msg.Protocol.(*ResponseInfo); ok {
			info.Reset = why
		}
		c.finish(s, response, conn.ReasonRST)
	case !p.begun && s.parts[request].begun:
		m := &responseMessage{info: ResponseInfo{Reset: why}}
		m.Protocol, m.Direction, m.Kind = &m.info, dissect.ToClient, dissect.Response
		*p = part{msg: &m.Message, begun: true, first: first, last: last, size: uint64(size), flags: flags}
		c.finish(s, response, conn.ReasonRST)
	}
}
