// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package preface has what several dissectors tell of the calls that follow on their
// connection.
package preface // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/preface"

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// Tunnel leads through a proxy to a server.
type Tunnel struct {
	Protocol string           // in which the client has asked for it: "http", "socks"
	Target   dissect.Endpoint // empty if the tunnel leads to no server that the client has named
}

var _ dissect.Preface = (*Tunnel)(nil)

// Ends implements dissect.Preface.
func (t *Tunnel) Ends() (client, server dissect.Endpoint) { return client, t.Target }

// DescribePreface implements dissect.Preface.
func (t *Tunnel) DescribePreface(out dissect.Attributes) {
	out.Str("wirespan.tunnel.protocol", t.Protocol)
	DescribeTarget(t.Target, out)
}

// DescribeTarget tells where a tunnel leads, or shall lead.
func DescribeTarget(target dissect.Endpoint, out dissect.Attributes) {
	if target.Address != "" {
		out.Str("wirespan.tunnel.target.address", target.Address)
		out.Int("wirespan.tunnel.target.port", int64(target.Port))
	}
}
