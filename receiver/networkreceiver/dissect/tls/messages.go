// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// messages puts handshake messages together from records (RFC 8446, section 5.1).
type messages struct {
	b     []byte
	kept  int
	skip  int // bytes of a message that is too long
	first conn.Mark
}

const messageHeader = 4

// drop forgets what is held.
func (m *messages) drop(sink dissect.Sink) {
	sink.Release(m.kept)
	*m = messages{}
}

// handshakeBytes takes the content of a handshake record.
func (c *conversation) handshakeBytes(d dissect.Direction, b []byte, first, last conn.Mark) {
	m := &c.sides[d].messages
	if n := min(m.skip, len(b)); n > 0 {
		m.skip -= n
		b = b[n:]
	}
	if len(m.b) > 0 {
		if !c.sink.Keep(len(b)) {
			m.drop(c.sink)
			return
		}
		m.kept += len(b)
		m.b = append(m.b, b...)
		b = m.b
	} else {
		m.first = first
	}
	for len(b) >= messageHeader {
		size := messageHeader + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
		if size > c.limits.BodyBytes {
			c.sink.Limit("handshake_bytes")
			m.skip = size - min(size, len(b))
			b = b[min(size, len(b)):]
			continue
		}
		if len(b) < size {
			break
		}
		kind := b[0]
		body := b[messageHeader:size]
		b = b[size:]
		c.message(d, kind, body, m.first, last)
		m.first = first
	}
	c.holdMessage(m, b)
}

// holdMessage keeps the beginning of a message.
func (c *conversation) holdMessage(m *messages, rest []byte) {
	if len(m.b) > 0 {
		m.b = append(m.b[:0], rest...)
		c.sink.Release(m.kept - len(rest))
		m.kept = len(rest)
		if len(rest) == 0 {
			m.b = nil
		}
		return
	}
	if len(rest) == 0 {
		return
	}
	if !c.sink.Keep(len(rest)) {
		return
	}
	m.kept = len(rest)
	m.b = append([]byte(nil), rest...)
}

// message takes one handshake message; b is without its header.
func (c *conversation) message(d dissect.Direction, kind byte, b []byte, first, last conn.Mark) {
	h := &c.handshake
	switch {
	case kind == handshake.TypeClientHello && d == toServer:
		if hello, ok := handshake.ParseClientHello(b, false); ok {
			c.clientHello(hello, first, last)
		}
	case kind == handshake.TypeServerHello && d == toClient:
		if hello, ok := handshake.ParseServerHello(b); ok {
			c.serverHello(&hello, first, last)
		}
	case h.phase != answering:
		c.afterwards(d, kind)
	default:
		h.bytes(d, first, last)
		c.during(d, kind, b, last)
	}
}

// during takes a message between ServerHello and the end of the handshake.
func (c *conversation) during(d dissect.Direction, kind byte, b []byte, last conn.Mark) {
	o := &c.handshake.outcome
	switch kind {
	case handshake.TypeEncryptedExtensions:
		if name := handshake.EncryptedALPN(b); name != "" {
			o.ALPN = name
		}
	case handshake.TypeCertificate:
		chain := handshake.ParseChain(b, c.version == record.TLS13)
		if d == toClient {
			o.Server = chain
		} else {
			o.Client = chain
		}
		o.Resumed = o.Resumed && d != toClient
	case handshake.TypeServerKeyExchange:
		if group, ok := handshake.KeyExchangeGroup(b); ok {
			o.Group = group
		}
	case handshake.TypeCertificateRequest:
		o.AsksClient = true
	case handshake.TypeServerHelloDone:
		c.handshake.full = true
	case handshake.TypeFinished:
		c.finished(d, last)
	default: // nothing that is told
	}
}

// afterwards takes a message after the handshake, which only keys can show.
func (c *conversation) afterwards(d dissect.Direction, kind byte) {
	o := c.sides[d].opener
	if o == nil {
		return
	}
	switch kind {
	case handshake.TypeKeyUpdate:
		o.Update()
	case handshake.TypeFinished, handshake.TypeEndOfEarlyData:
		o.Next()
	}
}
