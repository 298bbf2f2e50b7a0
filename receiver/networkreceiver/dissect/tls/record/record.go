// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package record reads the headers of TLS records.
package record // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"

import "encoding/binary"

// Content types of records (RFC 8446, section B.1).
const (
	ChangeCipherSpec = 20
	Alert            = 21
	Handshake        = 22
	ApplicationData  = 23
	heartbeat        = 24
)

const (
	// HeaderBytes is the length of a header.
	HeaderBytes = 5
	// MaxPayload is the longest payload of a record (RFC 5246, section 6.2.3).
	MaxPayload = 1<<14 + 2048
)

// Versions as they are on the wire.
const (
	SSL30 = 0x0300
	TLS10 = 0x0301
	TLS11 = 0x0302
	TLS12 = 0x0303
	TLS13 = 0x0304
)

// Header is that of a record.
type Header struct {
	Kind    byte
	Version uint16
	Size    int
}

// ParseHeader reads RFC 8446, section 5.1; b has at least HeaderBytes. It reports false
// for what cannot be one.
func ParseHeader(b []byte) (h Header, ok bool) {
	h = Header{Kind: b[0], Version: binary.BigEndian.Uint16(b[1:]), Size: int(binary.BigEndian.Uint16(b[3:]))}
	ok = h.Kind >= ChangeCipherSpec && h.Kind <= heartbeat && h.Version >= SSL30 && h.Version <= TLS13 &&
		h.Size > 0 && h.Size <= MaxPayload
	return h, ok
}

// Find is the index of a record's header in b, or -1. A header counts if another
// one follows the record, or the record goes beyond b and looks usual.
func Find(b []byte) int {
	for i := 0; i+HeaderBytes <= len(b); i++ {
		h, ok := ParseHeader(b[i:])
		if !ok || h.Kind == heartbeat {
			continue
		}
		next := i + HeaderBytes + h.Size
		if next+HeaderBytes > len(b) {
			if h.Kind == ApplicationData && h.Version == TLS12 || i == 0 {
				return i
			}
			continue
		}
		if _, ok := ParseHeader(b[next:]); ok {
			return i
		}
	}
	return -1
}
