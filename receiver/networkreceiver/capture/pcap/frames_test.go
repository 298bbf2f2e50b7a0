// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// began is the time of the first frame of the test's captures.
var began = time.Date(2026, 2, 3, 4, 5, 6, 789_000, time.UTC)

var (
	clientV4 = netip.MustParseAddrPort("192.0.2.1:43210")
	serverV4 = netip.MustParseAddrPort("198.51.100.2:80")
	clientV6 = netip.MustParseAddrPort("[2001:db8::1]:43210")
	serverV6 = netip.MustParseAddrPort("[2001:db8::2]:80")
)

type stack []gopacket.SerializableLayer

// frame is one frame of a test's capture.
type frame struct {
	link layers.LinkType
	data []byte
	wire int // 0: all of data
	at   time.Duration
}

func bytesOf(t testing.TB, s stack) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	require.NoError(t, gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, s...))
	return bytes.Clone(b.Bytes())
}

func ip(source, destination netip.AddrPort, protocol layers.IPProtocol) gopacket.SerializableLayer {
	if source.Addr().Is4() {
		return &layers.IPv4{
			Version: 4, TTL: 64, Id: 7, Protocol: protocol,
			SrcIP: net.IP(source.Addr().AsSlice()), DstIP: net.IP(destination.Addr().AsSlice()),
		}
	}
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: protocol,
		SrcIP: net.IP(source.Addr().AsSlice()), DstIP: net.IP(destination.Addr().AsSlice()),
	}
}

// tcpPacket is an IP packet with TCP and a payload.
func tcpPacket(source, destination netip.AddrPort, payload string) stack {
	return stack{ip(source, destination, layers.IPProtocolTCP), tcpLayer(source, destination), gopacket.Payload(payload)}
}

func tcpLayer(source, destination netip.AddrPort) *layers.TCP {
	return &layers.TCP{
		SrcPort: layers.TCPPort(source.Port()), DstPort: layers.TCPPort(destination.Port()),
		Seq: 1000, Ack: 2000, ACK: true, PSH: true,
	}
}

func udpPacket(source, destination netip.AddrPort, payload string) stack {
	return append(udpTo(source, destination), gopacket.Payload(payload))
}

func udpTo(source, destination netip.AddrPort) stack {
	return stack{
		ip(source, destination, layers.IPProtocolUDP),
		&layers.UDP{SrcPort: layers.UDPPort(source.Port()), DstPort: layers.UDPPort(destination.Port())},
	}
}

func ether(t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: t}
}

// etherHeader is an Ethernet header alone. gopacket would pad it to a frame.
func etherHeader(kind uint16) []byte {
	return []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, byte(kind >> 8), byte(kind)}
}

// etherTCP is an Ethernet frame with tcpPacket.
func etherTCP(t testing.TB, source, destination netip.AddrPort, payload string) []byte {
	t.Helper()
	kind := layers.EthernetTypeIPv4
	if source.Addr().Is6() {
		kind = layers.EthernetTypeIPv6
	}
	return bytesOf(t, append(stack{ether(kind)}, tcpPacket(source, destination, payload)...))
}

// wantTCP is the segment that tcpPacket gives.
func wantTCP(source, destination netip.AddrPort, payload string) capture.Segment {
	return capture.Segment{
		Time: began.UnixNano(), Transport: capture.TCP, Source: source, Destination: destination,
		Seq: 1000, Ack: 2000, Flags: capture.ACK | capture.PSH,
		Payload: []byte(payload), WireLen: len(payload),
	}
}

func wantUDP(source, destination netip.AddrPort, payload string) capture.Segment {
	return capture.Segment{
		Time: began.UnixNano(), Transport: capture.UDP, Source: source, Destination: destination,
		Payload: []byte(payload), WireLen: len(payload),
	}
}

// pcapFile is a capture in the pcap format. All frames have the first one's link
// type.
func pcapFile(order binary.AppendByteOrder, nanoseconds bool, frames ...frame) []byte {
	magic, unit := uint32(0xa1b2c3d4), int64(1000)
	if nanoseconds {
		magic, unit = 0xa1b23c4d, 1
	}
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, 262144)
	b = order.AppendUint32(b, uint32(frames[0].link))
	for _, f := range frames {
		at := began.Add(f.at)
		b = order.AppendUint32(b, uint32(at.Unix()))
		b = order.AppendUint32(b, uint32(int64(at.Nanosecond())/unit))
		b = order.AppendUint32(b, uint32(len(f.data)))
		b = order.AppendUint32(b, uint32(max(f.wire, len(f.data))))
		b = append(b, f.data...)
	}
	return b
}

// ethernetFile is a pcap file of Ethernet frames, a millisecond apart.
func ethernetFile(frames ...[]byte) []byte {
	all := make([]frame, len(frames))
	for i, data := range frames {
		all[i] = frame{link: layers.LinkTypeEthernet, data: data, at: time.Duration(i) * time.Millisecond}
	}
	return pcapFile(binary.LittleEndian, false, all...)
}

// pcapngFile is a capture in the pcapng format as gopacket writes it, with one
// interface per link type.
func pcapngFile(t testing.TB, frames ...frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriterInterface(&b, pcapgo.NgInterface{Name: "first", LinkType: frames[0].link}, pcapgo.NgWriterOptions{})
	require.NoError(t, err)
	index := map[layers.LinkType]int{frames[0].link: 0}
	for _, f := range frames {
		i, ok := index[f.link]
		if !ok {
			i, err = w.AddInterface(pcapgo.NgInterface{Name: "other", Comment: "another link type", LinkType: f.link, SnapLength: 96})
			require.NoError(t, err)
			index[f.link] = i
		}
		require.NoError(t, w.WritePacket(gopacket.CaptureInfo{
			Timestamp: began.Add(f.at), CaptureLength: len(f.data), Length: max(f.wire, len(f.data)), InterfaceIndex: i,
		}, f.data))
	}
	require.NoError(t, w.Flush())
	return b.Bytes()
}
