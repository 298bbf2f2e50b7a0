// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"cmp"
	"net/netip"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// addNetwork adds the connection, as the call's side sees it. What the dissector
// has said about client and server stays: a Host header knows the server better
// than a socket does.
func (b *Builder) addNetwork(c *call, m *attributes) {
	m.str(semconv.NetworkTransport, transportName(c.Conn.Transport))
	if !m.has(semconv.NetworkProtocolName) {
		m.str(semconv.NetworkProtocolName, c.protocol.name)
	}
	b.addAddrPort(m, semconv.NetworkPeerAddress, semconv.NetworkPeerPort, c.remote)
	b.addAddrPort(m, semconv.NetworkLocalAddress, semconv.NetworkLocalPort, c.local)
	if nat := c.Conn.RemoteNAT; nat.IsValid() && nat != c.Conn.Remote && c.sideIsLocal {
		b.addAddrPort(m, semconv.PeerNATAddress, semconv.PeerNATPort, nat)
	}
	if c.sideIsLocal {
		c.addPeerProcess(m)
	}
	b.addEnds(c, m)
	if c.Carrier != nil {
		m.dropSame(semconv.TLSServerName, semconv.ServerAddress)
	}
}

// addEnds adds the client and the server, of which the first that is known of what names
// them counts.
func (b *Builder) addEnds(c *call, m *attributes) {
	name := b.serverName(c)
	m.strIfAny(semconv.PeerDNSName, name)
	behind := c.endsBehind()
	server := c.remote
	if c.side == dissect.ServerSide {
		server = c.local
	}
	switch {
	case m.has(semconv.ClientAddress):
	case behind.client.Address != "":
		m.addEndpoint(semconv.ClientAddress, semconv.ClientPort, behind.client)
	case c.side == dissect.ServerSide && c.remote.IsValid():
		// The conventions want it, also where it is the peer's.
		m.str(semconv.ClientAddress, b.addresses.text(c.remote.Addr()))
	}
	switch {
	case m.has(semconv.ServerAddress):
	case c.Carrier != nil && c.Carrier.ServerName() != "":
		m.str(semconv.ServerAddress, c.Carrier.ServerName())
		m.Int(semconv.ServerPort, int64(cmp.Or(behind.server.Port, server.Port())))
	case behind.server.Address != "":
		m.addEndpoint(semconv.ServerAddress, semconv.ServerPort, behind.server)
	case name != "":
		m.str(semconv.ServerAddress, name)
		m.Int(semconv.ServerPort, int64(server.Port()))
	default:
		c.nameless = true
		b.addAddrPort(m, semconv.ServerAddress, semconv.ServerPort, server)
	}
}

// addPeerProcess names the process at the other end, if that is on this machine.
// Its service name is the one that its own records have in service.name.
func (c *call) addPeerProcess(m *attributes) {
	p := c.Conn.PeerProcess
	if p == nil {
		return
	}
	m.Int(semconv.PeerProcessPID, int64(p.PID))
	m.strIfAny(semconv.PeerProcessName, p.FullName())
	if isContainerID(p.ContainerID) {
		m.str(semconv.PeerContainerID, p.ContainerID)
	}
	if c.naming == ServiceNameProcess {
		m.strIfAny(semconv.ServicePeerName, serviceName(p))
	}
}

func transportName(t capture.Transport) string {
	if t == capture.UDP {
		return "udp"
	}
	return "tcp"
}

func (b *Builder) addAddrPort(m *attributes, addressKey, portKey string, p netip.AddrPort) {
	if p.IsValid() {
		m.str(addressKey, b.addresses.text(p.Addr()))
		m.Int(portKey, int64(p.Port()))
	}
}

// addressCache remembers the text of a bounded number of addresses.
type addressCache map[netip.Addr]string

const maxCachedAddresses = 1024

func (a addressCache) text(addr netip.Addr) string {
	if text, ok := a[addr]; ok {
		return text
	}
	if len(a) >= maxCachedAddresses {
		clear(a)
	}
	text := addr.Unmap().String()
	a[addr] = text
	return text
}
