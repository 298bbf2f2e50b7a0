// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conntrack

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// attribute is one of netlink, padded.
func attribute(of uint16, parts ...[]byte) []byte {
	value := slices.Concat(parts...)
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, of), value...)
	return append(b, make([]byte, align(len(b))-len(b))...)
}

func tupleOf(of uint16, transport capture.Transport, source, destination string) []byte {
	const nested = 0x8000
	from, to := netip.MustParseAddrPort(source), netip.MustParseAddrPort(destination)
	first := uint16(ip4Source)
	if from.Addr().Is6() {
		first = ip6Source
	}
	return attribute(of|nested,
		attribute(tupleIP|nested, attribute(first, from.Addr().AsSlice()), attribute(first+1, to.Addr().AsSlice())),
		attribute(tupleProto|nested, attribute(protoNumber, []byte{byte(transport)}),
			attribute(protoSource, binary.BigEndian.AppendUint16(nil, from.Port())),
			attribute(protoDestination, binary.BigEndian.AppendUint16(nil, to.Port()))))
}

func message(of uint16, body ...[]byte) []byte {
	rest := slices.Concat(body...)
	b := binary.NativeEndian.AppendUint32(nil, uint32(headerSize+familySize+len(rest)))
	b = binary.NativeEndian.AppendUint16(b, of)
	b = append(b, make([]byte, headerSize-len(b)+familySize)...)
	return append(b, rest...)
}

// connection is what the kernel says of one: its four addresses.
func connection(transport capture.Transport, source, destination, replySource, replyTarget string) []byte {
	status := attribute(3, []byte{0, 0, 1, 0x8e})
	return message(messageNew, tupleOf(tupleOrig, transport, source, destination),
		tupleOf(tupleReply, transport, replySource, replyTarget), status)
}

func TestTranslated(t *testing.T) {
	type ends struct{ local, remote, want string }
	for name, c := range map[string]struct {
		said []byte
		ends []ends
	}{
		"service": {
			connection(capture.TCP, "10.42.1.2:4000", "10.96.0.1:80", "10.42.2.2:8080", "10.42.1.2:4000"),
			[]ends{{"10.42.1.2:4000", "10.96.0.1:80", "10.42.2.2:8080"}, {"10.42.2.2:8080", "10.42.1.2:4000", ""}},
		},
		"masquerade": {
			connection(capture.TCP, "10.42.1.2:4000", "203.0.113.9:443", "203.0.113.9:443", "198.51.100.1:61000"),
			[]ends{{"10.42.1.2:4000", "203.0.113.9:443", ""}, {"203.0.113.9:443", "198.51.100.1:61000", "10.42.1.2:4000"}},
		},
		"both": {
			connection(capture.TCP, "10.42.1.2:4000", "10.96.0.1:80", "10.42.1.2:8080", "198.51.100.1:61000"),
			[]ends{{"10.42.1.2:4000", "10.96.0.1:80", "10.42.1.2:8080"}, {"10.42.1.2:8080", "198.51.100.1:61000", "10.42.1.2:4000"}},
		},
		"IPv6": {
			connection(capture.UDP, "[2001:db8::1]:4000", "[2001:db8::a]:53", "[2001:db8::2]:53", "[2001:db8::1]:4000"),
			[]ends{{"[2001:db8::1]:4000", "[2001:db8::a]:53", "[2001:db8::2]:53"}},
		},
		"none": {
			connection(capture.TCP, "10.42.1.2:4000", "10.42.2.2:80", "10.42.2.2:80", "10.42.1.2:4000"),
			[]ends{{"10.42.1.2:4000", "10.42.2.2:80", ""}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := NewTable()
			table.take(c.said)
			assert.EqualValues(t, 1, table.Stats.Tracked.Load())
			transport := capture.TCP
			if name == "IPv6" {
				transport = capture.UDP
			}
			for _, e := range c.ends {
				got, ok := table.Translated(transport, netip.MustParseAddrPort(e.local), netip.MustParseAddrPort(e.remote))
				assert.Equal(t, e.want != "", ok, e.local)
				if ok {
					assert.Equal(t, e.want, got.String())
				}
			}
			_, ok := table.Translated(capture.TCP+capture.UDP-transport, netip.MustParseAddrPort(c.ends[0].local), netip.MustParseAddrPort(c.ends[0].remote))
			assert.False(t, ok, "another transport is another connection")
		})
	}
}

// A port is used again: what was known of the earlier connection is no longer true.
func TestLaterConnectionReplacesEarlier(t *testing.T) {
	local, remote := netip.MustParseAddrPort("10.42.1.2:4000"), netip.MustParseAddrPort("10.96.0.1:80")
	table := NewTable()
	for _, pod := range []string{"10.42.2.2:8080", "10.42.2.3:8080"} {
		table.take(connection(capture.TCP, local.String(), remote.String(), pod, local.String()))
		got, ok := table.Translated(capture.TCP, local, remote)
		assert.True(t, ok)
		assert.Equal(t, pod, got.String())
	}
	table.take(connection(capture.TCP, local.String(), remote.String(), remote.String(), local.String()))
	_, ok := table.Translated(capture.TCP, local, remote)
	assert.False(t, ok, "the address is a host's own now")
	assert.EqualValues(t, 3, table.Stats.Tracked.Load())
	assert.EqualValues(t, 2, table.Stats.Translated.Load())
}

func TestTableIsBounded(t *testing.T) {
	table := NewTable()
	table.most = 10
	remote := netip.MustParseAddrPort("10.96.0.1:80")
	local := func(n int) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("10.42.1.2"), uint16(n)) }
	for n := range 25 {
		table.take(connection(capture.TCP, local(n+1).String(), remote.String(), "10.42.2.2:8080", local(n+1).String()))
	}
	for n := range 25 {
		_, ok := table.Translated(capture.TCP, local(n+1), remote)
		assert.Equal(t, n >= 15, ok, "connection %d", n)
	}
	assert.Len(t, table.queue, 10)
	assert.EqualValues(t, 15, table.Stats.Forgotten.Load())
}

func TestMessagesOfOtherKinds(t *testing.T) {
	table := NewTable()
	good := connection(capture.TCP, "10.42.1.2:4000", "10.96.0.1:80", "10.42.2.2:8080", "10.42.1.2:4000")
	icmp := connection(1, "10.42.1.2:0", "10.96.0.1:0", "10.42.2.2:0", "10.42.1.2:0")
	assert.Equal(t, kindDone, table.take(slices.Concat(good, icmp, message(1<<8|2), message(messageDone))))
	assert.Equal(t, kindError, table.take(message(messageErr)))
	assert.EqualValues(t, 1, table.Stats.Tracked.Load())
	assert.Zero(t, table.Stats.Malformed.Load())
	for n := 1; n < len(good); n++ {
		table.take(good[:n])
	}
	assert.EqualValues(t, len(good)-1, table.Stats.Malformed.Load(), "cut messages")
	assert.EqualValues(t, 1, table.Stats.Tracked.Load())
}

func FuzzMessages(f *testing.F) {
	f.Add(connection(capture.TCP, "10.42.1.2:4000", "10.96.0.1:80", "10.42.2.2:8080", "10.42.1.2:4000"))
	f.Add(connection(capture.UDP, "[2001:db8::1]:4000", "[2001:db8::a]:53", "[2001:db8::2]:53", "[2001:db8::1]:4000"))
	f.Add(message(messageDone))
	f.Fuzz(func(t *testing.T, b []byte) {
		table := NewTable()
		table.most = 4
		table.take(b)
		assert.LessOrEqual(t, len(table.queue), 4)
		assert.LessOrEqual(t, len(table.entries), 4)
	})
}

func BenchmarkTake(b *testing.B) {
	said := connection(capture.TCP, "10.42.1.2:4000", "10.96.0.1:80", "10.42.2.2:8080", "10.42.1.2:4000")
	table := NewTable()
	b.ReportAllocs()
	for b.Loop() {
		table.take(said)
	}
}

func BenchmarkTranslated(b *testing.B) {
	table := NewTable()
	table.take(connection(capture.TCP, "10.42.1.2:4000", "10.96.0.1:80", "10.42.2.2:8080", "10.42.1.2:4000"))
	local, remote := netip.MustParseAddrPort("10.42.1.2:4000"), netip.MustParseAddrPort("10.96.0.1:80")
	b.ReportAllocs()
	for b.Loop() {
		table.Translated(capture.TCP, local, remote)
	}
}
