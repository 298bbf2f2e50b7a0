// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import "encoding/binary"

// Content types of records (RFC 8446, section B.1).
const (
	changeCipherSpec = 20
	alertRecord      = 21
	handshakeRecord  = 22
	applicationData  = 23
	heartbeat        = 24
)

const (
	headerBytes = 5
	// maxRecord is the longest payload of a record (RFC 5246, section 6.2.3).
	maxRecord = 1<<14 + 2048
)

// Versions as they are on the wire.
const (
	ssl30 = 0x0300
	tls10 = 0x0301
	tls11 = 0x0302
	tls12 = 0x0303
	tls13 = 0x0304
)

// header is that of a record.
type header struct {
	kind    byte
	version uint16
	size    int
}

// parseHeader reads RFC 8446, section 5.1; b has at least headerBytes. It reports false
// for what cannot be one.
func parseHeader(b []byte) (h header, ok bool) {
	h = header{kind: b[0], version: binary.BigEndian.Uint16(b[1:]), size: int(binary.BigEndian.Uint16(b[3:]))}
	ok = h.kind >= changeCipherSpec && h.kind <= heartbeat && h.version >= ssl30 && h.version <= tls13 &&
		h.size > 0 && h.size <= maxRecord
	return h, ok
}

// findRecord is the index of a record's header in b, or -1. A header counts if another
// one follows the record, or the record goes beyond b and looks usual.
func findRecord(b []byte) int {
	for i := 0; i+headerBytes <= len(b); i++ {
		h, ok := parseHeader(b[i:])
		if !ok || h.kind == heartbeat {
			continue
		}
		next := i + headerBytes + h.size
		if next+headerBytes > len(b) {
			if h.kind == applicationData && h.version == tls12 || i == 0 {
				return i
			}
			continue
		}
		if _, ok := parseHeader(b[next:]); ok {
			return i
		}
	}
	return -1
}
