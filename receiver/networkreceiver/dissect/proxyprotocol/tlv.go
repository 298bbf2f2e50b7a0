// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package proxyprotocol

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Types of TLVs (section 2.2.x).
const (
	typeALPN      = 0x01
	typeAuthority = 0x02
	typeCRC32C    = 0x03
	typeUniqueID  = 0x05
	typeSSL       = 0x20
	typeNetNS     = 0x30

	typeSSLVersion   = 0x21
	typeSSLCN        = 0x22
	typeSSLCipher    = 0x23
	typeSSLSignature = 0x24
	typeSSLKey       = 0x25
)

// Bits of the first byte of an SSL TLV.
const (
	clientSSL      = 1 // the client has connected by TLS
	clientCertConn = 2 // with a certificate in this connection
	clientCertSess = 4 // in the session
)

// maxValue is how much of a value is kept.
const maxValue = 255

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// each calls f for each TLV until it returns false. It reports whether all were whole.
func each(b []byte, f func(kind byte, value []byte) bool) (whole bool) {
	for len(b) > 0 {
		if len(b) < 3 {
			return false
		}
		n := 3 + int(binary.BigEndian.Uint16(b[1:]))
		if len(b) < n {
			return false
		}
		if !f(b[0], b[3:n:n]) {
			return true
		}
		b = b[n:]
	}
	return true
}

// intact checks the CRC32c of a header whose TLVs begin at an index, if it has one. It is
// calculated with zeros in its own place.
func intact(b []byte, tlvs int) bool {
	ok, at := true, tlvs
	each(b[tlvs:], func(kind byte, value []byte) bool {
		at += 3 + len(value)
		if kind != typeCRC32C {
			return true
		}
		if ok = len(value) == crc32.Size; ok {
			sum := crc32.Update(0, castagnoli, b[:at-crc32.Size])
			sum = crc32.Update(sum, castagnoli, make([]byte, crc32.Size))
			sum = crc32.Update(sum, castagnoli, b[at:])
			ok = sum == binary.BigEndian.Uint32(value)
		}
		return ok
	})
	return ok
}

// parseTLVs reports false if one is cut off.
func (h *header) parseTLVs(b []byte) (whole bool) {
	whole = true
	return each(b, func(kind byte, value []byte) bool {
		switch kind {
		case typeALPN:
			h.alpn = text(value)
		case typeAuthority:
			h.authority = text(value)
		case typeUniqueID:
			h.uniqueID = text(value)
		case typeNetNS:
			h.netns = text(value)
		case typeSSL:
			whole = h.parseSSL(value)
		}
		return whole
	}) && whole
}

// parseSSL parses the TLV that has others inside.
func (h *header) parseSSL(b []byte) (whole bool) {
	if len(b) < 5 {
		return false
	}
	bits := b[0]
	if bits&clientSSL == 0 {
		return true
	}
	t := &clientTLS{certificate: bits&(clientCertConn|clientCertSess) != 0, verified: binary.BigEndian.Uint32(b[1:]) == 0}
	h.tls = t
	return each(b[5:], func(kind byte, value []byte) bool {
		switch kind {
		case typeSSLVersion:
			t.version = text(value)
		case typeSSLCN:
			t.commonName = text(value)
		case typeSSLCipher:
			t.cipher = text(value)
		case typeSSLSignature:
			t.signature = text(value)
		case typeSSLKey:
			t.key = text(value)
		}
		return true
	})
}

// text is a value as it is if that can be read, else in hexadecimal.
func text(b []byte) string {
	b = b[:min(len(b), maxValue)]
	s := string(b)
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return hex.EncodeToString(b)
	}
	return s
}
