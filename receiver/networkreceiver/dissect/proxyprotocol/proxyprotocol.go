// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package proxyprotocol dissects the header by which a proxy tells a server whose
// connection it passes on: the PROXY protocol, versions 1 and 2.
package proxyprotocol // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/proxyprotocol"

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Dissector is the dissector of the PROXY protocol.
type Dissector struct{}

var (
	_ dissect.Dissector = Dissector{}
	_ dissect.Prefacer  = (*conversation)(nil)
)

// Info describes the protocol and its limits, which nothing has to set: there is one
// header, and no message.
func (Dissector) Info() dissect.Info {
	return dissect.Info{
		Name:       "proxyprotocol",
		Transport:  capture.TCP,
		ProbeBytes: maxLine + 1,
		Limits: dissect.Limits{
			HeaderBytes: fixedLen + maxRest + 1,
			BodyBytes:   1,
			Outstanding: 1,
			Age:         60 * 1e9,
		},
	}
}

// Probe knows a header by the signature of version 2 and what follows it, or by a whole
// line of version 1.
func (Dissector) Probe(client, server []byte) dissect.Verdict {
	switch forward, backward := probe(client), probe(server); {
	case forward == dissect.Yes:
		return dissect.Yes
	case backward == dissect.Yes:
		return dissect.Reversed
	case forward == dissect.NeedMore || backward == dissect.NeedMore:
		return dissect.NeedMore
	}
	return dissect.No
}

func probe(b []byte) dissect.Verdict {
	_, n, verdict := parseLine(b)
	if n > 0 || verdict == dissect.NeedMore {
		return verdict
	}
	return probeBinary(b)
}

// New makes a conversation.
func (Dissector) New(_ dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return &conversation{sink: sink}
}

// Describe tells nothing: there are no messages.
func (Dissector) Describe(dissect.Side, *dissect.Message, *dissect.Message, dissect.Attributes) dissect.Summary {
	return dissect.Summary{}
}

// conversation waits for the header and hands the connection on.
type conversation struct {
	sink   dissect.Sink
	header *header // nil until it is whole
}

// Data takes the header. What the server sends belongs to what follows.
func (c *conversation) Data(d dissect.Direction, _ dissect.Marks, b []byte) (used, need int, err error) {
	if d == dissect.ToClient {
		return 0, 0, nil
	}
	h, n, verdict := parseLine(b)
	if verdict == dissect.No {
		h, n, verdict = parseBinary(b)
	}
	switch verdict {
	case dissect.No:
		return 0, 0, dissect.ErrViolation
	case dissect.NeedMore:
		return 0, n, nil
	default: // Yes
	}
	c.header = h
	c.sink.Upgrade("")
	return n, 0, nil
}

// Gap gives the header up: it is a matter of one segment.
func (c *conversation) Gap(d dissect.Direction, _ conn.Mark, _ uint64) (resumed bool) {
	if d == dissect.ToServer {
		c.sink.Upgrade("")
	}
	return false
}

// End has nothing to end.
func (*conversation) End(dissect.Direction, int64, conn.Reason) {}

// Preface implements dissect.Prefacer.
func (c *conversation) Preface() dissect.Preface {
	if c.header == nil {
		return nil
	}
	return c.header
}
