// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package websocket dissects WebSocket (RFC 6455) with permessage-deflate (RFC
// 7692), after the handshake over HTTP/1 and in the middle of a connection.
// [Reader] reads one direction; HTTP/2 uses it for a stream (RFC 8441).
//
// Each message is an event of the handshake's call, unless it begins or ends a call of a
// protocol that is spoken in the messages (GraphQL, JSON-RPC).
package websocket // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/websocket"

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// probeBytes is how much of one direction Probe needs at most.
const probeBytes = 4 << 10

// Dissector is the dissector of WebSocket.
type Dissector struct {
	// Disabled are the names of protocols with calls in messages that are not looked for.
	Disabled map[string]bool
}

var (
	_ dissect.Dissector      = Dissector{}
	_ dissect.EventDescriber = Dissector{}
	_ dissect.Conversation   = (*conversation)(nil)
	_ dissect.Resyncer       = (*conversation)(nil)
	_ dissect.Successor      = (*conversation)(nil)
)

// Info describes the protocol and its default limits.
func (Dissector) Info() dissect.Info {
	return dissect.Info{
		Name:       "websocket",
		Transport:  capture.TCP,
		ProbeBytes: probeBytes,
		Limits: dissect.Limits{
			HeaderBytes: 16 << 10,
			BodyBytes:   1 << 20,
			Outstanding: 1024,
			Age:         60 * 60 * 1e9,
		},
	}
}

// New makes a conversation. Limits that are zero take their default.
func (d Dissector) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	limits.BodyBytes = cmp.Or(limits.BodyBytes, d.Info().Limits.BodyBytes)
	limits.Outstanding = cmp.Or(limits.Outstanding, d.Info().Limits.Outstanding)
	return &conversation{readers: NewReaders(limits, sink, d.Disabled)}
}

// conversation is one connection after the handshake.
type conversation struct{ readers [2]*Reader }
