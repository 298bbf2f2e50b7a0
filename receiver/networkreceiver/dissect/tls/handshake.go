// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// phase is how far a handshake has come.
type phase uint8

const (
	silent    phase = iota // no hello was seen
	asking                 // after the ClientHello
	answering              // after the ServerHello
	settled                // it has succeeded or failed, or what was missed of it is over
)

// handshake is what goes on between a ClientHello and the end of the handshake.
type handshake struct {
	phase   phase
	hello   ClientHello
	outcome Outcome
	start   int64
	first   conn.Mark // of the server's part
	last    conn.Mark
	size    uint64
	full    bool    // not resumed: the server has sent all its messages in the clear
	changed [2]bool // ChangeCipherSpec was seen
	done    [2]bool // Finished was seen, or what must be it
}

// Outcome is Message.Protocol of a response.
type Outcome struct {
	Version, Cipher, Group uint16
	QUIC                   bool
	ALPN                   string
	JA3S                   string
	Established            bool
	Resumed                bool
	Retried                bool // HelloRetryRequest
	AsksClient             bool // for a certificate
	Server, Client         Chain
	Alert, AlertBy         string
	// Failure is error.type of a handshake that has failed.
	Failure string
	// Duration is the time from the ClientHello to the end of the handshake, ns.
	Duration int64
}

// over tells whether no more is to be had of a handshake.
func (h *handshake) over() bool { return h.phase == settled || h.phase == silent }

// clientHello begins a handshake, or goes on with one that was asked to retry.
func (c *conversation) clientHello(hello ClientHello, first, last conn.Mark) {
	h := &c.handshake
	c.random[toServer], c.knows[toServer] = hello.random, true
	c.align.SawBeginning()
	if h.phase == answering && h.outcome.Retried {
		h.hello.random = hello.random
		h.phase = asking
		return
	}
	if h.phase == asking || h.phase == answering {
		return // it was asked already
	}
	retained := handshake{phase: asking, hello: hello, start: first.Time}
	*h = retained
	c.ask(&h.hello, first, last)
}

// oldHello takes a ClientHello in the format of SSL 2.0.
func (c *conversation) oldHello(b []byte, first, last conn.Mark) {
	r := reader{b: b[3:]}
	hello := ClientHello{SSL2: true, legacy: uint16(r.uint(2))}
	hello.Versions = []uint16{hello.legacy}
	ciphers, session, challenge := r.uint(2), r.uint(2), r.uint(2)
	list := reader{b: r.take(ciphers)}
	for !list.empty() && len(hello.Ciphers) < maxList {
		if v := list.uint(3); v < 1<<16 {
			hello.Ciphers = append(hello.Ciphers, uint16(v))
		}
	}
	r.take(session)
	copy(hello.random[max(0, 32-challenge):], r.take(challenge))
	c.clientHello(hello, first, last)
}

// ask hands over the request.
func (c *conversation) ask(hello *ClientHello, first, last conn.Mark) {
	request := *hello
	c.sink.Message(&dissect.Message{
		Kind: dissect.Request, Direction: toServer, First: first, Last: last,
		Size: last.Offset - first.Offset + 1, Protocol: &request,
	})
}

// serverHello settles version and suite.
func (c *conversation) serverHello(hello *serverHelloMessage, first, last conn.Mark) {
	h := &c.handshake
	if h.phase == settled {
		return
	}
	h.bytes(toClient, first, last)
	o := &h.outcome
	h.phase = answering
	o.Version, o.Cipher, o.JA3S = hello.version, hello.cipher, hello.ja3s
	o.Group = hello.group
	if hello.retry {
		o.Retried = true
		return
	}
	o.ALPN = hello.alpn
	// Without a key that is shared already it is a full handshake; in older versions
	// that shows by what follows.
	o.Resumed = hello.psk || hello.version < tls13
	c.version, c.macFirst = hello.version, hello.etm
	c.suite, c.opens = suites[hello.cipher]
	c.align.SetCipher(c.cipher())
	c.random[toClient], c.knows[toClient] = hello.random, true
	c.asked = 0
	if c.version == tls13 {
		c.sides[toServer].encrypted, c.sides[toClient].encrypted = true, true
	}
	c.canOpen(toServer)
}

// changed takes ChangeCipherSpec. In TLS 1.3 it means nothing.
func (c *conversation) changed(d dissect.Direction, last conn.Mark) {
	if c.version == tls13 || c.version == 0 && c.handshake.phase != silent {
		return
	}
	h := &c.handshake
	h.changed[d] = true
	if h.phase == answering {
		h.bytes(d, last, last)
	}
	c.sides[d].encrypted = true
	c.sides[d].messages.drop(c.sink)
}

// closed looks at an encrypted record that is not opened, for what it must be.
func (c *conversation) closed(d dissect.Direction, r header, m conn.Mark) {
	h := &c.handshake
	if h.phase == silent {
		h.phase = settled // joined in the middle
		return
	}
	if h.phase != answering || h.outcome.Retried && c.version == 0 {
		return
	}
	switch {
	case c.version == tls13 && d == toServer && r.kind == applicationData:
		const alert, tag, contentType = 2, 16, 1
		if r.size == alert+contentType+tag {
			h.outcome.AlertBy = "client"
			c.fail("encrypted_alert", m)
			return
		}
		c.settle(m)
	case c.version != tls13 && h.changed[d] && r.kind == handshakeRecord:
		c.finished(d, m)
	case c.version != tls13 && r.kind == applicationData:
		c.settle(m)
	}
}

// finished takes a Finished message, at last.
func (c *conversation) finished(d dissect.Direction, last conn.Mark) {
	h := &c.handshake
	h.done[d] = true
	if o := c.sides[d].opener; o != nil {
		o.next()
	}
	if h.done[d.Other()] || c.version == tls13 && d == toServer {
		c.settle(last)
	}
}

// settle ends a handshake that has succeeded.
func (c *conversation) settle(at conn.Mark) {
	h := &c.handshake
	h.outcome.Established = true
	if h.full {
		h.outcome.Resumed = false
	}
	c.answer(at.Time, "")
}

// fail ends a handshake that has not.
func (c *conversation) fail(why string, at conn.Mark) {
	h := &c.handshake
	if h.outcome.Version == 0 || !c.knows[toClient] {
		h.outcome.Resumed = false
	}
	h.outcome.Failure = why
	if h.size == 0 {
		h.first = conn.Mark{Time: at.Time}
		h.last = h.first
	}
	c.answer(at.Time, "")
}

// answer hands over the response.
func (c *conversation) answer(t int64, incomplete conn.Reason) {
	h := &c.handshake
	h.outcome.Duration = max(0, t-h.start)
	if h.start == 0 {
		h.outcome.Duration = 0
	}
	outcome := h.outcome
	h.last.Time = max(h.last.Time, h.first.Time, t)
	c.sink.Message(&dissect.Message{
		Kind: dissect.Response, Direction: toClient, First: h.first, Last: h.last,
		Size: h.size, Incomplete: incomplete, Protocol: &outcome,
	})
	h.phase = settled
}

// bytes notes where the server's part of a handshake is.
func (h *handshake) bytes(d dissect.Direction, first, last conn.Mark) {
	if d != toClient || h.phase == settled {
		return
	}
	if h.size == 0 {
		h.first = first
	}
	h.last = last
	h.size = last.Offset - h.first.Offset + 1
}

// notTLS takes what cannot be a record. An answer in another protocol ends a handshake.
func (c *conversation) notTLS(d dissect.Direction, at conn.Mark) {
	c.missed(d)
	if c.handshake.phase == asking && d == toClient {
		c.handshake.bytes(d, at, at)
		c.fail("not_tls", at)
	}
}

// ended takes the end of a direction. A handshake that was under way comes to nothing;
// one that was not answered at all is a request without response.
func (h *handshake) ended(c *conversation, d dissect.Direction, t int64, r conn.Reason) {
	if h.phase == answering && (d == toClient || r != conn.ReasonFIN) {
		h.outcome.Resumed = h.outcome.Resumed && h.outcome.Version == tls13
		c.answer(t, r)
	}
}

// ServerName implements dissect.Carrier.
func (c *conversation) ServerName() string { return c.handshake.hello.ServerName }
