// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package jsonrpc

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/dialogue"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
)

// mcpSubprotocol is that of the Model Context Protocol over WebSocket.
const mcpSubprotocol = "mcp"

// Messages is the dialogue.Protocol of JSON-RPC over WebSocket. Both ends may ask.
type Messages struct{ mcp bool }

var (
	_ dialogue.Protocol = Messages{}
	_ dialogue.Call     = (*call)(nil)
	_ dialogue.Said     = (*single)(nil)
)

// MessagesOf gives the protocol for a connection with a subprotocol of WebSocket, which
// may be empty.
func MessagesOf(subprotocol string) Messages { return Messages{mcp: subprotocol == mcpSubprotocol} }

// call is a request and its response.
type call struct {
	Messages
	asked, answered message
}

// single is a notification, a batch, or a response whose request is not known.
type single struct {
	Messages
	message
}

// Read implements dialogue.Protocol.
func (p Messages) Read(d dissect.Direction, body []byte, open func(dissect.Direction, string) dialogue.Call) (t dialogue.Turn, ok bool) {
	if !jsonvalue.Mentions(body, "jsonrpc") {
		return t, false
	}
	m := parse(body)
	switch m.kind {
	case nothing:
		return t, false
	case request:
		return dialogue.Turn{Role: dialogue.Begin, Asker: d, ID: m.id, Said: &call{Messages: p, asked: m}}, true
	case response:
		if asked, known := open(d.Other(), m.id).(*call); known {
			asked.answered = m
			return dialogue.Turn{Role: dialogue.End, Asker: d.Other(), ID: m.id, Said: asked}, true
		}
	}
	return dialogue.Turn{Said: &single{Messages: p, message: m}}, true
}

// DescribeMessage implements dialogue.Said.
func (c *call) DescribeMessage(out dissect.Attributes) { c.DescribeCall(out) }

// DescribeCall implements dialogue.Call.
func (c *call) DescribeCall(out dissect.Attributes) (s dissect.Summary) {
	describe(&c.asked, &c.answered, out, &s)
	if c.mcp {
		describeMCPCall(&c.asked, &c.answered, out, &s)
	}
	return s
}

// DescribeMessage implements dialogue.Said.
func (m *single) DescribeMessage(out dissect.Attributes) {
	asked, answered := &m.message, &message{}
	if m.method == "" {
		asked, answered = answered, asked
	}
	s := dissect.Summary{}
	describe(asked, answered, out, &s)
	if m.mcp {
		describeMCPCall(asked, answered, out, &s)
	}
}
