// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"encoding/binary"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// hello is the packet in all frames of TestLinks.
const hello = "GET / HTTP/1.1\r\n\r\n"

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestLinks(t *testing.T) {
	v4 := bytesOf(t, tcpPacket(clientV4, serverV4, hello))
	v6 := bytesOf(t, tcpPacket(clientV6, serverV6, hello))
	inEther := etherTCP(t, clientV4, serverV4, hello)
	dot1q := func(id uint16, next layers.EthernetType) []byte {
		return bytesOf(t, stack{&layers.Dot1Q{VLANIdentifier: id, Type: next}})
	}
	header := func(l ...gopacket.SerializableLayer) []byte { return bytesOf(t, l) }
	const null, loop, sll2 = layers.LinkTypeNull, layers.LinkTypeLoop, layers.LinkType(276)
	tests := map[string]struct {
		link   layers.LinkType
		data   []byte
		v6     bool
		scoped bool
	}{
		"Ethernet":                  {link: 1, data: inEther},
		"Ethernet, IPv6":            {link: 1, data: etherTCP(t, clientV6, serverV6, hello), v6: true},
		"Ethernet, padding":         {link: 1, data: join(inEther, make([]byte, 20))},
		"Ethernet, LLC and SNAP":    {link: 1, data: join(make([]byte, 12), []byte{0, 66, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, v4)},
		"VLAN":                      {link: 1, data: join(etherHeader(0x8100), dot1q(5, 0x0800), v4), scoped: true},
		"VLAN 0":                    {link: 1, data: join(etherHeader(0x8100), dot1q(0, 0x0800), v4)},
		"QinQ":                      {link: 1, data: join(etherHeader(0x88a8), dot1q(5, 0x8100), dot1q(6, 0x86dd), v6), v6: true, scoped: true},
		"QinQ before the standard":  {link: 1, data: join(etherHeader(0x9100), dot1q(5, 0x8100), dot1q(6, 0x0800), v4), scoped: true},
		"Linux cooked v1":           {link: 113, data: join([]byte{0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0}, v4)},
		"Linux cooked v1, VLAN":     {link: 113, data: join([]byte{0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x81, 0}, dot1q(9, 0x0800), v4), scoped: true},
		"Linux cooked v1, long MAC": {link: 113, data: join([]byte{0, 4, 0, 32, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 8, 0}, v4)},
		"Linux cooked v2":           {link: sll2, data: join([]byte{0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0}, v6), v6: true},
		"null, little endian":       {link: null, data: join([]byte{2, 0, 0, 0}, v4)},
		"null, big endian":          {link: null, data: join([]byte{0, 0, 0, 2}, v4)},
		"null, IPv6 of FreeBSD":     {link: null, data: join([]byte{28, 0, 0, 0}, v6), v6: true},
		"null, IPv6 of macOS":       {link: null, data: join([]byte{0, 0, 0, 30}, v6), v6: true},
		"OpenBSD loop":              {link: loop, data: join([]byte{0, 0, 0, 24}, v6), v6: true},
		"raw":                       {link: layers.LinkTypeRaw, data: v4},
		"raw, IPv6":                 {link: layers.LinkTypeRaw, data: v6, v6: true},
		"raw, number of BSD":        {link: 12, data: v4},
		"IPv4":                      {link: layers.LinkTypeIPv4, data: v4},
		"IPv6":                      {link: layers.LinkTypeIPv6, data: v6, v6: true},
		"PPP":                       {link: layers.LinkTypePPP, data: join([]byte{0xff, 3, 0, 0x21}, v4)},
		"PPP, compressed":           {link: layers.LinkTypePPP, data: join([]byte{0x21}, v4)},
		"PPPoE":                     {link: 1, data: join(etherHeader(0x8864), []byte{0x11, 0, 0, 9, 0, 80, 0, 0x57}, v6), v6: true},
		"Cisco HDLC":                {link: layers.LinkTypeC_HDLC, data: join([]byte{0x0f, 0, 8, 0}, v4)},
		"MPLS":                      {link: 1, data: join(join(etherHeader(0x8847), header(&layers.MPLS{Label: 16, TTL: 9}, &layers.MPLS{Label: 17, StackBottom: true, TTL: 9})), v4)},
		"MPLS, Ethernet":            {link: 1, data: join(join(etherHeader(0x8847), header(&layers.MPLS{Label: 16, StackBottom: true, TTL: 9})), make([]byte, 4), inEther)},
		"MPLS alone":                {link: 219, data: join(header(&layers.MPLS{Label: 16, StackBottom: true, TTL: 9}), v6), v6: true},
		"802.11":                    {link: 105, data: join(wifiHeader(0x08, 0x01, 24), snap(0x0800), v4)},
		"802.11, QoS":               {link: 105, data: join(wifiHeader(0x88, 0x02, 26), snap(0x86dd), v6), v6: true},
		"802.11, four addresses":    {link: 105, data: join(wifiHeader(0x08, 0x03, 30), snap(0x0800), v4)},
		"802.11, QoS, HT control":   {link: 105, data: join(wifiHeader(0x88, 0x82, 30), snap(0x0800), v4)},
		"802.11, VLAN":              {link: 105, data: join(wifiHeader(0x08, 0x01, 24), snap(0x8100), dot1q(9, 0x0800), v4), scoped: true},
		"radiotap":                  {link: 127, data: join([]byte{0, 0, 8, 0, 0, 0, 0, 0}, wifiHeader(0x08, 0x01, 24), snap(0x0800), v4)},
		"radiotap, FCS":             {link: 127, data: join([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x10}, wifiHeader(0x08, 0x01, 24), snap(0x0800), v4, []byte{1, 2, 3, 4})},
		"radiotap, padding":         {link: 127, data: join([]byte{0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0}, make([]byte, 12), []byte{0x20}, wifiHeader(0x88, 0x02, 26), []byte{0, 0}, snap(0x0800), v4)},
		"NFLOG":                     {link: 239, data: join([]byte{2, 0, 0, 1}, []byte{byte(len(v4) + 4), 0, 9, 0}, v4)},
		"NFLOG, big endian":         {link: 239, data: join([]byte{10, 0, 0, 1}, []byte{0, byte(len(v6) + 4), 0, 9}, v6), v6: true},
		"NFLOG, attributes":         {link: 239, data: join([]byte{2, 0, 0, 1, 8, 0, 1, 0, 8, 0, 1, 0, 5, 0, 10, 0, 0, 9, 9, 9}, []byte{byte(len(v4) + 4), 0, 9, 0}, v4, make([]byte, 2), []byte{8, 0, 6, 0, 0, 0, 0, 1})},
		"network service header":    {link: 1, data: join(etherHeader(0x894f), []byte{0x0f, 0xc6, 1, 1}, make([]byte, 20), v4)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := wantTCP(clientV4, serverV4, hello)
			if test.v6 {
				want = wantTCP(clientV6, serverV6, hello)
			}
			path := writeFile(t, "one.pcap", pcapFile(binary.LittleEndian, false, frame{link: test.link, data: test.data}))
			r, stats, err := replayOne(t, path)
			require.NoError(t, err)
			require.Len(t, r.segments, 1)
			got := r.segments[0]
			assert.Equal(t, test.scoped, got.Scope != 0, "scope %d", got.Scope)
			got.Scope = 0
			assert.Equal(t, want, got)
			assert.EqualValues(t, 1, stats.Segments.Load())
		})
	}
}

// Every cut of a frame gives less payload and the same length on the wire, or is
// counted; never anything else.
func TestFrameCutAtEachLength(t *testing.T) {
	stacks := tunnelFrames(t)
	for name, whole := range stacks {
		t.Run(name, func(t *testing.T) {
			var frames []frame
			for n := range len(whole) + 1 {
				frames = append(frames, frame{link: 1, data: whole[:n], wire: len(whole)})
			}
			r, stats, err := replayOne(t, writeFile(t, "cut.pcap", pcapFile(binary.LittleEndian, false, frames...)))
			require.NoError(t, err)
			assert.EqualValues(t, len(frames), stats.Packets.Load())
			assert.EqualValues(t, len(frames), stats.Segments.Load()+stats.Truncated.Load())
			assert.Zero(t, stats.Malformed.Load())
			last := r.segments[len(r.segments)-1]
			assert.Equal(t, hello, string(last.Payload))
			for _, seg := range r.segments {
				if seg.Destination != last.Destination {
					continue // so little was captured that only the tunnel is seen
				}
				assert.Equal(t, len(hello), seg.WireLen)
				assert.Equal(t, hello[:len(seg.Payload)], string(seg.Payload))
			}
		})
	}
}

func TestNotTransport(t *testing.T) {
	arp := join(etherHeader(0x0806), make([]byte, 28))
	icmp := bytesOf(t, stack{ether(0x0800), ip(clientV4, serverV4, layers.IPProtocolICMPv4), gopacket.Payload("12345678")})
	bad := etherTCP(t, clientV4, serverV4, hello)
	bad[14] = 0x41 // a header of four bytes
	r, stats, err := replayOne(t, writeFile(t, "other.pcap", ethernetFile(arp, icmp, bad, bad[:20], etherTCP(t, clientV4, serverV4, hello))))
	require.NoError(t, err)
	assert.Len(t, r.segments, 1)
	assert.EqualValues(t, 2, stats.NotTransport.Load())
	assert.EqualValues(t, 2, stats.Malformed.Load())
	assert.EqualValues(t, 5, stats.Packets.Load())
	assert.EqualValues(t, 2, r.lost[capture.LossMalformed])
}

// wifiHeader is an 802.11 header of n bytes.
func wifiHeader(kind, flags byte, n int) []byte {
	return append([]byte{kind, flags}, make([]byte, n-2)...)
}

// snap is LLC with SNAP.
func snap(kind uint16) []byte { return []byte{0xaa, 0xaa, 3, 0, 0, 0, byte(kind >> 8), byte(kind)} }

// What is in a frame and can't be read is not the same as nothing of interest.
func TestUnknownPayload(t *testing.T) {
	v4 := bytesOf(t, tcpPacket(clientV4, serverV4, hello))
	tunnel := func(b ...byte) []byte {
		return bytesOf(t, stack{ip(nearEnd, farEnd, 47), gopacket.Payload(join(b, make([]byte, 40)))})
	}
	aggregated := join(wifiHeader(0x88, 0x02, 24), []byte{0x80, 0}, make([]byte, 40))
	fragment := join(wifiHeader(0x08, 0x05, 24), snap(0x0800), v4)
	for name, f := range map[string]frame{
		"GRE":                {link: layers.LinkTypeRaw, data: tunnel(0, 0, 0x12, 0x34)},
		"GRE, ERSPAN, NSH":   {link: 1, data: join(etherHeader(0x894f), []byte{0x0f, 0xc6, 1, 77}, make([]byte, 40))},
		"802.11, encrypted":  {link: 105, data: join(wifiHeader(0x08, 0x41, 24), make([]byte, 40))},
		"802.11, aggregated": {link: 105, data: aggregated},
		"802.11, fragment":   {link: 105, data: fragment},
	} {
		t.Run(name, func(t *testing.T) {
			r, stats, err := replayOne(t, writeFile(t, "one.pcap", pcapFile(binary.LittleEndian, false, f)))
			require.NoError(t, err)
			assert.Empty(t, r.segments)
			assert.EqualValues(t, 1, stats.UnknownPayload.Load())
		})
	}
	for name, data := range map[string][]byte{
		"beacon":            wifiHeader(0x80, 0, 60),
		"no data":           wifiHeader(0x48, 1, 24),
		"NFLOG, ARP":        {3, 0, 0, 1},
		"NFLOG, no payload": {2, 0, 0, 1, 8, 0, 1, 0, 8, 0, 1, 0},
	} {
		link := layers.LinkType(105)
		if name[0] == 'N' {
			link = 239
		}
		r, stats, err := replayOne(t, writeFile(t, "one.pcap", pcapFile(binary.LittleEndian, false, frame{link: link, data: data})))
		require.NoError(t, err)
		assert.Empty(t, r.segments)
		assert.EqualValues(t, 1, stats.NotTransport.Load(), name)
	}
}

// A radiotap header says that the frame was damaged; an attribute is longer than its frame.
func TestMalformedLinks(t *testing.T) {
	v4 := bytesOf(t, tcpPacket(clientV4, serverV4, hello))
	for name, f := range map[string]frame{
		"bad FCS":          {link: 127, data: join([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x40}, wifiHeader(0x08, 0x01, 24), snap(0x0800), v4)},
		"radiotap version": {link: 127, data: join([]byte{1, 0, 8, 0, 0, 0, 0, 0}, wifiHeader(0x08, 0x01, 24))},
		"radiotap length":  {link: 127, data: []byte{0, 0, 255, 0, 0, 0, 0, 0, 1}},
		"attribute":        {link: 239, data: []byte{2, 0, 0, 1, 90, 0, 9, 0, 1, 1}},
		"empty attribute":  {link: 239, data: []byte{2, 0, 0, 1, 0, 0, 1, 0, 1, 1}},
	} {
		_, stats, err := replayOne(t, writeFile(t, "one.pcap", pcapFile(binary.LittleEndian, false, f)))
		require.NoError(t, err)
		assert.EqualValues(t, 1, stats.Malformed.Load(), name)
	}
}
