// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package registry lists the protocols.
package registry // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dns"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/proxyprotocol"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/socks"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/quic"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/websocket"
)

// Options are what the dissectors of one receiver are made with. The zero value is all
// protocols with their defaults.
type Options struct {
	// Keys open TLS; they may be added to later.
	Keys *decrypt.Keys
	// Settings are what a protocol has of its own in the configuration, by its name: what
	// Info.Settings returned, filled.
	Settings map[string]any
	// Disabled are the names of protocols that are not looked for.
	Disabled map[string]bool
}

// New returns the dissectors of the protocols that are not disabled, in the order in
// which the engine probes them. The first that says Yes has the connection, so what is
// recognised by a magic number stands before what is recognised by its looks. It fails
// where a file that settings name cannot be used.
func New(o Options) ([]dissect.Dissector, error) {
	inside, err := application.New(application.Options{Settings: o.Settings, Disabled: o.Disabled})
	if err != nil {
		return nil, err
	}
	all := dissectors(o, inside)
	return slices.DeleteFunc(all, func(d dissect.Dissector) bool { return o.Disabled[d.Info().Name] }), nil
}

// All returns the dissectors of all protocols, with their defaults.
func All() []dissect.Dissector { return dissectors(Options{}, nil) }

func dissectors(o Options, inside *application.Set) []dissect.Dissector {
	return []dissect.Dissector{
		tls.Dissector{Keys: o.Keys},               // by the header of a record, whose first byte is no text
		quic.Dissector{},                          // by a long header of a known version, of the least size
		proxyprotocol.Dissector{},                 // by a signature, or a whole line
		socks.Dissector{},                         // by a whole list of methods, or a whole request of version 4
		http2.Dissector{Applications: inside},     // by the preface; in the middle by frames, which begin with a zero byte as no text does
		http.Dissector{Applications: inside},      // by a whole request or status line
		dns.TCP,                                   // by a header and sections that fit, after their length
		dns.UDP,                                   // likewise, in datagrams
		websocket.Dissector{Disabled: o.Disabled}, // by a client's masks, in the middle; else by name, after its handshake
	}
}

// Protocols describe each protocol once: those with a dissector, of the first transport,
// and those that HTTP carries.
func Protocols() (infos []dissect.Info) {
	add := func(info dissect.Info) {
		if !slices.ContainsFunc(infos, func(i dissect.Info) bool { return i.Name == info.Name }) {
			infos = append(infos, info)
		}
	}
	for _, d := range All() {
		add(d.Info())
	}
	for _, info := range application.Infos() {
		add(info)
	}
	return infos
}
