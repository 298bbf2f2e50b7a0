// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package registry lists the dissectors.
package registry // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dns"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/websocket"
)

// All is every dissector, in the order in which the engine probes them. The first
// that says Yes has the connection, so what is recognised by a magic number
// stands before what is recognised by its looks.
func All() []dissect.Dissector { return With(nil) }

// With is All with keys that open TLS; they may be added to later.
func With(keys *tls.Keys) []dissect.Dissector {
	return []dissect.Dissector{
		tls.Dissector{Keys: keys}, // by the header of a record, whose first byte is no text
		tls.QUIC{},                // by a long header of a known version, of the least size
		http2.Dissector{},         // by the preface; in the middle by frames, which begin with a zero byte as no text does
		http.Dissector{},          // by a whole request or status line
		dns.TCP,                   // by a header and sections that fit, after their length
		dns.UDP,                   // likewise, in datagrams
		websocket.Dissector{},     // by a client's masks, in the middle; else by name, after its handshake
	}
}
