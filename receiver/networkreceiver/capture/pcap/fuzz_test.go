// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"bytes"
	"io"
	"testing"

	"github.com/gopacket/gopacket/layers"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// FuzzFile reads any bytes as a file: no panic, an end, and an error that lies in
// the file.
func FuzzFile(f *testing.F) {
	header := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0}
	f.Add(append(header, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 8, 9))
	section := []byte{10, 13, 13, 10, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 28, 0, 0, 0}
	nic := []byte{1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 20, 0, 0, 0}
	simple := []byte{3, 0, 0, 0, 20, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4, 20, 0, 0, 0}
	f.Add(bytes.Join([][]byte{section, nic, simple}, nil))
	f.Add(append([]byte{0x1f, 0x8b, 8, 0}, header...))
	f.Add(append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0}, header...))
	for _, content := range seed.Captures(f) {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		const most = 1 << 16 // packets; a small file can unpack to any number
		c := &file{name: "fuzzed"}
		defer c.close()
		if err := c.open(bytes.NewReader(content)); err != nil {
			require.NotErrorIs(t, err, io.EOF)
			return
		}
		var fr frame
		for range most {
			before := c.offset
			if err := c.next(&fr); err != nil {
				if err != io.EOF {
					var fileErr *FileError
					require.ErrorAs(t, err, &fileErr)
					require.Equal(t, before, fileErr.Offset)
				}
				return
			}
			require.Greater(t, c.offset, before)
			require.LessOrEqual(t, len(fr.data), fr.wireLen)
		}
	})
}

// FuzzDecode decodes any bytes as frames of any link type. Each frame comes three
// times, so that fragments meet.
func FuzzDecode(f *testing.F) {
	f.Add(uint16(1), []byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x81\x00\x00\x05\x08\x00\x45\x00\x00\x28\x00\x00\x20\x00\x40\x06"), uint8(9))
	f.Add(uint16(101), []byte("\x60\x00\x00\x00\x00\x14\x2c\x40aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb\x06\x00\x00\x00\x00\x00\x00\x01"), uint8(0))
	f.Add(uint16(113), []byte("\x00\x04\x00\x01\x00\x06aaaaaa\x00\x00\x88\x47\x00\x01\x01\x40\x45"), uint8(200))
	for _, link := range []uint16{0, 9, 51, 104, 105, 127, 219, 239, 276} {
		f.Add(link, []byte("\x02\x00\x00\x00\x45\x00\x00\x20\x00\x00\x00\x00\x40\x2f\x00\x00aaaabbbb\x10\x00\x88\xbe"), uint8(0))
	}
	for _, frame := range seed.Frames(f) {
		f.Add(uint16(frame.Link), frame.Data, uint8(0))
	}
	f.Fuzz(func(t *testing.T, link uint16, data []byte, cut uint8) {
		d := decoder{vlans: true}
		wireLen := len(data) + int(cut)
		for i := range 3 {
			var seg capture.Segment
			seg.Time = int64(i) * fragmentTimeout / 2
			if err := d.decode(layers.LinkType(link), data, wireLen, &seg); err != nil {
				continue
			}
			require.LessOrEqual(t, len(seg.Payload), seg.WireLen)
			require.Less(t, seg.WireLen, max(wireLen, maxDatagramLen))
			require.True(t, seg.Source.IsValid())
			require.True(t, seg.Destination.IsValid())
		}
		require.LessOrEqual(t, d.fragments.bytes, 3*len(data))
		d.fragments.flush()
		require.Zero(t, d.fragments.bytes)
		require.Empty(t, d.fragments.datagrams)
	})
}
