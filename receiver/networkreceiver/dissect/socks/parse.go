// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package socks

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	version4 = 4
	version5 = 5
)

// Commands.
const (
	commandConnect      = 1
	commandBind         = 2
	commandUDPAssociate = 3
)

// Types of addresses (RFC 1928, section 5).
const (
	typeIPv4 = 1
	typeName = 3
	typeIPv6 = 4
)

// Methods (RFC 1928, section 3).
const (
	methodNone     = 0
	methodGSSAPI   = 1
	methodPassword = 2
	noMethod       = 0xff
)

// maxText is the longest user id and name of version 4 that is taken for one, and
// maxRequest4 the longest request with both.
const (
	maxText     = 255
	maxRequest4 = 8 + 2*(maxText+1)
)

// request is what a client asks for.
type request struct {
	version string // "4", "4a" or "5"
	command byte
	target  dissect.Endpoint
}

// parseRequest4 parses a request of version 4 or 4A and returns its length. It is strict,
// because Probe has nothing else.
func parseRequest4(b []byte) (r request, n int, verdict dissect.Verdict) {
	switch {
	case b[0] != version4, len(b) > 1 && b[1] != commandConnect && b[1] != commandBind:
		return r, 0, dissect.No
	case len(b) < 8:
		return r, 0, dissect.NeedMore
	}
	r = request{version: "4", command: b[1], target: inet(b[4:8], b[2:4])}
	if r.target.Port == 0 {
		return r, 0, dissect.No
	}
	n = 8
	_, m, verdict := parseText(b[n:])
	if n += m; verdict != dissect.Yes {
		return r, 0, verdict
	}
	if b[4] != 0 || b[5] != 0 || b[6] != 0 {
		return r, n, dissect.Yes
	}
	if b[7] == 0 {
		return r, 0, dissect.No
	}
	// 4A: an address of the form 0.0.0.x says that a name follows.
	name, m, verdict := parseText(b[n:])
	switch {
	case verdict != dissect.Yes:
		return r, 0, verdict
	case name == "":
		return r, 0, dissect.No
	}
	r.version, r.target.Address = "4a", name
	return r, n + m, dissect.Yes
}

// parseText parses text that ends with a zero byte.
func parseText(b []byte) (text string, n int, verdict dissect.Verdict) {
	end := bytes.IndexByte(b[:min(len(b), maxText+1)], 0)
	part := b[:max(end, 0)]
	if end < 0 {
		part = b[:min(len(b), maxText+1)]
	}
	for _, c := range part {
		if c < '!' || c > '~' {
			return "", 0, dissect.No
		}
	}
	switch {
	case end >= 0:
		return string(part), end + 1, dissect.Yes
	case len(b) > maxText:
		return "", 0, dissect.No
	}
	return "", 0, dissect.NeedMore
}

// parseReply4 parses a reply of version 4.
func parseReply4(b []byte) (code byte, bound dissect.Endpoint, n int, verdict dissect.Verdict) {
	switch {
	case b[0] != 0, len(b) > 1 && (b[1] < granted4 || b[1] > granted4+3):
		return 0, bound, 0, dissect.No
	case len(b) < 8:
		return 0, bound, 8, dissect.NeedMore
	}
	return b[1], inet(b[4:8], b[2:4]), 8, dissect.Yes
}

// probeGreeting knows the list of methods of version 5: each of them is known, none
// is there twice, and nothing follows but what a client may send before the answer.
func probeGreeting(b []byte) dissect.Verdict {
	if len(b) < 2 {
		return dissect.NeedMore
	}
	count := int(b[1])
	const methods = 10 // 0 to 9 are assigned by IANA
	if count == 0 || count > methods {
		return dissect.No
	}
	list, rest := b[2:min(len(b), 2+count)], b[min(len(b), 2+count):]
	for i, m := range list {
		if m >= methods || bytes.IndexByte(list[:i], m) >= 0 {
			return dissect.No
		}
	}
	switch {
	case len(list) < count:
		return dissect.NeedMore
	case len(rest) == 0, rest[0] == passwordVersion, len(rest) > 3 && rest[0] == version5 && rest[2] == 0 && addressLen(rest[3:]) != 0:
		return dissect.Yes
	case rest[0] == version5 && len(rest) <= 3:
		return dissect.NeedMore
	}
	return dissect.No
}

// parseGreeting returns the length of a list of methods.
func parseGreeting(b []byte) (n int, verdict dissect.Verdict) {
	switch {
	case b[0] != version5 || len(b) > 1 && b[1] == 0:
		return 0, dissect.No
	case len(b) < 2:
		return 2, dissect.NeedMore
	case len(b) < 2+int(b[1]):
		return 2 + int(b[1]), dissect.NeedMore
	}
	return 2 + int(b[1]), dissect.Yes
}

// passwordVersion is the first byte of what a client sends by RFC 1929.
const passwordVersion = 1

// parsePassword returns the length of a user name and a password (RFC 1929, section 2),
// which are not read.
func parsePassword(b []byte) (n int, verdict dissect.Verdict) {
	if b[0] != passwordVersion {
		return 0, dissect.No
	}
	n = 2
	for range 2 {
		if len(b) < n {
			return n, dissect.NeedMore
		}
		n += int(b[n-1]) + 1
	}
	n--
	if len(b) < n {
		return n, dissect.NeedMore
	}
	return n, dissect.Yes
}

// parseMessage5 parses a request or a reply of version 5 (RFC 1928, sections 4 and 6):
// version, command or code, reserved, address, port.
func parseMessage5(b []byte) (code byte, end dissect.Endpoint, n int, verdict dissect.Verdict) {
	switch {
	case b[0] != version5, len(b) > 2 && b[2] != 0:
		return 0, end, 0, dissect.No
	case len(b) < 5:
		return 0, end, 5, dissect.NeedMore
	}
	size := addressLen(b[3:])
	if size == 0 {
		return 0, end, 0, dissect.No
	}
	n = 3 + size + 2
	if len(b) < n {
		return 0, end, n, dissect.NeedMore
	}
	address, port := b[4:n-2], b[n-2:n]
	if b[3] != typeName {
		return b[1], inet(address, port), n, dissect.Yes
	}
	return b[1], dissect.Endpoint{Address: string(address[1:]), Port: binary.BigEndian.Uint16(port)}, n, dissect.Yes
}

// addressLen is the length of a type and an address, or 0 if the type is not known. Of a
// name whose length is not there yet it is the least.
func addressLen(b []byte) int {
	switch {
	case b[0] == typeIPv4:
		return 1 + 4
	case b[0] == typeIPv6:
		return 1 + 16
	case b[0] == typeName && len(b) > 1:
		return 2 + int(b[1])
	case b[0] == typeName:
		return 2
	}
	return 0
}

func inet(address, port []byte) dissect.Endpoint {
	a, _ := netip.AddrFromSlice(address)
	return dissect.Endpoint{Address: a.Unmap().String(), Port: binary.BigEndian.Uint16(port)}
}
