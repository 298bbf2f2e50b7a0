// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
)

var (
	nearEnd = netip.MustParseAddrPort("203.0.113.1:50000")
	farEnd  = netip.MustParseAddrPort("203.0.113.2:0")
	farEnd6 = netip.MustParseAddrPort("[2001:db8:ffff::2]:0")
	near6   = netip.MustParseAddrPort("[2001:db8:ffff::1]:50000")
)

func at(a netip.AddrPort, port uint16) netip.AddrPort { return netip.AddrPortFrom(a.Addr(), port) }

// scopedTunnels are those whose network identifier is a scope.
var scopedTunnels = map[string]bool{"VXLAN": true, "VXLAN on IPv6": true, "VXLAN on Linux' port": true, "VXLAN-GPE": true, "VXLAN, reserved bits": true, "Geneve, reserved bits": true, "Geneve": true, "Geneve with most options": true, "VLAN in VXLAN in VLAN": true}

// tunnelFrames are Ethernet frames that all hold the same TCP segment.
func tunnelFrames(t testing.TB) map[string][]byte {
	v4 := bytesOf(t, tcpPacket(clientV4, serverV4, hello))
	inEther := etherTCP(t, clientV4, serverV4, hello)
	outer := func(protocol layers.IPProtocol, inner ...[]byte) []byte {
		return bytesOf(t, stack{ether(0x0800), ip(nearEnd, farEnd, protocol), gopacket.Payload(join(inner...))})
	}
	outer6 := func(protocol layers.IPProtocol, inner ...[]byte) []byte {
		return bytesOf(t, stack{ether(0x86dd), ip(near6, farEnd6, protocol), gopacket.Payload(join(inner...))})
	}
	udp := func(port uint16, inner ...[]byte) []byte {
		return bytesOf(t, append(append(stack{ether(0x0800)}, udpTo(nearEnd, at(farEnd, port))...), gopacket.Payload(join(inner...))))
	}
	vx := []byte{8, 0, 0, 0, 0, 0, 42, 0}
	geneve := func(options int) []byte {
		return join([]byte{byte(options / 4), 0, 0x65, 0x58, 0, 0, 42, 0}, make([]byte, options))
	}
	gtpLen := binary.BigEndian.AppendUint16(nil, uint16(len(v4)))
	gtpLenExt := binary.BigEndian.AppendUint16(nil, uint16(len(v4)+8))
	vlan := func(id byte, inner []byte) []byte {
		return join(inner[:12], []byte{0x81, 0, 0, id}, inner[12:])
	}
	return map[string][]byte{
		"IPIP":                     outer(4, v4),
		"IPv4 in IPv6":             outer6(4, v4),
		"GRE":                      outer(47, []byte{0, 0, 8, 0}, v4),
		"GRE with all fields":      outer(47, []byte{0xb0, 0, 8, 0}, make([]byte, 12), v4),
		"GRE with Ethernet":        outer6(47, []byte{0, 0, 0x65, 0x58}, inEther),
		"GRE with MPLS":            outer(47, []byte{0, 0, 0x88, 0x47, 0, 1, 1, 9}, v4),
		"PPTP":                     outer(47, []byte{0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21}, v4),
		"MPLS in IP":               outer(137, []byte{0, 1, 1, 9}, v4),
		"ERSPAN I":                 outer(47, []byte{0, 0, 0x88, 0xbe}, inEther),
		"ERSPAN II":                outer(47, []byte{0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 0, 0, 0, 0, 0}, inEther),
		"ERSPAN III":               outer(47, []byte{0x10, 0, 0x22, 0xeb, 0, 0, 0, 1}, []byte{0x20, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, inEther),
		"ERSPAN III, sub-header":   outer(47, []byte{0x10, 0, 0x22, 0xeb, 0, 0, 0, 1}, []byte{0x20, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 8), inEther),
		"ERSPAN III with IP":       outer(47, []byte{0x10, 0, 0x22, 0xeb, 0, 0, 0, 1}, []byte{0x20, 5, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0}, v4),
		"VXLAN":                    udp(4789, vx, inEther),
		"VXLAN on Linux' port":     udp(8472, vx, inEther),
		"VXLAN on IPv6":            bytesOf(t, append(append(stack{ether(0x86dd)}, udpTo(near6, at(farEnd6, 4789))...), gopacket.Payload(join(vx, inEther)))),
		"VXLAN-GPE":                udp(4790, []byte{12, 0, 0, 1, 0, 0, 42, 0}, v4),
		"Geneve":                   udp(6081, geneve(0), inEther),
		"Geneve with most options": udp(6081, geneve(252), inEther),
		"VLAN in VXLAN in VLAN":    vlan(5, udp(4789, vx, vlan(6, inEther))),
		"VXLAN, reserved bits":     udp(4789, []byte{0xff, 1, 2, 3, 0, 0, 42, 9}, inEther),
		"Geneve, reserved bits":    udp(6081, []byte{0, 0x3f, 0x65, 0x58, 0, 0, 42, 7}, inEther),
		"GTP-U":                    udp(2152, []byte{0x30, 255}, gtpLen, []byte{0, 0, 0, 1}, v4),
		"GTP-U on another port":    udp(12345, []byte{0x30, 255}, gtpLen, []byte{0, 0, 0, 1}, v4),
		"GTP-U with an extension":  udp(2152, []byte{0x34, 255}, gtpLenExt, []byte{0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0}, v4),
		"four tunnels":             outer(4, outer6(47, []byte{0, 0, 8, 0}, udp(2152, []byte{0x30, 255}, gtpLen, []byte{0, 0, 0, 1}, v4)[14:])[14:]),
	}
}

func TestTunnels(t *testing.T) {
	for name, data := range tunnelFrames(t) {
		t.Run(name, func(t *testing.T) {
			if name == "four tunnels" {
				data[23] = 41 // the second one is IPv6
			}
			r, _, err := replayOne(t, writeFile(t, "one.pcap", ethernetFile(data)))
			require.NoError(t, err)
			require.Len(t, r.segments, 1)
			got := r.segments[0]
			assert.Equal(t, scopedTunnels[name], got.Scope != 0, "scope %d", got.Scope)
			got.Scope = 0
			assert.Equal(t, wantTCP(clientV4, serverV4, hello), got)
		})
	}
}

// A datagram to a tunnel's port that is something else is delivered as it is.
func TestTunnelPortsByChance(t *testing.T) {
	for _, port := range []uint16{4789, 4790, 8472, 6081, 2152} {
		for _, payload := range []string{"", "1", "\xff\xff answer to a client with this port", "0\xff\x00\x04aaaaEEEE and more and more and more"} {
			data := bytesOf(t, append(stack{ether(0x0800)}, udpPacket(nearEnd, at(farEnd, port), payload)...))
			r, _, err := replayOne(t, writeFile(t, "one.pcap", ethernetFile(data)))
			require.NoError(t, err)
			require.Len(t, r.segments, 1, "port %d, %q", port, payload)
			assert.Equal(t, wantUDP(nearEnd, at(farEnd, port), payload), r.segments[0])
		}
	}
}

func TestEndlessTunnels(t *testing.T) {
	data := bytesOf(t, tcpPacket(clientV4, serverV4, hello))
	for range 100 {
		data = bytesOf(t, stack{ip(nearEnd, farEnd, 4), gopacket.Payload(data)})
	}
	_, stats, err := replayOne(t, writeFile(t, "one.pcap", ethernetFile(join(etherHeader(0x0800), data))))
	require.NoError(t, err)
	assert.EqualValues(t, 1, stats.Malformed.Load())
}

func TestScope(t *testing.T) {
	there := etherTCP(t, clientV4, serverV4, hello)
	back := etherTCP(t, serverV4, clientV4, hello)
	tagged := func(frame []byte, id byte) []byte { return join(frame[:12], []byte{0x81, 0, 0, id}, frame[12:]) }
	vx := func(frame []byte, vni byte) []byte {
		return bytesOf(t, append(append(stack{ether(0x0800)}, udpTo(nearEnd, at(farEnd, 4789))...), gopacket.Payload(join([]byte{8, 0, 0, 0, 0, 0, vni, 0}, frame))))
	}
	path := writeFile(t, "scopes.pcap", ethernetFile(
		there, back, tagged(there, 5), tagged(back, 5), tagged(there, 6), vx(there, 5), vx(back, 5), vx(there, 6), tagged(tagged(there, 6), 5), tagged(tagged(there, 5), 6)))
	scopes := func(ignore bool) (all []uint32) {
		shards, _, errs := replay(t, pcap.Settings{Files: []string{path}, IgnoreVLAN: ignore})
		require.NoError(t, errs[0])
		for _, seg := range shards[0].segments {
			all = append(all, seg.Scope)
		}
		return all
	}
	s := scopes(false)
	require.Len(t, s, 10)
	assert.Equal(t, []uint32{0, s[2], s[5]}, []uint32{s[1], s[3], s[6]}, "both directions are in one scope")
	different := map[uint32]bool{s[0]: true, s[2]: true, s[4]: true, s[5]: true, s[7]: true, s[8]: true, s[9]: true}
	assert.Len(t, different, 7, "all networks are told apart: %v", s)

	s = scopes(true)
	assert.Equal(t, []uint32{0, 0, 0, 0, 0, s[5], s[5], s[7], 0, 0}, s)
	assert.NotZero(t, s[5])
}
