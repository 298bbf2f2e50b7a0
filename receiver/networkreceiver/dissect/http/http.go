// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package http dissects HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112).
package http // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"
)

// probeBytes is how much of one direction Probe needs at most. A longer request
// target is taken for HTTP by its method.
const probeBytes = 4 << 10

// Dissector is the dissector of HTTP/1.0 and HTTP/1.1.
type Dissector struct {
	// Applications are what is looked for inside HTTP.
	Applications *application.Set
}

var (
	_ dissect.Dissector      = Dissector{}
	_ dissect.Conversation   = (*conversation)(nil)
	_ dissect.Resyncer       = (*conversation)(nil)
	_ dissect.Forewarned     = (*conversation)(nil)
	_ dissect.EventDescriber = Dissector{}
)

var ports = []uint16{80, 8080, 8000, 3000, 5000, 8008, 8081, 8888, 9090, 3128}

// Info describes the protocol and its default limits.
func (Dissector) Info() dissect.Info {
	return dissect.Info{
		Name:       "http",
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
	c := &conversation{limits: limits, sink: sink, applications: d.Applications}
	c.teller = teller{Sink: sink, conversation: c}
	return c
}

// RequestInfo is Message.Protocol of a request.
type RequestInfo struct {
	Method  string // case-sensitive, as on the wire
	Target  string // request-target in any of its four forms
	Version string // "1.0" or "1.1"
	Host    string // the first Host field's value
}

// ResponseInfo is Message.Protocol of a response, final or interim.
type ResponseInfo struct {
	Status  int
	Reason  string // may be empty
	Version string // "1.0" or "1.1"
}
