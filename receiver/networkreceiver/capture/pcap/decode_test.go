// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"testing"

	"github.com/gopacket/gopacket/layers"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// BenchmarkDecode decodes an Ethernet frame with TCP, as the DecodingLayerParser of
// docs/adr/0002-gopacket-fork.md does.
func BenchmarkDecode(b *testing.B) {
	data := make([]byte, 14+20+20+1200)
	copy(data, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00"+
		"\x45\x00\x04\xd8\x00\x07\x00\x00\x40\x06\x00\x00\xc0\x00\x02\x01\xc6\x33\x64\x02"+
		"\xa8\xca\x00\x50\x00\x00\x03\xe8\x00\x00\x07\xd0\x50\x18")
	var d decoder
	var seg capture.Segment
	b.ReportAllocs()
	for b.Loop() {
		if err := d.decode(layers.LinkTypeEthernet, data, len(data), &seg); err != nil {
			b.Fatal(err)
		}
	}
}
