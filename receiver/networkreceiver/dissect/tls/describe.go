// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
)

// DescribeCarrier implements dissect.Carrier.
func (c *conversation) DescribeCarrier(first bool, to dissect.Attributes) {
	out := handshake.Optional{Attributes: to}
	h := &c.handshake
	o := &h.outcome
	if c.version == 0 {
		out.Str("tls.protocol.name", "tls")
	} else {
		handshake.DescribeSession(c.version, o.Cipher, o.Group, o.ALPN, out)
	}
	if h.phase == settled && o.Established {
		out.Bool("tls.resumed", o.Resumed)
	}
	out.Str("tls.client.ja3", h.hello.JA3)
	out.Str("wirespan.tls.client.ja4", h.hello.JA4)
	out.Str("wirespan.tls.server_name", h.hello.ServerName)
	out.Str("tls.server.subject", o.Server.Subject)
	out.Str("tls.client.subject", o.Client.Subject)
	if c.align.Uncertain() {
		out.Bool("wirespan.tls.position_uncertain", true)
	}
	if first && o.Duration > 0 && o.Established {
		out.Int("wirespan.time.tls_handshake", o.Duration)
	}
}
