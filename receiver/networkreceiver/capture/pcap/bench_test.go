// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
)

// sink takes everything and keeps nothing.
type sink struct{ bytes int }

func (s *sink) Segment(seg *capture.Segment)  { s.bytes += len(seg.Payload) }
func (*sink) Owner(uint64, *capture.Process)  {}
func (*sink) Lost(uint64, capture.LossReason) {}
func (*sink) Tick(int64)                      {}

const benchPackets = 50_000

// benchFrames are frames of a request and answers, as Ethernet or in a tunnel.
func benchFrames(b *testing.B, name string) (frames []frame) {
	payload := string(make([]byte, 1200))
	data := etherTCP(b, clientV4, serverV4, payload)
	if name == "vxlan" {
		data = bytesOf(b, append(append(stack{ether(0x0800)}, udpTo(nearEnd, at(farEnd, 4789))...), gopacket.Payload(join([]byte{8, 0, 0, 0, 0, 0, 42, 0}, data))))
	}
	for i := range benchPackets {
		frames = append(frames, frame{link: 1, data: data, at: time.Duration(i) * 10 * time.Microsecond})
	}
	return frames
}

// BenchmarkRun reads a file of 50,000 packets per operation.
func BenchmarkRun(b *testing.B) {
	for _, test := range []struct {
		name   string
		shards int
		file   func(b *testing.B) []byte
	}{
		{"pcap", 1, func(b *testing.B) []byte { return pcapFile(binary.LittleEndian, false, benchFrames(b, "ethernet")...) }},
		{"pcapng", 1, func(b *testing.B) []byte { return pcapngFile(b, benchFrames(b, "ethernet")...) }},
		{"pcapVXLAN", 1, func(b *testing.B) []byte { return pcapFile(binary.LittleEndian, false, benchFrames(b, "vxlan")...) }},
		{"pcapGzip", 1, func(b *testing.B) []byte {
			return gzipped(b, pcapFile(binary.LittleEndian, false, benchFrames(b, "ethernet")...))
		}},
		{"pcapZstd", 1, func(b *testing.B) []byte {
			return zstded(b, pcapFile(binary.LittleEndian, false, benchFrames(b, "ethernet")...))
		}},
	} {
		b.Run(test.name, func(b *testing.B) {
			content := test.file(b)
			s := pcap.New(pcap.Settings{Files: []string{writeFile(b, "bench", content)}}, zap.NewNop(), new(pcap.Stats))
			require.NoError(b, s.Start(b.Context()))
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Run(b.Context(), 0, new(sink)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*benchPackets/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

// What a run allocates does not grow with the packets.
func TestAllocationsPerPacket(t *testing.T) {
	run := func(packets int) float64 {
		frames := make([][]byte, packets)
		for i := range frames {
			frames[i] = etherTCP(t, clientV4, serverV4, hello)
		}
		s := pcap.New(pcap.Settings{Files: []string{writeFile(t, "file", ethernetFile(frames...))}}, zap.NewNop(), new(pcap.Stats))
		require.NoError(t, s.Start(t.Context()))
		return testing.AllocsPerRun(5, func() { _ = s.Run(t.Context(), 0, new(sink)) })
	}
	require.Less(t, run(3000)-run(1000), 10.0)
}
