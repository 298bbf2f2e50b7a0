// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

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
	info := d.Info()
	name := info.Name
	if p, ok := b.protocols[name]; ok {
		return p
	}
	p := &protocol{name: name, event: "wirespan." + name + ".call", payload: b.set.Payload, request: requestKeys, response: responseKeys}
	if own, ok := b.set.Protocols[name]; ok {
		p.payload = own
	}
	p.request.rename(info.Request)
	p.response.rename(info.Response)
	p.names = [...]sectionNames{
		dissect.ToServer: {nameCache{prefix: p.request.header}, nameCache{prefix: p.request.trailer}},
		dissect.ToClient: {nameCache{prefix: p.response.header}, nameCache{prefix: p.response.trailer}},
	}
	b.protocols[name] = p
	return p
}

// rename sets the names that the conventions of a protocol have.
func (k *messageKeys) rename(own dissect.PayloadKeys) {
	k.body, k.header, k.describedSize = cmp.Or(own.Body, k.body), cmp.Or(own.Header, k.header), own.Size
}
