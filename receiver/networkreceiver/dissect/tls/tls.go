// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package tls is the dissector of TLS. It tells of each handshake, and gives what is
// carried to the engine: opened with the keys of a key log, or shown by the process's
// own TLS library. The handshakes of QUIC have a dissector of the same name in package quic.
package tls // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls"

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
)

// Dissector is the dissector of TLS over TCP.
type Dissector struct {
	// Keys open records; nil for none.
	Keys *decrypt.Keys
}

var _ dissect.Dissector = Dissector{}

const second = int64(1e9)

// Info implements dissect.Dissector.
func (Dissector) Info() dissect.Info {
	return dissect.Info{
		Name:       "tls",
		Transport:  capture.TCP,
		Ports:      []uint16{443, 8443, 465, 563, 636, 853, 989, 990, 993, 995, 5671, 6697, 8883},
		ProbeBytes: handshake.ProbeBytes,
		Limits:     handshake.Limits,
	}
}

// New implements dissect.Dissector.
func (d Dissector) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return newConversation(limits, sink, d.Keys)
}

// Describe implements dissect.Dissector.
func (Dissector) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) dissect.Summary {
	return handshake.Describe(side, req, resp, out)
}
