// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package socks

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/preface"
)

// step is what one end sends next.
type step uint8

const (
	first  step = iota // the client's first message, or the server's answer to it
	login              // user name and password, or whether they will do
	final              // the request, or the reply
	second             // the second reply to BIND
	over               // nothing that belongs to the handshake
	opaque             // what cannot be followed
)

// conversation is one handshake: a request from the first byte of the client to the last,
// and a response, which is the last message of the server.
type conversation struct {
	sink    dissect.Sink
	steps   [2]step
	request *dissect.Message // in the making; nil before the first byte, and when it is handed over
	info    requestInfo
	asked   bool            // the request was handed over
	tunnel  *preface.Tunnel // what follows is in, once there is one
}

// requestInfo is Message.Protocol of a request.
type requestInfo struct {
	request
	method string // of authentication, that the server has chosen; empty if it is not known
}

// responseInfo is Message.Protocol of a response.
type responseInfo struct {
	version string
	code    int    // of the reply; -1 if there was none, because authentication has failed
	failure string // empty for success
	bound   dissect.Endpoint
}

// Data takes one message of the handshake.
func (c *conversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	if d == dissect.ToServer {
		return c.fromClient(m, b)
	}
	return c.fromServer(m, b)
}

func (c *conversation) fromClient(m dissect.Marks, b []byte) (used, need int, err error) {
	var n int
	var verdict dissect.Verdict
	info, next := c.info, over
	switch at := c.steps[dissect.ToServer]; {
	case at == first && b[0] == version4:
		info.request, n, verdict = parseRequest4(b)
	case at == first:
		info.version, next = "5", final
		n, verdict = parseGreeting(b)
	case at == final && b[0] == passwordVersion && c.info.method != "gssapi":
		next = final
		n, verdict = parsePassword(b)
	case at == final && c.info.method == "gssapi":
		c.steps[dissect.ToServer] = opaque
		return 0, 0, nil
	case at == final:
		info.command, info.target, n, verdict = parseMessage5(b)
	default:
		return 0, 0, nil // early data: it waits for the reply
	}
	switch verdict {
	case dissect.No:
		return 0, 0, dissect.ErrViolation
	case dissect.NeedMore:
		return 0, n, nil
	default: // Yes
	}
	c.info = info
	c.steps[dissect.ToServer] = next
	c.extend(m, n)
	if c.steps[dissect.ToClient] != first {
		c.whole()
	}
	return n, 0, nil
}

// extend makes the request longer by n bytes.
func (c *conversation) extend(m dissect.Marks, n int) {
	if c.request == nil {
		c.request = &dissect.Message{Kind: dissect.Request, Direction: dissect.ToServer, First: m.At(0)}
	}
	c.request.Last = m.At(n - 1)
	c.request.Size += uint64(n)
}

// whole hands over a request that is. Before the server has answered anything it is not
// certain that this is SOCKS.
func (c *conversation) whole() {
	if c.steps[dissect.ToServer] == over {
		c.handOver("")
	}
}

// handOver ends the request.
func (c *conversation) handOver(incomplete conn.Reason) {
	if c.request == nil || c.asked {
		return
	}
	c.asked = true
	info := c.info
	c.request.Protocol, c.request.Incomplete = &info, incomplete
	c.sink.Message(c.request)
	c.request = nil
}

func (c *conversation) fromServer(m dissect.Marks, b []byte) (used, need int, err error) {
	if c.info.version == "" {
		return 0, 0, nil // nothing was asked yet
	}
	switch at := c.steps[dissect.ToClient]; {
	case at == over || at == opaque:
		return 0, 0, nil
	case c.info.version != "5":
		code, bound, n, verdict := parseReply4(b)
		return c.reply(m, n, verdict, &responseInfo{version: c.info.version, code: int(code), failure: failure4(code), bound: bound})
	case at == first:
		return c.chosen(m, b)
	case at == login:
		return c.loggedIn(m, b)
	}
	code, bound, n, verdict := parseMessage5(b)
	return c.reply(m, n, verdict, &responseInfo{version: "5", code: int(code), failure: failure5(code), bound: bound})
}

// chosen takes the method of authentication.
func (c *conversation) chosen(m dissect.Marks, b []byte) (used, need int, err error) {
	switch {
	case b[0] != version5:
		return c.giveUp()
	case len(b) < 2:
		return 0, 2, nil
	}
	c.info.method = methodName(b[1])
	switch b[1] {
	case methodNone:
		c.steps[dissect.ToClient] = final
	case methodPassword:
		c.steps[dissect.ToClient] = login
	case noMethod:
		c.respond(m, 2, &responseInfo{version: "5", code: -1, failure: "no_acceptable_methods"})
	default: // what follows may be encrypted
		c.steps = [2]step{opaque, opaque}
		c.handOver("")
		c.sink.Upgrade(c.info.method)
		return 2, 0, nil
	}
	c.whole()
	return 2, 0, nil
}

// loggedIn takes the answer to user name and password.
func (c *conversation) loggedIn(m dissect.Marks, b []byte) (used, need int, err error) {
	switch {
	case b[0] != passwordVersion:
		return c.giveUp()
	case len(b) < 2:
		return 0, 2, nil
	case b[1] != 0:
		c.respond(m, 2, &responseInfo{version: "5", code: -1, failure: "authentication_failed"})
	default:
		c.steps[dissect.ToClient] = final
	}
	return 2, 0, nil
}

// reply takes a reply. Before the whole request there is none.
func (c *conversation) reply(m dissect.Marks, n int, verdict dissect.Verdict, info *responseInfo) (used, need int, err error) {
	switch verdict {
	case dissect.No:
		return c.giveUp()
	case dissect.NeedMore:
		return 0, n, nil
	default: // Yes
	}
	if info.failure == "" && c.info.command == commandBind && c.steps[dissect.ToClient] != second {
		c.steps[dissect.ToClient] = second
		c.handOver("")
		c.sink.Message(c.message(dissect.Interim, m, n, info))
		return n, 0, nil
	}
	c.respond(m, n, info)
	if info.failure == "" {
		c.tunnel = &preface.Tunnel{Protocol: "socks"}
		if c.info.command == commandConnect {
			c.tunnel.Target = c.info.target
		}
		c.sink.Upgrade("")
	}
	return n, 0, nil
}

// respond ends the handshake.
func (c *conversation) respond(m dissect.Marks, n int, info *responseInfo) {
	c.handOver("")
	c.steps[dissect.ToClient] = over
	c.sink.Message(c.message(dissect.Response, m, n, info))
}

func (*conversation) message(kind dissect.Kind, m dissect.Marks, n int, info *responseInfo) *dissect.Message {
	return &dissect.Message{Kind: kind, Direction: dissect.ToClient, First: m.At(0), Last: m.At(n - 1), Size: uint64(n), Protocol: info}
}

// giveUp is for a server that does not speak SOCKS: what the connection speaks is still to
// be found.
func (c *conversation) giveUp() (used, need int, err error) {
	c.steps, c.request = [2]step{opaque, opaque}, nil
	c.sink.Upgrade("")
	return 0, 0, nil
}

// Gap gives the handshake up, and lets what follows show what it is.
func (c *conversation) Gap(d dissect.Direction, _ conn.Mark, _ uint64) (resumed bool) {
	if d == dissect.ToServer {
		c.handOver(dissect.ReasonGap)
	}
	c.steps = [2]step{opaque, opaque}
	c.sink.Upgrade("")
	return false
}

// End hands over a request that does not become whole.
func (c *conversation) End(d dissect.Direction, _ int64, r conn.Reason) {
	if d == dissect.ToServer {
		c.handOver(cmp.Or(r, conn.ReasonShutdown))
	}
}

// Preface implements dissect.Prefacer.
func (c *conversation) Preface() dissect.Preface {
	if c.tunnel == nil {
		return nil
	}
	return c.tunnel
}
