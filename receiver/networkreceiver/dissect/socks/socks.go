// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package socks dissects the handshake of SOCKS, versions 4, 4A and 5, and hands the
// connection on to what is spoken through the proxy.
package socks // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/socks"

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Dissector is the dissector of SOCKS.
type Dissector struct{}

var (
	_ dissect.Dissector = Dissector{}
	_ dissect.Prefacer  = (*conversation)(nil)
)

var ports = []uint16{1080, 1081, 9050, 9150}

// Info describes the protocol and its default limits.
func (Dissector) Info() dissect.Info {
	return dissect.Info{
		Name:       "socks",
		Transport:  capture.TCP,
		Ports:      ports,
		ProbeBytes: maxRequest4,
		Limits: dissect.Limits{
			HeaderBytes: 64 << 10,
			BodyBytes:   1,
			Outstanding: 1,
			Age:         2 * 60 * 1e9,
		},
	}
}

// Probe knows a client by its whole first message: a list of methods, or a request of
// version 4.
func (Dissector) Probe(client, server []byte) dissect.Verdict {
	switch forward, backward := probe(client, server), probe(server, client); {
	case forward == dissect.Yes:
		return dissect.Yes
	case backward == dissect.Yes:
		return dissect.Reversed
	case forward == dissect.NeedMore || backward == dissect.NeedMore:
		return dissect.NeedMore
	}
	return dissect.No
}

// probe looks at what the client has sent, and at the first answer where there is one.
func probe(client, server []byte) dissect.Verdict {
	if len(client) == 0 {
		return dissect.No
	}
	switch client[0] {
	case version5:
		if len(server) > 0 && server[0] != version5 {
			return dissect.No
		}
		return probeGreeting(client)
	case version4:
		if len(server) > 0 && server[0] != 0 {
			return dissect.No
		}
		_, n, verdict := parseRequest4(client)
		if verdict == dissect.NeedMore && len(client) >= maxRequest4 || verdict == dissect.Yes && n > maxRequest4 {
			return dissect.No
		}
		return verdict
	}
	return dissect.No
}

// New makes a conversation. Limits that are zero take their default.
func (d Dissector) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	limits.HeaderBytes = cmp.Or(limits.HeaderBytes, d.Info().Limits.HeaderBytes)
	return &conversation{sink: sink}
}
