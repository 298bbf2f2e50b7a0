// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// HTTP/0.9 is one request per connection, a line without a version, and a response that
// is nothing but a body, until the connection is closed:
//
//	GET /path CRLF

// versionSimple is network.protocol.version of HTTP/0.9.
const versionSimple = "0.9"

// isSimpleRequest reports whether b is a request of HTTP/0.9, and nothing else.
func isSimpleRequest(b []byte) bool {
	line, ok := bytes.CutSuffix(b, []byte("\n"))
	if !ok || !bytes.HasPrefix(line, []byte("GET /")) {
		return false
	}
	target := bytes.TrimSuffix(line[len("GET "):], []byte("\r"))
	for _, c := range target {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// probeSimple knows HTTP/0.9 by a request with an answer that is no other protocol's:
// the request alone could be a command of one that has lines too.
func probeSimple(client, server []byte) dissect.Verdict {
	switch {
	case !isSimpleRequest(client):
		return dissect.No
	case len(server) == 0:
		return dissect.NeedMore
	case plausible(dissect.ToClient, server):
		return probeStatus(server) // a server that answers in a later version
	}
	return probeBody(server)
}

// probeBody says No to what servers of Redis and memcached answer to "GET /path".
func probeBody(b []byte) dissect.Verdict {
	if strings.IndexByte("+-:$*", b[0]) >= 0 {
		switch {
		case len(b) < 2:
			return dissect.NeedMore
		case isDigit(b[1]) || b[1] == '-' || 'A' <= b[1] && b[1] <= 'Z':
			return dissect.No
		}
	}
	for _, word := range [...]string{"ERROR\r\n", "END\r\n", "VALUE ", "CLIENT_ERROR", "SERVER_ERROR"} {
		switch n := min(len(b), len(word)); {
		case string(b[:n]) != word[:n]:
		case n < len(word):
			return dissect.NeedMore
		default:
			return dissect.No
		}
	}
	return dissect.Yes
}

// mayBeSimple reports whether what the client sends may be a request of HTTP/0.9: it is
// the first thing on the connection.
func (c *conversation) mayBeSimple(d dissect.Direction) bool {
	return d == dissect.ToServer && !c.talked && !c.lossy
}

// beginSimple hands over a request of HTTP/0.9.
func (c *conversation) beginSimple(h *half, line []byte) {
	text := strings.TrimRight(string(line), "\r\n")
	m := &requestMessage{info: RequestInfo{Method: "GET", Target: text[len("GET "):], Version: versionSimple}}
	m.Protocol = &m.info
	h.msg = &m.Message
	h.msg.Direction, h.msg.First = dissect.ToServer, h.first
	if size := messageSize + len(text); c.sink.Keep(size) {
		h.reserved = size
	} else {
		m.info.starve()
	}
	c.queue.push(asked{target: m.info.Target}, c.limits.Outstanding)
	c.talked, c.simple = true, true
	c.finish(h, "")
}

// simpleAnswer begins the response to a request of HTTP/0.9, unless the server answers in
// a later version. need is how many bytes it takes to tell.
func (c *conversation) simpleAnswer(h *half, m dissect.Marks, at int, b []byte) (begun bool, need int) {
	const form = "HTTP/1."
	switch {
	case !plausible(dissect.ToClient, b):
		c.simpleResponse(h, m.At(at))
		return true, 0
	case len(b) < len(form):
		return false, len(form)
	}
	c.simple = false
	return false, 0
}

// simpleResponse begins the response of HTTP/0.9: all that the server sends.
func (c *conversation) simpleResponse(h *half, first conn.Mark) {
	m := &responseMessage{info: ResponseInfo{Version: versionSimple}}
	m.Protocol, m.Kind = &m.info, dissect.Response
	h.msg, h.first, h.last = &m.Message, first, first
	h.msg.Direction, h.msg.First = dissect.ToClient, h.first
	if c.sink.Keep(messageSize) {
		h.reserved = messageSize
	}
	if _, queued := c.queue.first(); queued {
		c.queue.pop()
	}
	c.simple = false
	h.phase = inOpenBody
}
