// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package tls is the dissector of TLS. It tells of each handshake, and gives what is
// carried to the engine: opened with the keys of a key log, or shown by the process's
// own TLS library. A second dissector of the name sees QUIC's handshakes.
package tls // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls"

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Dissector is the dissector of TLS over TCP.
type Dissector struct {
	// Keys open records; nil for none.
	Keys *Keys
}

var (
	_ dissect.Dissector = Dissector{}
	_ dissect.Dissector = QUIC{}
)

const second = int64(1e9)

// limits are the defaults: a record, of whose handshake nothing but names is kept, and
// a handshake that waits for what a person confirms at a token.
var limits = dissect.Limits{HeaderBytes: 20 << 10, BodyBytes: 64 << 10, Outstanding: 8, Age: 60 * second}

// Info implements dissect.Dissector.
func (Dissector) Info() dissect.Info {
	return dissect.Info{
		Name:       "tls",
		Transport:  capture.TCP,
		Ports:      []uint16{443, 8443, 465, 563, 636, 853, 989, 990, 993, 995, 5671, 6697, 8883},
		ProbeBytes: probeBytes,
		Limits:     limits,
	}
}

// New implements dissect.Dissector.
func (d Dissector) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return newConversation(limits, sink, d.Keys)
}

// Describe implements dissect.Dissector.
func (Dissector) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) dissect.Summary {
	return describe(side, req, resp, out)
}
