// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
)

// fragmentsOf cuts an IP packet into fragments with size bytes each.
func fragmentsOf(p []byte, id uint32, size int) (all [][]byte) {
	v6 := p[0]>>4 == 6
	header := 20
	if v6 {
		header = 40
	}
	payload := p[header:]
	for offset := 0; offset < len(payload); offset += size {
		end := min(offset+size, len(payload))
		h := append([]byte{}, p[:header]...)
		more := end < len(payload)
		if v6 {
			x := []byte{h[6], 0, 0, 0, 0, 0, 0, 0}
			binary.BigEndian.PutUint16(x[2:], uint16(offset))
			if more {
				x[3] |= 1
			}
			binary.BigEndian.PutUint32(x[4:], id)
			h[6] = 44
			binary.BigEndian.PutUint16(h[4:], uint16(8+end-offset))
			h = append(h, x...)
		} else {
			binary.BigEndian.PutUint16(h[2:], uint16(20+end-offset))
			binary.BigEndian.PutUint16(h[4:], uint16(id))
			binary.BigEndian.PutUint16(h[6:], uint16(offset/8))
			if more {
				h[6] |= 0x20
			}
		}
		all = append(all, append(h, payload[offset:end]...))
	}
	return all
}

// replayRaw replays raw IP packets, all captured at once unless at says when.
func replayRaw(t *testing.T, at func(i int) time.Duration, packets ...[]byte) (*recorder, *pcap.Stats) {
	t.Helper()
	var frames []frame
	for i, p := range packets {
		f := frame{link: layers.LinkTypeRaw, data: p}
		if at != nil {
			f.at = at(i)
		}
		frames = append(frames, f)
	}
	r, stats, err := replayOne(t, writeFile(t, "raw.pcap", pcapFile(binary.LittleEndian, false, frames...)))
	require.NoError(t, err)
	return r, stats
}

func TestFragments(t *testing.T) {
	long := strings.Repeat("0123456789", 500)
	for name, test := range map[string]struct {
		packet []byte
		want   capture.Segment
	}{
		"IPv4 TCP": {bytesOf(t, tcpPacket(clientV4, serverV4, long)), wantTCP(clientV4, serverV4, long)},
		"IPv4 UDP": {bytesOf(t, udpPacket(clientV4, serverV4, long)), wantUDP(clientV4, serverV4, long)},
		"IPv6 TCP": {bytesOf(t, tcpPacket(clientV6, serverV6, long)), wantTCP(clientV6, serverV6, long)},
		"IPv6 UDP": {bytesOf(t, udpPacket(clientV6, serverV6, long)), wantUDP(clientV6, serverV6, long)},
	} {
		t.Run(name, func(t *testing.T) {
			parts := fragmentsOf(test.packet, 1, 1400)
			require.Len(t, parts, 4)
			shuffle := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				shuffle.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				// the first of them comes twice
				r, stats := replayRaw(t, nil, append([][]byte{parts[0]}, parts...)...)
				require.Equal(t, []capture.Segment{test.want}, r.segments)
				require.EqualValues(t, 4, stats.Fragments.Load())
				require.Zero(t, stats.LostFragment.Load())
			}
		})
	}
}

// A tunnel whose outer packets are fragmented, with fragments inside as well.
func TestFragmentsInTunnels(t *testing.T) {
	long := strings.Repeat("0123456789", 500)
	var outer [][]byte
	for i, part := range fragmentsOf(bytesOf(t, udpPacket(clientV6, serverV6, long)), 9, 1400) {
		p := join([]byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 41, 0, 0}, nearEnd.Addr().AsSlice(), farEnd.Addr().AsSlice(), part)
		binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
		outer = append(outer, fragmentsOf(p, uint32(i), 800)...)
	}
	r, stats := replayRaw(t, nil, outer...)
	assert.Equal(t, []capture.Segment{wantUDP(clientV6, serverV6, long)}, r.segments)
	assert.Zero(t, stats.LostFragment.Load())
	assert.Zero(t, stats.Malformed.Load())
}

// A fragment that the snap length cut leaves a hole: what follows it is not
// payload, but counts.
func TestFragmentsCut(t *testing.T) {
	long := strings.Repeat("0123456789", 500)
	var frames []frame
	for i, p := range fragmentsOf(bytesOf(t, udpPacket(clientV4, serverV4, long)), 1, 1400) {
		f := frame{link: layers.LinkTypeRaw, data: p, wire: len(p)}
		if i == 1 {
			f.data = p[:20+1000]
		}
		frames = append(frames, f)
	}
	r, _, err := replayOne(t, writeFile(t, "raw.pcap", pcapFile(binary.LittleEndian, false, frames...)))
	require.NoError(t, err)
	require.Len(t, r.segments, 1)
	assert.Equal(t, long[:1400-8+1000], string(r.segments[0].Payload))
	assert.Equal(t, len(long), r.segments[0].WireLen)
}

func TestFragmentsGivenUp(t *testing.T) {
	whole := bytesOf(t, udpPacket(clientV4, serverV4, strings.Repeat("x", 2000)))
	parts := fragmentsOf(whole, 1, 800)
	require.Len(t, parts, 3)
	overlap := fragmentsOf(whole, 1, 808)[1]
	longer := append([]byte{}, fragmentsOf(whole, 1, 1608)[1]...)
	tests := map[string]struct {
		packets   [][]byte
		at        func(int) time.Duration
		lost      uint64
		segments  int
		malformed uint64
	}{
		"missing":           {packets: parts[:2], lost: 1},
		"overlap":           {packets: [][]byte{parts[0], overlap, parts[1], parts[2]}, lost: 1},
		"two ends":          {packets: [][]byte{parts[2], longer, parts[0], parts[1]}, lost: 1},
		"too late":          {packets: parts, at: func(i int) time.Duration { return time.Duration(i/2) * 31 * time.Second }, lost: 2},
		"in time":           {packets: parts, at: func(i int) time.Duration { return time.Duration(i/2) * 29 * time.Second }, segments: 1},
		"past the maximum":  {packets: [][]byte{edit16(parts[1], 6, 0x2000|8191)}, malformed: 1},
		"odd length":        {packets: [][]byte{edit16(parts[0], 2, 20+799)}, malformed: 1},
		"without any bytes": {packets: [][]byte{edit16(parts[2], 2, 20)}, malformed: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, stats := replayRaw(t, test.at, test.packets...)
			assert.Len(t, r.segments, test.segments)
			assert.Equal(t, test.lost, stats.LostFragment.Load())
			assert.Equal(t, test.lost, r.lost[capture.LossFragment])
			assert.Equal(t, test.malformed, stats.Malformed.Load())
		})
	}
}

func edit16(b []byte, at int, value uint16) []byte {
	b = append([]byte{}, b...)
	binary.BigEndian.PutUint16(b[at:], value)
	return b
}

// A flood of fragments gives up the oldest, and what comes whole afterwards is
// still put together.
func TestFragmentFlood(t *testing.T) {
	const flood = 5000
	long := strings.Repeat("x", 3000)
	first := func(i int) []byte {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)
		return fragmentsOf(bytesOf(t, udpPacket(from, serverV4, long)), 1, 1400)[0]
	}
	var packets [][]byte
	for i := range flood {
		packets = append(packets, first(i))
	}
	packets = append(packets, fragmentsOf(bytesOf(t, udpPacket(clientV4, serverV4, long)), 2, 1400)...)
	r, stats := replayRaw(t, nil, packets...)
	assert.Equal(t, []capture.Segment{wantUDP(clientV4, serverV4, long)}, r.segments)
	assert.EqualValues(t, flood, stats.LostFragment.Load())
}
