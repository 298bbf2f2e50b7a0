// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// Probe implements dissect.Dissector.
func (Dissector) Probe(client, server []byte) dissect.Verdict {
	forward, backward := probe(client, toServer), probe(server, toServer)
	switch {
	case forward == dissect.Yes:
		return dissect.Yes
	case backward == dissect.Yes:
		return dissect.Reversed
	}
	if v := max(probe(server, toClient), probe(client, toClient)); v == dissect.Yes {
		// The beginning of the other end is not known: who sent this?
		if probe(client, toClient) == dissect.Yes && isServerHello(client) {
			return dissect.Reversed
		}
		return dissect.Yes
	} else if v = max(v, forward, backward); v != dissect.No {
		return v
	}
	return probeUpgrade(client, server)
}

const (
	toServer = dissect.ToServer
	toClient = dissect.ToClient
)

// probe tells whether b begins with a ClientHello (toServer) or with another record.
func probe(b []byte, d dissect.Direction) dissect.Verdict {
	if len(b) == 0 {
		return dissect.No
	}
	if d == toServer {
		return max(probeHello(b), probeSSL2(b))
	}
	if b[0] < record.ChangeCipherSpec || b[0] > record.ApplicationData || len(b) > 1 && b[1] != 3 || len(b) > 2 && b[2] > 4 {
		return dissect.No
	}
	if len(b) < record.HeaderBytes {
		return dissect.NeedMore
	}
	if _, ok := record.ParseHeader(b); !ok {
		return dissect.No
	}
	return dissect.Yes
}

// probeHello wants a handshake record that begins with a ClientHello.
func probeHello(b []byte) dissect.Verdict {
	pattern := [...]int{record.Handshake, 3, -1, -1, -1, handshake.TypeClientHello}
	for i := range min(len(b), len(pattern)) {
		if pattern[i] >= 0 && int(b[i]) != pattern[i] {
			return dissect.No
		}
	}
	if len(b) < len(pattern) {
		return dissect.NeedMore
	}
	if _, ok := record.ParseHeader(b); !ok {
		return dissect.No
	}
	return dissect.Yes
}

func isServerHello(b []byte) bool {
	return len(b) > record.HeaderBytes && b[0] == record.Handshake && b[record.HeaderBytes] == handshake.TypeServerHello
}

func probeSSL2(b []byte) dissect.Verdict {
	switch {
	case handshake.SSL2HelloBytes(b) > 0:
		return dissect.Yes
	case len(b) >= 11 || b[0]&0x80 == 0 || len(b) > 2 && b[2] != handshake.TypeClientHello || len(b) > 3 && b[3] != 3:
		return dissect.No
	}
	return dissect.NeedMore
}
