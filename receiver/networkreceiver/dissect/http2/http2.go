// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package http2 dissects HTTP/2 (RFC 9113, RFC 7541) without TLS: with prior
// knowledge, and after an upgrade from HTTP/1 ("h2c").
package http2 // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// probeBytes is how much of one direction Probe needs at most: the frames at the
// beginning of a connection, or a header block in its middle.
const probeBytes = 4 << 10

// Dissector is the dissector of HTTP/2.
type Dissector struct {
	// Applications are what is looked for inside HTTP.
	Applications *application.Set
}

var (
	_ dissect.Dissector      = Dissector{}
	_ dissect.Conversation   = (*conversation)(nil)
	_ dissect.Resyncer       = (*conversation)(nil)
	_ dissect.Successor      = (*conversation)(nil)
	_ dissect.EventDescriber = Dissector{}
)

var (
	ports   = []uint16{50051}
	aliases = []string{"h2c"}
)

// Info describes the protocol and its default limits. The attribute
// network.protocol.name is "http": HTTP/2 is a version.
func (Dissector) Info() dissect.Info {
	return dissect.Info{
		Name:       "http2",
		Aliases:    aliases,
		Transport:  capture.TCP,
		Ports:      ports,
		ProbeBytes: probeBytes,
		Limits: dissect.Limits{
			HeaderBytes: 256 << 10,
			BodyBytes:   1 << 20,
			Outstanding: 1024,
			Age:         5 * 60 * 1e9,
		},
		Request:  dissect.PayloadKeys{Body: "http.request.body.content", Header: "http.request.header.", Size: "http.request.body.size"},
		Response: dissect.PayloadKeys{Body: "http.response.body.content", Header: "http.response.header.", Size: "http.response.body.size"},
	}
}

// New makes a conversation. Limits that are zero take their default.
func (d Dissector) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	preset := d.Info().Limits
	limits.HeaderBytes = cmp.Or(limits.HeaderBytes, preset.HeaderBytes)
	limits.Outstanding = cmp.Or(limits.Outstanding, preset.Outstanding)
	c := &conversation{limits: limits, sink: sink, applications: d.Applications, streams: streams{byID: map[uint32]*stream{}}, resets: maxResets}
	for i := range c.halves {
		c.halves[i].block.limit, c.halves[i].block.sink = limits.HeaderBytes, sink
	}
	return c
}

// RequestInfo is Message.Protocol of a request: its pseudo-header fields (RFC 9113,
// section 8.3.1). They are empty where they were not sent, or are not known.
type RequestInfo struct {
	Method    string
	Scheme    string
	Authority string // or the Host field's value
	Path      string // with the query
	Protocol  string // of an extended CONNECT (RFC 8441)
	Pushed    bool   // the server promised it
	Unknown   int    // fields whose name or value is in a table from before the start
}

// ResponseInfo is Message.Protocol of a response, final or interim.
type ResponseInfo struct {
	Status  int    // 0 if it is not known, or if there was none
	Reset   string // the error code that ended the stream ("CANCEL")
	Unknown int    // as in RequestInfo
}

var _ httpmessage.Requester = (*RequestInfo)(nil)
