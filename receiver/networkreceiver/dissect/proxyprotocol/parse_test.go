// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package proxyprotocol

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestProbe(t *testing.T) {
	const line = "PROXY TCP4 192.0.2.7 198.51.100.2 4711 443\r\n"
	for name, test := range map[string]struct {
		client, server string
		want           dissect.Verdict
	}{
		"nothing":                   {"", "", dissect.No},
		"a line":                    {line + "GET", "", dissect.Yes},
		"a line of the other end":   {"", line, dissect.Reversed},
		"a beginning":               {line[:2], "", dissect.NeedMore},
		"no end yet":                {line[:len(line)-1], "", dissect.NeedMore},
		"another word":              {"PROXIES", "", dissect.No},
		"no end":                    {"PROXY UNKNOWN" + strings.Repeat(" ", maxLine), "", dissect.No},
		"the longest line":          {"PROXY UNKNOWN" + strings.Repeat(" ", maxLine-15) + "\r\n", "", dissect.Yes},
		"another transport":         {"PROXY UDP4 192.0.2.7 198.51.100.2 4711 443\r\n", "", dissect.No},
		"two spaces":                {"PROXY TCP4  192.0.2.7 198.51.100.2 4711 443\r\n", "", dissect.No},
		"a name":                    {"PROXY TCP4 client.example 198.51.100.2 4711 443\r\n", "", dissect.No},
		"a zone":                    {"PROXY TCP6 fe80::1%eth0 fe80::2 4711 443\r\n", "", dissect.No},
		"a signature":               {signature, "", dissect.NeedMore},
		"a fixed part":              {signature + "\x21\x11\x00\x0c", "", dissect.Yes},
		"another version":           {signature + "\x31\x11\x00\x0c", "", dissect.No},
		"another command":           {signature + "\x22\x11\x00\x0c", "", dissect.No},
		"empty lines":               {"\r\n\r\nGET / HTTP/1.1\r\n", "", dissect.No},
		"the preface of HTTP/2":     {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", dissect.No},
		"both, where one knows":     {line, "220 ready\r\n", dissect.Yes},
		"both, where neither knows": {"EHLO a\r\n", "220 ready\r\n", dissect.No},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, Dissector{}.Probe([]byte(test.client), []byte(test.server)))
		})
	}
}

func TestText(t *testing.T) {
	assert.Equal(t, "café", text([]byte("café")))
	assert.Equal(t, "00ff", text([]byte{0, 255}))
	assert.Equal(t, "610a", text([]byte("a\n")))
	assert.Len(t, text([]byte(strings.Repeat("x", 1<<16-1))), maxValue)
}
