// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package proxyprotocol

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// The fixed part of a header of version 2 (section 2.2): signature, version and command,
// family and transport, length of the rest.
const (
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	fixedLen  = len(signature) + 4
	maxRest   = 1<<16 - 1
)

// Commands and families, in the lower and the upper half of their byte.
const (
	commandLocal = 0
	commandProxy = 1

	familyUnspecified = 0
	familyInet        = 1
	familyInet6       = 2
	familyUnix        = 3
)

const unixPathLen = 108

// probeBinary looks at the fixed part of a header.
func probeBinary(b []byte) dissect.Verdict {
	n := min(len(b), len(signature))
	switch {
	case n == 0 || string(b[:n]) != signature[:n]:
		return dissect.No
	case len(b) > 12 && (b[12]>>4 != 2 || b[12]&15 > commandProxy):
		return dissect.No
	case len(b) < fixedLen:
		return dissect.NeedMore
	}
	return dissect.Yes
}

// parseBinary parses a header of version 2 and returns its length, also of one that is
// not whole.
func parseBinary(b []byte) (*header, int, dissect.Verdict) {
	if verdict := probeBinary(b); verdict != dissect.Yes {
		return nil, fixedLen, verdict
	}
	n := fixedLen + int(binary.BigEndian.Uint16(b[14:]))
	if len(b) < n {
		return nil, n, dissect.NeedMore
	}
	h := &header{version: 2, local: b[12]&15 == commandLocal}
	if !h.local {
		h.parse(b[:n])
	}
	return h, n, dissect.Yes
}

// parse reads addresses and TLVs. What a receiver would have to refuse is not used, but
// its length is known: what follows can be.
func (h *header) parse(b []byte) {
	rest, ok := h.parseEnds(b[13]>>4, b[fixedLen:])
	switch {
	case !ok:
		*h = header{version: h.version, err: "address"}
	case !intact(b, len(b)-len(rest)):
		*h = header{version: h.version, err: "checksum"}
	case !h.parseTLVs(rest):
		*h = header{version: h.version, err: "tlv"}
	}
}

// parseEnds parses the addresses of a family and returns what follows them.
func (h *header) parseEnds(family byte, b []byte) (rest []byte, ok bool) {
	size := [...]int{familyUnspecified: 0, familyInet: 4, familyInet6: 16, familyUnix: unixPathLen}
	if int(family) >= len(size) {
		return nil, false
	}
	n := size[family]
	switch family {
	case familyUnspecified:
		return b, true
	case familyUnix:
		if len(b) < 2*n {
			return nil, false
		}
		h.client, h.destination = unixEnd(b[:n]), unixEnd(b[n:2*n])
		return b[2*n:], true
	}
	if len(b) < 2*n+4 {
		return nil, false
	}
	h.client, h.destination = inetEnd(b[:n], b[2*n:]), inetEnd(b[n:2*n], b[2*n+2:])
	return b[2*n+4:], true
}

func inetEnd(address, port []byte) dissect.Endpoint {
	a, _ := netip.AddrFromSlice(address)
	return dissect.Endpoint{Address: a.Unmap().String(), Port: binary.BigEndian.Uint16(port)}
}

// unixEnd is a path that zeros follow. An abstract one begins with a zero.
func unixEnd(b []byte) dissect.Endpoint {
	path, abstract := b, ""
	if b[0] == 0 {
		path, abstract = b[1:], "@"
	}
	if end := bytes.IndexByte(path, 0); end >= 0 {
		path = path[:end]
	}
	if len(path) == 0 {
		return dissect.Endpoint{}
	}
	return dissect.Endpoint{Address: abstract + text(path)}
}
