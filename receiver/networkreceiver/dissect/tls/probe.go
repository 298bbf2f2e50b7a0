// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

const probeBytes = 2 << 10

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
	if b[0] < changeCipherSpec || b[0] > applicationData || len(b) > 1 && b[1] != 3 || len(b) > 2 && b[2] > 4 {
		return dissect.No
	}
	if len(b) < headerBytes {
		return dissect.NeedMore
	}
	if _, ok := parseHeader(b); !ok {
		return dissect.No
	}
	return dissect.Yes
}

// probeHello wants a handshake record that begins with a ClientHello.
func probeHello(b []byte) dissect.Verdict {
	pattern := [...]int{handshakeRecord, 3, -1, -1, -1, clientHello}
	for i := range min(len(b), len(pattern)) {
		if pattern[i] >= 0 && int(b[i]) != pattern[i] {
			return dissect.No
		}
	}
	if len(b) < len(pattern) {
		return dissect.NeedMore
	}
	if _, ok := parseHeader(b); !ok {
		return dissect.No
	}
	return dissect.Yes
}

func isServerHello(b []byte) bool {
	return len(b) > headerBytes && b[0] == handshakeRecord && b[headerBytes] == serverHello
}

// ssl2Hello is the length of a ClientHello in the format of SSL 2.0 that offers a later
// version (RFC 5246, section E.2), or 0.
func ssl2Hello(b []byte) int {
	const fixed = 11
	if len(b) < fixed || b[0]&0x80 == 0 || b[2] != clientHello || b[3] != 3 || b[4] > 4 {
		return 0
	}
	n := int(b[0]&0x7f)<<8 | int(b[1])
	r := reader{b: b[5:fixed]}
	ciphers, session, challenge := r.uint(2), r.uint(2), r.uint(2)
	if ciphers == 0 || ciphers%3 != 0 || session != 0 && session != 16 || challenge < 16 || challenge > 32 ||
		n != fixed-2+ciphers+session+challenge {
		return 0
	}
	return 2 + n
}

func probeSSL2(b []byte) dissect.Verdict {
	switch {
	case ssl2Hello(b) > 0:
		return dissect.Yes
	case len(b) >= 11 || b[0]&0x80 == 0 || len(b) > 2 && b[2] != clientHello || len(b) > 3 && b[3] != 3:
		return dissect.No
	}
	return dissect.NeedMore
}
