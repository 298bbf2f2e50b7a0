// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package seed

import (
	"bytes"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// maxRead bounds the frames that are read of a file.
const maxRead = 4000

// Frame is one captured frame.
type Frame struct {
	Link layers.LinkType
	Data []byte
	info gopacket.CaptureInfo
}

type frameReader interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
	LinkType() layers.LinkType
}

// read gives the first frames of a file, up to where it ends or is damaged.
func read(tb testing.TB, file string) []Frame {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var r frameReader
	if bytes.HasPrefix(content, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
		r, err = pcapgo.NewNgReader(bytes.NewReader(content), pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	} else {
		r, err = pcapgo.NewReader(bytes.NewReader(content))
	}
	if err != nil {
		tb.Logf("%s: %v", file, err)
		return nil
	}
	var all []Frame
	for len(all) < maxRead {
		data, info, err := r.ReadPacketData()
		if err != nil {
			if err != io.EOF {
				tb.Logf("%s: %v", file, err)
			}
			break
		}
		link := r.LinkType()
		if len(info.AncillaryData) > 0 {
			if own, ok := info.AncillaryData[0].(layers.LinkType); ok {
				link = own
			}
		}
		all = append(all, Frame{link, data, info})
	}
	return all
}

// write makes a capture file of the first frames, of at most so many bytes.
func write(tb testing.TB, frames []Frame, most int) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	if len(frames) == 0 {
		return nil
	}
	if err := w.WriteFileHeader(1<<18, frames[0].Link); err != nil {
		tb.Fatal(err)
	}
	for _, frame := range frames {
		if frame.Link != frames[0].Link || out.Len()+len(frame.Data)+16 > most {
			break
		}
		frame.info.Length = max(frame.info.Length, len(frame.Data))
		if err := w.WritePacket(frame.info, frame.Data); err != nil {
			tb.Fatal(err)
		}
	}
	return out.Bytes()
}

func (f *Frame) decode() gopacket.Packet {
	return gopacket.NewPacket(f.Data, f.Link, gopacket.DecodeOptions{NoCopy: true})
}

// ip is the outermost IP packet in a frame, or nil.
func (f *Frame) ip() []byte {
	if layer := f.decode().NetworkLayer(); layer != nil {
		return slices.Concat(layer.LayerContents(), layer.LayerPayload())
	}
	return nil
}
