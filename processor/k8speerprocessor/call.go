// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"net/netip"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// side is the end of a call that a record speaks for.
type side uint8

const (
	unknownSide side = iota
	clientSide
	serverSide
)

// sideNamed gives the side that a word stands for: wirespan.side, or a kind of
// span in any of the spellings that metrics have.
func sideNamed(word string) side {
	switch strings.ToLower(strings.TrimPrefix(word, "SPAN_KIND_")) {
	case "client", "producer":
		return clientSide
	case "server", "consumer":
		return serverSide
	}
	return unknownSide
}

// call is what a record says about its peer.
type call struct {
	attrs     pcommon.Map
	side      side
	at        int64  // nanoseconds since 1970: when it began
	known     int64  // likewise: when the record could be made
	namespace string // of the record's own end

	peer, nat netip.AddrPort
	transport index.Protocol
	container string
	names     string // the value of the best attribute that may have the peer's name
}

// read takes the attributes in one pass. It reports whether there is a peer.
func (c *call) read(attrs pcommon.Map, namesFrom []string) bool {
	c.attrs = attrs
	var peer, nat netip.Addr
	var peerPort, natPort int64
	best := len(namesFrom)
	c.transport = index.TCP
	for key, v := range attrs.All() {
		switch key {
		case semconv.NetworkPeerAddress:
			peer = parse(v.Str())
		case semconv.NetworkPeerPort:
			peerPort = v.Int()
		case semconv.PeerNATAddress:
			nat = parse(v.Str())
		case semconv.PeerNATPort:
			natPort = v.Int()
		case semconv.NetworkTransport:
			c.transport = protocolNamed(v.Str())
		case semconv.PeerContainerID:
			c.container = v.Str()
		case semconv.Side, semconv.SpanKind:
			if c.side == unknownSide {
				c.side = sideNamed(v.Str())
			}
		}
		for i := range best {
			if namesFrom[i] == key && hostName(v.Str()) {
				c.names, best = v.Str(), i
			}
		}
	}
	if !peer.IsValid() {
		return false
	}
	c.peer, c.nat = netip.AddrPortFrom(peer, uint16(peerPort)), netip.AddrPortFrom(nat, uint16(natPort))
	return true
}

func parse(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func protocolNamed(transport string) index.Protocol {
	switch transport {
	case "udp", "quic":
		return index.UDP
	case "sctp":
		return index.SCTP
	}
	return index.TCP
}
