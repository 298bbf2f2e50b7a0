// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package packet_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/packet"
)

var (
	source4 = netip.MustParseAddrPort("192.0.2.1:43210")
	dest4   = netip.MustParseAddrPort("198.51.100.2:80")
	source6 = netip.MustParseAddrPort("[2001:db8::1]:43210")
	dest6   = netip.MustParseAddrPort("[2001:db8::2]:80")
)

func serialize(t testing.TB, all ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true}
	require.NoError(t, gopacket.SerializeLayers(b, options, all...))
	return b.Bytes()
}

func ipv4(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{
		Version: 4, TTL: 64, Protocol: protocol,
		SrcIP: source4.Addr().AsSlice(), DstIP: dest4.Addr().AsSlice(),
	}
}

func ipv6(next layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: next,
		SrcIP: net.IP(source6.Addr().AsSlice()), DstIP: net.IP(dest6.Addr().AsSlice()),
	}
}

func tcp() *layers.TCP {
	return &layers.TCP{
		SrcPort: 43210, DstPort: 80, Seq: 0xfffffff0, Ack: 7, ACK: true, PSH: true, ECE: true, CWR: true, URG: true, Urgent: 3,
		Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindNop}, {OptionType: layers.TCPOptionKindNop}, {OptionType: layers.TCPOptionKindNop}, {OptionType: layers.TCPOptionKindNop}},
	}
}

func udp() *layers.UDP { return &layers.UDP{SrcPort: 43210, DstPort: 80} }

func tcpSegment(source, destination netip.AddrPort, payload string) capture.Segment {
	return capture.Segment{
		Transport: capture.TCP, Source: source, Destination: destination,
		Seq: 0xfffffff0, Ack: 7, Flags: capture.ACK | capture.PSH | capture.URG, UrgentPointer: 3,
		Payload: []byte(payload), WireLen: len(payload),
	}
}

func udpSegment(source, destination netip.AddrPort, payload string) capture.Segment {
	return capture.Segment{
		Transport: capture.UDP, Source: source, Destination: destination,
		Payload: []byte(payload), WireLen: len(payload),
	}
}

// extension is an IPv6 extension header of 16 bytes.
func extension(next layers.IPProtocol) gopacket.Payload {
	x := make([]byte, 16)
	x[0], x[1] = byte(next), 1
	return x
}

func TestDecode(t *testing.T) {
	options := ipv4(layers.IPProtocolTCP)
	options.Options = []layers.IPv4Option{{OptionType: 1}, {OptionType: 1}, {OptionType: 1}, {OptionType: 0}}
	atomic := gopacket.Payload{byte(layers.IPProtocolUDP), 0, 0, 0, 1, 2, 3, 4}
	ah := gopacket.Payload{byte(layers.IPProtocolTCP), 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}
	tests := map[string]struct {
		layers []gopacket.SerializableLayer
		want   capture.Segment
	}{
		"IPv4 TCP":              {[]gopacket.SerializableLayer{ipv4(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello")}, tcpSegment(source4, dest4, "hello")},
		"IPv4 TCP without data": {[]gopacket.SerializableLayer{ipv4(layers.IPProtocolTCP), tcp()}, tcpSegment(source4, dest4, "")},
		"IPv4 options":          {[]gopacket.SerializableLayer{options, tcp(), gopacket.Payload("hello")}, tcpSegment(source4, dest4, "hello")},
		"IPv4 UDP":              {[]gopacket.SerializableLayer{ipv4(layers.IPProtocolUDP), udp(), gopacket.Payload("hello")}, udpSegment(source4, dest4, "hello")},
		"IPv6 TCP":              {[]gopacket.SerializableLayer{ipv6(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello")}, tcpSegment(source6, dest6, "hello")},
		"IPv6 UDP":              {[]gopacket.SerializableLayer{ipv6(layers.IPProtocolUDP), udp(), gopacket.Payload("hello")}, udpSegment(source6, dest6, "hello")},
		"IPv6 extensions":       {[]gopacket.SerializableLayer{ipv6(0), extension(60), extension(43), extension(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello")}, tcpSegment(source6, dest6, "hello")},
		"IPv6 atomic fragment":  {[]gopacket.SerializableLayer{ipv6(44), atomic, udp(), gopacket.Payload("hello")}, udpSegment(source6, dest6, "hello")},
		"IPv6 authentication":   {[]gopacket.SerializableLayer{ipv6(51), ah, tcp(), gopacket.Payload("hello")}, tcpSegment(source6, dest6, "hello")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := serialize(t, test.layers...)
			var got capture.Segment
			require.NoError(t, packet.DecodeIP(b, len(b), &got))
			assert.Equal(t, test.want, got)

			padded := append(b[:len(b):len(b)], make([]byte, 18)...)
			got = capture.Segment{}
			require.NoError(t, packet.DecodePadded(padded, len(padded), &got))
			assert.Equal(t, test.want, got, "padding is not payload")
		})
	}
}

// Every cut gives either an error and an untouched segment, or the segment with
// that many bytes less of payload and the same length on the wire.
func TestDecodeCutAtEachLength(t *testing.T) {
	packets := map[string][]byte{
		"IPv4 TCP":        serialize(t, ipv4(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello")),
		"IPv4 UDP":        serialize(t, ipv4(layers.IPProtocolUDP), udp(), gopacket.Payload("hello")),
		"IPv6 TCP":        serialize(t, ipv6(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello")),
		"IPv6 extensions": serialize(t, ipv6(0), extension(60), extension(layers.IPProtocolUDP), udp(), gopacket.Payload("hello")),
	}
	for name, b := range packets {
		t.Run(name, func(t *testing.T) {
			var whole capture.Segment
			require.NoError(t, packet.DecodeIP(b, len(b), &whole))
			succeeded := false
			for n := range len(b) {
				got := capture.Segment{Time: 42}
				err := packet.DecodeIP(b[:n:n], len(b), &got)
				if err != nil {
					assert.ErrorIs(t, err, packet.ErrTruncated, "cut at %d", n)
					assert.Equal(t, capture.Segment{Time: 42}, got, "cut at %d", n)
					assert.False(t, succeeded, "more bytes decode worse: cut at %d", n)
					continue
				}
				succeeded = true
				want := whole
				want.Time = 42
				want.Payload = want.Payload[:max(0, len(want.Payload)-(len(b)-n))]
				assert.Equal(t, want, got, "cut at %d", n)
			}
			assert.True(t, succeeded)
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	edit := func(b []byte, at int, value ...byte) []byte {
		copy(b[at:], value)
		return b
	}
	tcp4 := func() []byte { return serialize(t, ipv4(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello")) }
	udp4 := func() []byte { return serialize(t, ipv4(layers.IPProtocolUDP), udp(), gopacket.Payload("hello")) }
	endless := []gopacket.SerializableLayer{ipv6(0)}
	for range 20 {
		endless = append(endless, extension(0))
	}
	tests := map[string]struct {
		packet []byte
		want   error
	}{
		"empty":                           {nil, packet.ErrTruncated},
		"neither version":                 {edit(tcp4(), 0, 0x55), packet.ErrMalformed},
		"IPv4 header too short":           {edit(tcp4(), 0, 0x44), packet.ErrMalformed},
		"IPv4 length less than header":    {edit(tcp4(), 2, 0, 19), packet.ErrMalformed},
		"IPv4 first fragment":             {edit(tcp4(), 6, 0x20, 0), packet.ErrFragment},
		"IPv4 last fragment":              {edit(tcp4(), 6, 0, 9), packet.ErrFragment},
		"IPv6 fragment":                   {serialize(t, ipv6(44), gopacket.Payload{6, 0, 0, 1, 0, 0, 0, 1}, tcp()), packet.ErrFragment},
		"IPv6 endless extensions":         {serialize(t, endless...), packet.ErrMalformed},
		"IPv6 extension past the end":     {serialize(t, ipv6(60), gopacket.Payload{6, 255, 0, 0, 0, 0, 0, 0}, tcp()), packet.ErrMalformed},
		"ICMP":                            {serialize(t, ipv4(layers.IPProtocolICMPv4), gopacket.Payload("12345678")), packet.ErrNotTransport},
		"no next header":                  {serialize(t, ipv6(59), gopacket.Payload("12345678")), packet.ErrNotTransport},
		"TCP header too short":            {edit(tcp4(), 32, 0x40), packet.ErrMalformed},
		"TCP header longer than packet":   {edit(tcp4(), 32, 0xf0), packet.ErrMalformed},
		"packet too short for TCP header": {serialize(t, ipv4(layers.IPProtocolTCP), gopacket.Payload("short")), packet.ErrMalformed},
		"UDP length less than header":     {edit(udp4(), 24, 0, 7), packet.ErrMalformed},
		"packet too short for UDP header": {serialize(t, ipv4(layers.IPProtocolUDP), gopacket.Payload("short")), packet.ErrMalformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var seg capture.Segment
			assert.ErrorIs(t, packet.DecodePadded(test.packet, len(test.packet), &seg), test.want)
			assert.Zero(t, seg)
		})
	}
	var seg capture.Segment
	assert.ErrorIs(t, packet.DecodeIP(tcp4(), -1, &seg), packet.ErrMalformed)
	assert.ErrorIs(t, packet.DecodeIP(tcp4(), 30, &seg), packet.ErrMalformed)
}

// Above the network device a packet may be larger than its header can say.
func TestDecodeLargerThanHeaderSays(t *testing.T) {
	payload := gopacket.Payload(make([]byte, 100_000))
	small4 := serialize(t, ipv4(layers.IPProtocolTCP), tcp())
	small6 := serialize(t, ipv6(layers.IPProtocolTCP), tcp())
	small4[2], small4[3] = 0, 0
	small6[4], small6[5] = 0, 0
	for name, header := range map[string][]byte{"IPv4": small4, "IPv6": small6} {
		t.Run(name, func(t *testing.T) {
			b := append(header, payload...)
			var live, file capture.Segment
			require.NoError(t, packet.DecodeIP(b[:4096], len(b), &live))
			require.NoError(t, packet.DecodePadded(b[:4096], len(b), &file))
			assert.Equal(t, 100_000, live.WireLen)
			assert.Len(t, live.Payload, 4096-len(header))
			assert.Equal(t, live, file)
		})
	}
}

// A UDP datagram's own length wins, if the packet has room for it.
func TestDecodeUDPLength(t *testing.T) {
	for length, want := range map[byte]int{0: 5, 8: 0, 11: 3, 13: 5, 14: 5, 255: 5} {
		b := serialize(t, ipv4(layers.IPProtocolUDP), udp(), gopacket.Payload("hello"))
		b[25] = length
		var seg capture.Segment
		require.NoError(t, packet.DecodeIP(b, len(b), &seg))
		assert.Equal(t, want, seg.WireLen, "length %d", length)
		assert.Equal(t, "hello"[:want], string(seg.Payload), "length %d", length)
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	b4 := serialize(t, ipv4(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello"))
	b6 := serialize(t, ipv6(0), extension(layers.IPProtocolUDP), udp(), gopacket.Payload("hello"))
	var seg capture.Segment
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_ = packet.DecodeIP(b4, len(b4), &seg)
		_ = packet.DecodePadded(b6, len(b6), &seg)
		_ = packet.DecodeIP(b6[:50], len(b6), &seg)
	}))
}

func FuzzDecode(f *testing.F) {
	f.Add(serialize(f, ipv4(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello")), 100)
	f.Add(serialize(f, ipv4(layers.IPProtocolUDP), udp(), gopacket.Payload("hello")), 33)
	f.Add(serialize(f, ipv6(0), extension(44), extension(layers.IPProtocolTCP), tcp()), 0)
	f.Add(serialize(f, ipv6(51), extension(layers.IPProtocolUDP), udp()), -1)
	for _, b := range seed.Packets(f) {
		f.Add(b, len(b))
	}
	f.Fuzz(func(t *testing.T, b []byte, wireLen int) {
		for _, decode := range []func([]byte, int, *capture.Segment) error{packet.DecodeIP, packet.DecodePadded} {
			var seg capture.Segment
			if decode(b, wireLen, &seg) != nil {
				require.Zero(t, seg)
				continue
			}
			require.LessOrEqual(t, len(seg.Payload), seg.WireLen)
			require.Less(t, seg.WireLen, wireLen)
			require.True(t, seg.Source.IsValid())
			require.True(t, seg.Destination.IsValid())
			require.Contains(t, []capture.Transport{capture.TCP, capture.UDP}, seg.Transport)
		}
	})
}

func BenchmarkDecodeIP(b *testing.B) {
	payload := gopacket.Payload(make([]byte, 1400))
	for name, p := range map[string][]byte{
		"IPv4TCP":           serialize(b, ipv4(layers.IPProtocolTCP), tcp(), payload),
		"IPv6TCP":           serialize(b, ipv6(layers.IPProtocolTCP), tcp(), payload),
		"IPv6UDPExtensions": serialize(b, ipv6(0), extension(60), extension(layers.IPProtocolUDP), udp(), payload),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(p)))
			var seg capture.Segment
			for b.Loop() {
				if err := packet.DecodeIP(p, len(p), &seg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
