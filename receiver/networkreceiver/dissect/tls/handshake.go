// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// phase is how far a handshake has come.
type phase uint8

const (
	silent    phase = iota // no hello was seen
	asking                 // after the ClientHello
	answering              // after the ServerHello
	settled                // it has succeeded or failed, or what was missed of it is over
)

// negotiation is what goes on between a ClientHello and the end of the handshake.
type negotiation struct {
	phase   phase
	hello   handshake.ClientHello
	outcome handshake.Outcome
	start   int64
	first   conn.Mark // of the server's part
	last    conn.Mark
	size    uint64
	full    bool    // not resumed: the server has sent all its messages in the clear
	changed [2]bool // ChangeCipherSpec was seen
	done    [2]bool // Finished was seen, or what must be it
}

// over tells whether no more is to be had of a handshake.
func (h *negotiation) over() bool { return h.phase == settled || h.phase == silent }

// clientHello begins a handshake, or goes on with one that was asked to retry.
func (c *conversation) clientHello(hello handshake.ClientHello, first, last conn.Mark) {
	h := &c.handshake
	c.random[toServer], c.knows[toServer] = hello.Random(), true
	c.align.SawBeginning()
	if h.phase == answering && h.outcome.Retried {
		h.phase = asking
		return
	}
	if h.phase == asking || h.phase == answering {
		return // it was asked already
	}
	retained := negotiation{phase: asking, hello: hello, start: first.Time}
	*h = retained
	c.ask(&h.hello, first, last)
}

// oldHello takes a ClientHello in the format of SSL 2.0.
func (c *conversation) oldHello(b []byte, first, last conn.Mark) {
	c.clientHello(handshake.ParseSSL2Hello(b), first, last)
}

// ask hands over the request.
func (c *conversation) ask(hello *handshake.ClientHello, first, last conn.Mark) {
	request := *hello
	c.sink.Message(&dissect.Message{
		Kind: dissect.Request, Direction: toServer, First: first, Last: last,
		Size: last.Offset - first.Offset + 1, Protocol: &request,
	})
}

// serverHello settles version and suite.
func (c *conversation) serverHello(hello *handshake.ServerHello, first, last conn.Mark) {
	h := &c.handshake
	if h.phase == settled {
		return
	}
	h.bytes(toClient, first, last)
	o := &h.outcome
	h.phase = answering
	o.Version, o.Cipher, o.JA3S = hello.Version, hello.Cipher, hello.JA3S
	o.Group = hello.Group
	if hello.Retry {
		o.Retried = true
		return
	}
	o.ALPN = hello.ALPN
	// Without a key that is shared already it is a full handshake; in older versions
	// that shows by what follows.
	o.Resumed = hello.PSK || hello.Version < record.TLS13
	c.version, c.macFirst = hello.Version, hello.EncryptThenMAC
	c.suite, c.opens = decrypt.SuiteOf(hello.Cipher)
	c.align.SetCipher(c.cipher())
	c.random[toClient], c.knows[toClient] = hello.Random, true
	c.asked = 0
	if c.version == record.TLS13 {
		c.sides[toServer].encrypted, c.sides[toClient].encrypted = true, true
	}
	c.canOpen(toServer)
}

// changed takes ChangeCipherSpec. In TLS 1.3 it means nothing.
func (c *conversation) changed(d dissect.Direction, last conn.Mark) {
	if c.version == record.TLS13 || c.version == 0 && c.handshake.phase != silent {
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
func (c *conversation) closed(d dissect.Direction, r record.Header, m conn.Mark) {
	h := &c.handshake
	if h.phase == silent {
		h.phase = settled // joined in the middle
		return
	}
	if h.phase != answering || h.outcome.Retried && c.version == 0 {
		return
	}
	switch {
	case c.version == record.TLS13 && d == toServer && r.Kind == record.ApplicationData:
		const alert, tag, contentType = 2, 16, 1
		if r.Size == alert+contentType+tag {
			h.outcome.AlertBy = "client"
			c.fail("encrypted_alert", m)
			return
		}
		c.settle(m)
	case c.version != record.TLS13 && h.changed[d] && r.Kind == record.Handshake:
		c.finished(d, m)
	case c.version != record.TLS13 && r.Kind == record.ApplicationData:
		c.settle(m)
	}
}

// finished takes a Finished message, at last.
func (c *conversation) finished(d dissect.Direction, last conn.Mark) {
	h := &c.handshake
	h.done[d] = true
	if o := c.sides[d].opener; o != nil {
		o.Next()
	}
	if h.done[d.Other()] || c.version == record.TLS13 && d == toServer {
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
func (h *negotiation) bytes(d dissect.Direction, first, last conn.Mark) {
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
func (h *negotiation) ended(c *conversation, d dissect.Direction, t int64, r conn.Reason) {
	if h.phase == answering && (d == toClient || r != conn.ReasonFIN) {
		h.outcome.Resumed = h.outcome.Resumed && h.outcome.Version == record.TLS13
		c.answer(t, r)
	}
}

// ServerName implements dissect.Carrier.
func (c *conversation) ServerName() string { return c.handshake.hello.ServerName }
