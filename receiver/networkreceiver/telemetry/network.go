// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// addNetwork adds the connection, as the call's side sees it. What the dissector
// has said about client and server stays: a Host header knows the server better
// than a socket does.
func (c *call) addNetwork(m pcommon.Map) {
	m.PutStr(keyNetworkTransport, transportName(c.Conn.Transport))
	if t := networkType(c.remote.Addr()); t != "" {
		m.PutStr(keyNetworkType, t)
	}
	putDefault(m, keyNetworkProtocolName, c.protocol.name)
	putAddrPort(m, keyNetworkPeerAddress, keyNetworkPeerPort, c.remote)
	putAddrPort(m, keyNetworkLocalAddress, keyNetworkLocalPort, c.local)
	if nat := c.Conn.RemoteNAT; nat.IsValid() && nat != c.Conn.Remote && c.sideIsLocal {
		putAddrPort(m, keyPeerNATAddress, keyPeerNATPort, nat)
	}
	if c.sideIsLocal {
		c.addPeerProcess(m)
	}
	client, server := c.local, c.remote
	if c.side == dissect.ServerSide {
		client, server = server, client
	}
	putDefaultAddrPort(m, keyClientAddress, keyClientPort, client)
	putDefaultAddrPort(m, keyServerAddress, keyServerPort, server)
}

// addPeerProcess names the process at the other end, if that is on this machine.
// Its service name is the one that its own records have in service.name.
func (c *call) addPeerProcess(m pcommon.Map) {
	p := c.Conn.PeerProcess
	if p == nil {
		return
	}
	m.PutInt(keyPeerProcessPID, int64(p.PID))
	putStr(m, keyPeerProcessName, p.Name)
	if isContainerID(p.ContainerID) {
		m.PutStr(keyPeerContainerID, p.ContainerID)
	}
	if c.naming == ServiceNameProcess && !contained(p) {
		putStr(m, keyServicePeerName, serviceName(p))
	}
}

func transportName(t capture.Transport) string {
	if t == capture.UDP {
		return "udp"
	}
	return "tcp"
}

func networkType(a netip.Addr) string {
	switch {
	case !a.IsValid():
		return ""
	case a.Unmap().Is4():
		return "ipv4"
	}
	return "ipv6"
}

func putAddrPort(m pcommon.Map, addressKey, portKey string, p netip.AddrPort) {
	if p.IsValid() {
		m.PutStr(addressKey, p.Addr().Unmap().String())
		m.PutInt(portKey, int64(p.Port()))
	}
}

// putDefaultAddrPort adds both or none: a port belongs to its address.
func putDefaultAddrPort(m pcommon.Map, addressKey, portKey string, p netip.AddrPort) {
	if _, ok := m.Get(addressKey); !ok {
		putAddrPort(m, addressKey, portKey, p)
	}
}

func putDefault(m pcommon.Map, key, value string) {
	if _, ok := m.Get(key); !ok {
		m.PutStr(key, value)
	}
}
