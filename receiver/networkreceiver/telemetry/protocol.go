// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// protocol is what is worked out once for each protocol.
type protocol struct {
	name              string
	event             string
	payload           Payload
	request, response messageKeys
	names             [2]sectionNames // by dissect.Direction
}

// sectionNames are the names of the fields of one direction's messages.
type sectionNames struct{ headers, trailers nameCache }

func (b *Builder) protocolOf(d dissect.Dissector) *protocol {
	name := d.Info().Name
	if p, ok := b.protocols[name]; ok {
		return p
	}
	p := &protocol{name: name, event: "wirespan." + name + ".call", payload: b.set.Payload, request: requestKeys, response: responseKeys}
	if own, ok := b.set.Protocols[name]; ok {
		p.payload = own
	}
	if name == "http" || name == "http2" {
		p.request.body, p.request.header = keyHTTPRequestBody, keyHTTPRequestHeader
		p.response.body, p.response.header = keyHTTPResponseBody, keyHTTPResponseHeader
	}
	p.names = [...]sectionNames{
		dissect.ToServer: {nameCache{prefix: p.request.header}, nameCache{prefix: p.request.trailer}},
		dissect.ToClient: {nameCache{prefix: p.response.header}, nameCache{prefix: p.response.trailer}},
	}
	b.protocols[name] = p
	return p
}
