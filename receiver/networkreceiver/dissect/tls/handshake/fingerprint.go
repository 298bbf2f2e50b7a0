// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

import (
	"crypto/md5" //nolint:gosec // JA3 is defined by it
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// ja3 is https://github.com/salesforce/ja3: the MD5 of version, ciphers, extensions,
// groups and point formats, in decimal, in the order of the wire, GREASE left out.
func (h *ClientHello) ja3() string {
	var text []byte
	text = strconv.AppendUint(text, uint64(h.legacy), 10)
	formats := make([]uint16, len(h.formats))
	for i, f := range h.formats {
		formats[i] = uint16(f)
	}
	for _, list := range [...][]uint16{h.Ciphers, withoutGrease(h.extensions), h.Groups, formats} {
		text = appendList(append(text, ','), list)
	}
	return hexMD5(text)
}

// ja3s is the server's half of it.
func ja3s(legacy, cipher uint16, extensions []uint16) string {
	return hexMD5(appendList(fmt.Appendf(nil, "%d,%d,", legacy, cipher), extensions))
}

func appendList(text []byte, list []uint16) []byte {
	for i, v := range list {
		if i > 0 {
			text = append(text, '-')
		}
		text = strconv.AppendUint(text, uint64(v), 10)
	}
	return text
}

func hexMD5(text []byte) string {
	sum := md5.Sum(text) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// ja4 is https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md.
func (h *ClientHello) ja4() string {
	transport, sni := "t", "i"
	if h.QUIC {
		transport = "q"
	}
	extensions := withoutGrease(h.extensions)
	if slices.Contains(extensions, extServerName) {
		sni = "d"
	}
	head := fmt.Sprintf("%s%s%s%02d%02d%s", transport, ja4Version(slices.Max(h.Versions)), sni,
		min(len(h.Ciphers), 99), min(len(extensions), 99), ja4ALPN(h.ALPN))

	ciphers := slices.Clone(h.Ciphers)
	slices.Sort(ciphers)
	sorted := slices.DeleteFunc(slices.Clone(extensions), func(id uint16) bool { return id == extServerName || id == extALPN })
	slices.Sort(sorted)
	what := hexList(sorted)
	if signatures := withoutGrease(h.signatures); len(sorted) > 0 && len(signatures) > 0 {
		what += "_" + hexList(signatures)
	}
	return head + "_" + ja4Hash(hexList(ciphers)) + "_" + ja4Hash(what)
}

func ja4Version(v uint16) string {
	switch v {
	case record.TLS13:
		return "13"
	case record.TLS12:
		return "12"
	case record.TLS11:
		return "11"
	case record.TLS10:
		return "10"
	case record.SSL30:
		return "s3"
	}
	return "00"
}

// ja4ALPN is the first and the last character of the first protocol; of one that is
// not alphanumeric there, those of its hexadecimal form.
func ja4ALPN(names []string) string {
	if len(names) == 0 || names[0] == "" {
		return "00"
	}
	first, last := names[0][0], names[0][len(names[0])-1]
	if isAlphanumeric(first) && isAlphanumeric(last) {
		return string([]byte{first, last})
	}
	text := hex.EncodeToString([]byte(names[0]))
	return text[:1] + text[len(text)-1:]
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func hexList(list []uint16) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprintf("%04x", v)
	}
	return strings.Join(texts, ",")
}

// ja4Hash is the first half of a SHA-256, or zeros for an empty list.
func ja4Hash(text string) string {
	if text == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
