// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
)

// threeFrames are frames with "one", "two" and "three".
func threeFrames(t testing.TB) (frames []frame, want []capture.Segment) {
	for i, payload := range []string{"one", "two", "three"} {
		source, destination := clientV4, serverV4
		if i == 1 {
			source, destination = destination, source
		}
		at := time.Duration(i)*time.Second + 123*time.Microsecond
		frames = append(frames, frame{link: layers.LinkTypeEthernet, data: etherTCP(t, source, destination, payload), at: at})
		seg := wantTCP(source, destination, payload)
		seg.Time += int64(at)
		want = append(want, seg)
	}
	return frames, want
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func zstded(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer w.Close()
	return w.EncodeAll(b, nil)
}

func TestFormats(t *testing.T) {
	frames, want := threeFrames(t)
	little := pcapFile(binary.LittleEndian, false, frames...)
	ng := pcapngFile(t, frames...)
	for name, content := range map[string][]byte{
		"pcap":                        little,
		"pcap, big endian":            pcapFile(binary.BigEndian, false, frames...),
		"pcap, nanoseconds":           pcapFile(binary.LittleEndian, true, frames...),
		"pcap, nanoseconds, big":      pcapFile(binary.BigEndian, true, frames...),
		"pcapng":                      ng,
		"pcapng, big endian":          bigEndianPcapng(frames),
		"pcapng, two sections":        join(pcapngFile(t, frames[:1]...), bigEndianPcapng(frames[1:])),
		"pcap, gzip":                  gzipped(t, little),
		"pcapng, gzip":                gzipped(t, ng),
		"pcap, zstd":                  zstded(t, little),
		"pcapng, zstd":                zstded(t, ng),
		"pcap, gzip in several parts": join(gzipped(t, little[:100]), gzipped(t, little[100:])),
		"pcap, zstd in several parts": join(zstded(t, little[:100]), zstded(t, little[100:])),
	} {
		t.Run(name, func(t *testing.T) {
			r, _, err := replayOne(t, writeFile(t, "any.name", content))
			require.NoError(t, err)
			assert.Equal(t, want, r.segments)
		})
	}
}

// bigEndianPcapng has blocks and options that are of no interest among the packets.
func bigEndianPcapng(frames []frame) []byte {
	o := binary.BigEndian
	block := func(kind uint32, body []byte) []byte {
		n := uint32(12 + len(body))
		return o.AppendUint32(append(o.AppendUint32(o.AppendUint32(nil, kind), n), body...), n)
	}
	option := func(code uint16, value []byte) []byte {
		b := append(o.AppendUint16(o.AppendUint16(nil, code), uint16(len(value))), value...)
		return append(b, make([]byte, -len(value)&3)...)
	}
	b := block(0x0a0d0d0a, []byte{0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255})
	b = append(b, block(1, join([]byte{0, 1, 0, 0, 0, 0, 0, 0}, option(9, []byte{9}), option(14, make([]byte, 8)), option(0xbad, []byte("unknown")), make([]byte, 4)))...)
	for _, f := range frames {
		b = append(b, block(0x00000bad, []byte("an unknown block"))...)
		b = append(b, block(10, join([]byte("TLSK\x00\x00\x00\x04"), []byte("keys")))...)
		ts := uint64(began.Add(f.at).UnixNano())
		body := o.AppendUint32(o.AppendUint32(o.AppendUint32(nil, 0), uint32(ts>>32)), uint32(ts))
		body = o.AppendUint32(o.AppendUint32(body, uint32(len(f.data))), uint32(len(f.data)))
		body = append(append(body, f.data...), make([]byte, -len(f.data)&3)...)
		b = append(b, block(6, join(body, option(1, []byte("a comment")), option(2, []byte{0, 0, 0, 1}), make([]byte, 4)))...)
	}
	return append(b, block(5, make([]byte, 12))...) // statistics, as dumpcap writes at the end
}

func TestInterfacesWithTheirOwnLinkTypes(t *testing.T) {
	v4 := bytesOf(t, tcpPacket(clientV4, serverV4, hello))
	for _, last := range []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeFDDI} {
		content := pcapngFile(t,
			frame{link: layers.LinkTypeEthernet, data: join(etherHeader(0x0800), v4)},
			frame{link: layers.LinkTypeRaw, data: v4},
			frame{link: layers.LinkTypeNull, data: join([]byte{2, 0, 0, 0}, v4)},
			frame{link: last, data: join(etherHeader(0x0800), v4)},
		)
		r, stats, err := replayOne(t, writeFile(t, "mixed.pcapng", content))
		require.NoError(t, err, "one interface that can't be read is no broken file")
		want := 4 - int(stats.Unsupported.Load())
		assert.Len(t, r.segments, want)
		for _, seg := range r.segments {
			assert.Equal(t, wantTCP(clientV4, serverV4, hello), seg)
		}
		assert.Equal(t, last != layers.LinkTypeEthernet, stats.Unsupported.Load() == 1)
	}
}

func TestUnsupportedLinkType(t *testing.T) {
	path := writeFile(t, "fddi.pcap", pcapFile(binary.LittleEndian, false, frame{link: layers.LinkTypeFDDI, data: make([]byte, 100)}))
	r, stats, err := replayOne(t, path)
	assert.ErrorContains(t, err, path)
	assert.ErrorContains(t, err, "unsupported link type 10 (FDDI)")
	assert.Empty(t, r.segments)
	assert.EqualValues(t, 1, stats.Unsupported.Load())
	assert.EqualValues(t, 1, stats.FileErrors.Load())
}

// A frame that the snap length cut says how long it was.
func TestSnapLength(t *testing.T) {
	whole := etherTCP(t, clientV4, serverV4, "0123456789")
	content := pcapFile(binary.LittleEndian, false, frame{link: 1, data: whole[:len(whole)-4], wire: len(whole)})
	r, _, err := replayOne(t, writeFile(t, "snap.pcap", content))
	require.NoError(t, err)
	require.Len(t, r.segments, 1)
	assert.Equal(t, "0123456789"[:10-4], string(r.segments[0].Payload))
	assert.Equal(t, 10, r.segments[0].WireLen)
}

// However a file is cut, what came before the cut is delivered, and the error names
// the file and the end of the last whole packet.
func TestFileCutAtEachLength(t *testing.T) {
	frames, want := threeFrames(t)
	little := pcapFile(binary.LittleEndian, false, frames...)
	ng := pcapngFile(t, frames...)
	section := int(binary.LittleEndian.Uint32(ng[4:]))
	tests := map[string]struct {
		content   []byte
		header    int // length of the header
		packetLen func(data int) int
		clean     []int // where the file may end besides behind a packet
	}{
		"pcap":   {little, 24, func(n int) int { return 16 + n }, []int{24}},
		"pcapng": {ng, section, func(n int) int { return 32 + (n+3)&^3 }, []int{section, section + int(binary.LittleEndian.Uint32(ng[section+4:]))}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ends := []int{len(test.content)}
			for i := len(frames) - 1; i >= 0; i-- {
				ends = append(ends, ends[len(ends)-1]-test.packetLen(len(frames[i].data)))
			}
			slices.Reverse(ends)
			require.Equal(t, test.clean[len(test.clean)-1], ends[0])
			path := filepath.Join(t.TempDir(), "cut")
			for n := range test.content {
				require.NoError(t, os.WriteFile(path, test.content[:n], 0o600))
				r, stats, err := replayOne(t, path)
				whole := 0
				for whole+1 < len(ends) && ends[whole+1] <= n {
					whole++
				}
				require.Len(t, r.segments, whole, "cut at %d", n)
				for i, seg := range r.segments {
					require.Equal(t, want[i], seg)
				}
				if slices.Contains(test.clean, n) || slices.Contains(ends, n) {
					require.NoError(t, err, "cut at %d", n)
					continue
				}
				offset := ends[whole]
				switch {
				case n < test.header:
					offset = 0
				case whole == 0:
					offset = test.header
				}
				requireFileError(t, err, path, offset)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "cut at %d", n)
				require.EqualValues(t, 1, stats.FileErrors.Load())
			}
		})
	}
}

func requireFileError(t *testing.T, err error, path string, offset int) {
	t.Helper()
	var fileErr *pcap.FileError
	require.ErrorAs(t, err, &fileErr)
	require.Equal(t, path, fileErr.File)
	require.Equal(t, int64(offset), fileErr.Offset)
	require.ErrorContains(t, err, fmt.Sprintf("%s: at byte %d: ", path, offset))
}

func TestCompressedFileCut(t *testing.T) {
	var frames [][]byte
	noise := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		payload := make([]byte, 1000)
		for i := range payload {
			payload[i] = byte(noise.Uint32())
		}
		frames = append(frames, etherTCP(t, clientV4, serverV4, string(payload)))
	}
	content := ethernetFile(frames...)
	for name, compressed := range map[string][]byte{"gzip": gzipped(t, content), "zstd": zstded(t, content)} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "cut."+name, compressed[:len(compressed)*3/4])
			r, _, err := replayOne(t, path)
			assert.Greater(t, len(r.segments), 1000)
			assert.Less(t, len(r.segments), 1600)
			requireFileError(t, err, path, 24+len(r.segments)*(16+len(frames[0])))
		})
	}
}

func TestCorruptedFile(t *testing.T) {
	frames, want := threeFrames(t)
	content := pcapFile(binary.LittleEndian, false, frames...)
	second := 24 + 16 + len(frames[0].data)
	ng := pcapngFile(t, frames...)
	last := len(ng) - 32 - (len(frames[2].data)+3)&^3
	edit := func(b []byte, at int, value uint32) []byte {
		b = bytes.Clone(b)
		binary.LittleEndian.PutUint32(b[at:], value)
		return b
	}
	tests := map[string]struct {
		content []byte
		packets int
		offset  int
	}{
		"captured length":           {edit(content, second+8, 1<<31), 1, second},
		"captured more than length": {edit(content, second+12, 1), 1, second},
		"no capture":                {[]byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 0, 0},
		"version":                   {edit(content, 4, 99), 0, 0},
		"empty":                     {nil, 0, 0},
		"pcapng captured length":    {edit(ng, last+20, 1<<31), 2, last},
		"pcapng block length":       {edit(ng, last+4, 1<<31), 2, last},
		"pcapng short block":        {edit(ng, last+4, 12), 2, last},
		"pcapng interface":          {edit(ng, last+8, 7), 2, last},
		"gzip header":               {[]byte{0x1f, 0x8b, 99, 99, 99, 99}, 0, 0},
		"zstd header":               {[]byte{0x28, 0xb5, 0x2f, 0xfd, 99, 99}, 0, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "broken", test.content)
			r, _, err := replayOne(t, path)
			requireFileError(t, err, path, test.offset)
			require.Len(t, r.segments, test.packets)
			for i, seg := range r.segments {
				assert.Equal(t, want[i], seg)
			}
		})
	}
}
