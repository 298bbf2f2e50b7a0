// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package quic is the dissector of QUIC's handshakes (RFC 9001): their first packets can be
// read by everyone.
package quic // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/quic"

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
)

// Dissector is the dissector of QUIC's handshakes.
type Dissector struct{}

var _ dissect.Dissector = Dissector{}

const (
	toServer = dissect.ToServer
	toClient = dissect.ToClient
)

// phase is how far a handshake has come.
type phase uint8

const (
	silent    phase = iota // no hello was seen
	asking                 // after the ClientHello
	answering              // after the ServerHello
	settled                // it has succeeded or failed
)

// Info implements dissect.Dissector.
func (Dissector) Info() dissect.Info {
	return dissect.Info{Name: "tls", Transport: capture.UDP, Ports: []uint16{443}, ProbeBytes: handshake.ProbeBytes, Limits: handshake.Limits}
}

// minInitial is the least size of a client's first datagram (RFC 9000, section 14.1).
const minInitial = 1200

// Probe implements dissect.Dissector: a client's first datagram.
func (Dissector) Probe(client, server []byte) dissect.Verdict {
	switch {
	case isInitial(client):
		return dissect.Yes
	case isInitial(server):
		return dissect.Reversed
	}
	return dissect.No
}

func isInitial(b []byte) bool {
	if len(b) < minInitial {
		return false
	}
	p, ok := parseLong(b)
	return ok && p.kind == initialPacket && len(p.destination) >= 8
}

// New implements dissect.Dissector.
func (Dissector) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return &conversation{limits: limits, sink: sink}
}

// Describe implements dissect.Dissector.
func (Dissector) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) dissect.Summary {
	return handshake.Describe(side, req, resp, out)
}

// conversation follows the handshake on a pair of endpoints, and nothing after it.
type conversation struct {
	limits  dissect.Limits
	sink    dissect.Sink
	keys    [2]*initialKeys
	streams [2]crypto
	phase   phase
	hello   handshake.ClientHello
	outcome handshake.Outcome
	first   [2]conn.Mark
	start   int64
	version uint32
}

var _ dissect.Conversation = (*conversation)(nil)

// Data implements dissect.Conversation. b is one datagram, of one or more packets.
func (q *conversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	at, last := m.At(0), m.At(len(b)-1)
	for rest := b; len(rest) > 0 && q.phase != settled; {
		p, ok := parseLong(rest)
		if !ok {
			if rest[0]&0xc0 == 0x40 && q.phase == answering { // a short header: there are keys
				q.settle(last)
			}
			break
		}
		rest = rest[p.size:]
		if p.kind == initialPacket {
			q.initial(d, p, at, last)
		}
	}
	return len(b), 0, nil
}

// initial opens an Initial packet and takes what is in it.
func (q *conversation) initial(d dissect.Direction, p longPacket, at, last conn.Mark) {
	if d == toServer && q.keys[d] == nil {
		q.keys, q.version = deriveInitial(p.version, p.destination), p.version
	}
	if q.keys[d] == nil {
		return
	}
	payload, ok := q.keys[d].open(p)
	if !ok && d == toServer && q.phase <= asking {
		// After a Retry the keys come from another connection id.
		if keys := deriveInitial(p.version, p.destination); keys[d] != nil {
			if payload, ok = keys[d].open(p); ok {
				q.keys = keys
			}
		}
	}
	if !ok {
		return
	}
	s := &q.streams[d]
	if !s.begun {
		s.begun, q.first[d] = true, at
	}
	if code, closed := s.frames(payload, q.limits.BodyBytes, q.sink); closed {
		q.closed(d, code, last)
		return
	}
	if message, whole := s.message(); whole {
		q.message(d, message, last)
	}
}

// message takes the hello of a direction.
func (q *conversation) message(d dissect.Direction, b []byte, last conn.Mark) {
	kind, body := b[0], b[messageHeader:]
	switch {
	case d == toServer && kind == handshake.TypeClientHello && q.phase == silent:
		hello, ok := handshake.ParseClientHello(body, true)
		if !ok {
			q.phase = settled
			break
		}
		hello.QUICv2 = q.version == version2
		q.hello, q.phase, q.start = hello, asking, q.first[d].Time
		q.sink.Message(&dissect.Message{
			Kind: dissect.Request, Direction: d, First: q.first[d], Last: last,
			Size: last.Offset - q.first[d].Offset + 1, Protocol: &hello,
		})
	case d == toClient && kind == handshake.TypeServerHello && q.phase == asking:
		hello, ok := handshake.ParseServerHello(body)
		if !ok || hello.Retry {
			break
		}
		q.phase = answering
		q.outcome = handshake.Outcome{
			QUIC: true, Version: hello.Version, Cipher: hello.Cipher, Group: hello.Group, JA3S: hello.JA3S, Resumed: hello.PSK,
		}
	}
	q.streams[d].drop(q.sink)
}

func (q *conversation) settle(last conn.Mark) {
	q.outcome.Established = true
	q.answer(last.Time, "")
}

// closed takes the end of a connection before it was one. From 0x100 on, the code is that
// of an alert (RFC 9001, section 4.8).
func (q *conversation) closed(d dissect.Direction, code uint64, last conn.Mark) {
	if q.phase != asking && q.phase != answering {
		return
	}
	q.outcome.QUIC = true
	q.outcome.Failure = "connection_close"
	if code >= 0x100 && code < 0x200 {
		q.outcome.Alert = handshake.AlertName(byte(code))
		q.outcome.Failure = q.outcome.Alert
	}
	if q.outcome.AlertBy = "client"; d == toClient {
		q.outcome.AlertBy = "server"
	}
	if !q.streams[toClient].begun {
		q.first[toClient] = conn.Mark{Time: last.Time}
	}
	q.answer(last.Time, "")
}

func (q *conversation) answer(t int64, incomplete conn.Reason) {
	q.outcome.Duration = max(0, t-q.start)
	outcome, first := q.outcome, q.first[toClient]
	last := first
	last.Time = max(t, first.Time)
	q.sink.Message(&dissect.Message{
		Kind: dissect.Response, Direction: toClient, First: first, Last: last, Size: 1, Incomplete: incomplete, Protocol: &outcome,
	})
	q.phase = settled
}

// Gap implements dissect.Conversation.
func (*conversation) Gap(dissect.Direction, conn.Mark, uint64) bool { return true }

// End implements dissect.Conversation.
func (q *conversation) End(d dissect.Direction, t int64, r conn.Reason) {
	q.streams[d].drop(q.sink)
	if q.phase == answering && d == toClient {
		q.answer(t, r)
	}
}
