// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package proxyprotocol

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// header is what a header says. What is empty was not told.
type header struct {
	version             int
	local               bool // LOCAL: the proxy speaks for itself
	client, destination dissect.Endpoint
	err                 string // why the rest of the header is not used

	authority, alpn, uniqueID, netns string
	tls                              *clientTLS
}

// clientTLS is what the proxy says of the client's connection to itself.
type clientTLS struct {
	version, cipher, commonName, signature, key string
	certificate, verified                       bool // presented; and the proxy has verified it
}

var _ dissect.Preface = (*header)(nil)

// Ends implements dissect.Preface. The destination is an address of the proxy, so the
// server is not told.
func (h *header) Ends() (client, server dissect.Endpoint) { return h.client, server }

// DescribePreface implements dissect.Preface.
func (h *header) DescribePreface(to dissect.Attributes) {
	out := told{to}
	out.Int("wirespan.proxy_protocol.version", int64(h.version))
	if h.local {
		out.Bool("wirespan.proxy_protocol.local", true)
	}
	out.Str("wirespan.proxy_protocol.error", h.err)
	out.Str("wirespan.proxy_protocol.destination.address", h.destination.Address)
	if h.destination.Port != 0 {
		out.Int("wirespan.proxy_protocol.destination.port", int64(h.destination.Port))
	}
	out.Str("wirespan.proxy_protocol.authority", h.authority)
	out.Str("wirespan.proxy_protocol.alpn", h.alpn)
	out.Str("wirespan.proxy_protocol.unique_id", h.uniqueID)
	out.Str("wirespan.proxy_protocol.network_namespace", h.netns)
	if h.tls != nil {
		h.tls.describe(out)
	}
}

func (t *clientTLS) describe(out told) {
	out.Str("wirespan.proxy_protocol.tls.version", t.version)
	out.Str("wirespan.proxy_protocol.tls.cipher", t.cipher)
	out.Str("wirespan.proxy_protocol.tls.client.common_name", t.commonName)
	out.Str("wirespan.proxy_protocol.tls.client.signature_algorithm", t.signature)
	out.Str("wirespan.proxy_protocol.tls.client.key_algorithm", t.key)
	if t.certificate {
		out.Bool("wirespan.proxy_protocol.tls.client.verified", t.verified)
	}
}

// told takes the texts that are not empty.
type told struct{ dissect.Attributes }

// Str implements dissect.Attributes.
func (o told) Str(key, value string) {
	if value != "" {
		o.Attributes.Str(key, value)
	}
}
