// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

// SSL2HelloBytes returns the length of a ClientHello in the format of SSL 2.0 that offers a later
// version (RFC 5246, section E.2), or 0.
func SSL2HelloBytes(b []byte) int {
	const fixed = 11
	if len(b) < fixed || b[0]&0x80 == 0 || b[2] != TypeClientHello || b[3] != 3 || b[4] > 4 {
		return 0
	}
	n := int(b[0]&0x7f)<<8 | int(b[1])
	r := reader{b: b[5:fixed]}
	ciphers, session, challenge := r.uint(2), r.uint(2), r.uint(2)
	if ciphers == 0 || ciphers%3 != 0 || session != 0 && session != 16 || challenge < 16 || challenge > 32 ||
		n != fixed-2+ciphers+session+challenge {
		return 0
	}
	return 2 + n
}

// ParseSSL2Hello reads a ClientHello of the length that SSL2HelloBytes returns.
func ParseSSL2Hello(b []byte) ClientHello {
	r := reader{b: b[3:]}
	hello := ClientHello{SSL2: true, legacy: uint16(r.uint(2))}
	hello.Versions = []uint16{hello.legacy}
	ciphers, session, challenge := r.uint(2), r.uint(2), r.uint(2)
	list := reader{b: r.take(ciphers)}
	for !list.empty() && len(hello.Ciphers) < maxList {
		if v := list.uint(3); v < 1<<16 {
			hello.Ciphers = append(hello.Ciphers, uint16(v))
		}
	}
	r.take(session)
	copy(hello.random[max(0, 32-challenge):], r.take(challenge))
	return hello
}
