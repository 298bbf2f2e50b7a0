// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// TestJA4 is the example of technical_details/JA4.md.
func TestJA4(t *testing.T) {
	hello := ClientHello{
		Versions:   []uint16{0x0304, 0x0303},
		ALPN:       []string{"h2", "http/1.1"},
		Ciphers:    []uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
		extensions: []uint16{0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0x8a8a},
		signatures: []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601},
	}
	assert.Equal(t, "t13d1516h2_8daaf6152771_e5627efa2ab1", hello.ja4())
}

func TestJA4Parts(t *testing.T) {
	for name, want := range map[string]string{"": "00", "h2": "h2", "http/1.1": "h1", "h": "hh", "\xab\xcd": "ad", "h\xff": "6f"} {
		assert.Equal(t, want, ja4ALPN([]string{name}), "%q", name)
	}
	assert.Equal(t, "00", ja4ALPN(nil))
	empty := ClientHello{Versions: []uint16{record.SSL30}}
	assert.Equal(t, "ts3i000000_000000000000_000000000000", empty.ja4())
}
