// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package handshake reads what is in the clear of TLS handshakes: hellos and their fingerprints,
// chains of certificates, alerts. It describes handshakes as the conventions have it.
package handshake // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"

import (
	"bytes"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// Types of handshake messages (RFC 8446, section B.3).
const (
	TypeClientHello         = 1
	TypeServerHello         = 2
	TypeEndOfEarlyData      = 5
	TypeEncryptedExtensions = 8
	TypeCertificate         = 11
	TypeServerKeyExchange   = 12
	TypeCertificateRequest  = 13
	TypeServerHelloDone     = 14
	TypeFinished            = 20
	TypeKeyUpdate           = 24
)

// Extensions (IANA, TLS ExtensionType Values).
const (
	extServerName        = 0
	extSupportedGroups   = 10
	extPointFormats      = 11
	extSignatures        = 13
	extALPN              = 16
	extEncryptThenMAC    = 22
	extPreSharedKey      = 41
	extEarlyData         = 42
	extSupportedVersions = 43
	extKeyShare          = 51
)

const (
	maxList = 128 // entries of a list of a hello
	maxName = 255 // bytes of a name (RFC 1035) or of a protocol (RFC 7301)
	maxALPN = 16
)

// ClientHello is Message.Protocol of a request.
type ClientHello struct {
	ServerName string
	ALPN       []string
	Versions   []uint16 // offered, GREASE left out
	Ciphers    []uint16
	Groups     []uint16
	JA3, JA4   string
	Resumes    bool // offers a session
	EarlyData  bool
	QUIC       bool
	QUICv2     bool
	SSL2       bool // in the format of SSL 2.0

	random     [32]byte
	legacy     uint16
	extensions []uint16
	signatures []uint16
	formats    []byte
}

// Random returns the client's random, by which key logs name the session.
func (h *ClientHello) Random() [32]byte { return h.random }

// isGrease tells the values that stand for nothing (RFC 8701).
func isGrease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

func withoutGrease(list []uint16) (out []uint16) {
	for _, v := range list {
		if !isGrease(v) {
			out = append(out, v)
		}
	}
	return out
}

// ParseClientHello reads RFC 8446, section 4.1.2; b is without the header.
func ParseClientHello(b []byte, quic bool) (h ClientHello, ok bool) {
	h.QUIC = quic
	r := reader{b: b}
	h.legacy = uint16(r.uint(2))
	copy(h.random[:], r.take(32))
	session := r.vector(1)
	ciphers := r.vector(2)
	h.Ciphers = withoutGrease(ciphers.uint16s())
	r.vector(1) // compression methods
	if r.bad || h.legacy>>8 != 3 {
		return h, false
	}
	h.Resumes = h.legacy <= record.TLS12 && !session.empty()
	h.Versions = []uint16{h.legacy}
	extensions := r.vector(2)
	for !extensions.empty() && len(h.extensions) < maxList {
		id := uint16(extensions.uint(2))
		body := extensions.vector(2)
		if extensions.bad {
			break
		}
		h.extensions = append(h.extensions, id)
		h.extension(id, body)
	}
	if len(h.Versions) > 1 || h.Versions[0] == record.TLS13 {
		h.Resumes = false // the session id is for middleboxes; what counts is a key
		for _, id := range h.extensions {
			h.Resumes = h.Resumes || id == extPreSharedKey
		}
	}
	h.JA3, h.JA4 = h.ja3(), h.ja4()
	return h, true
}

func (h *ClientHello) extension(id uint16, r reader) {
	switch id {
	case extServerName:
		names := r.vector(2)
		for !names.empty() {
			kind := names.uint(1)
			name := names.vector(2)
			if kind == 0 && len(name.b) <= maxName && isPrintable(name.b) {
				h.ServerName = string(name.b)
			}
		}
	case extALPN:
		h.ALPN = parseALPN(r)
	case extSupportedGroups:
		list := r.vector(2)
		h.Groups = withoutGrease(list.uint16s())
	case extPointFormats:
		list := r.vector(1)
		h.formats = append(h.formats, list.b...)
	case extSignatures:
		list := r.vector(2)
		h.signatures = list.uint16s()
	case extSupportedVersions:
		list := r.vector(1)
		if versions := withoutGrease(list.uint16s()); len(versions) > 0 {
			h.Versions = versions
		}
	case extEarlyData:
		h.EarlyData = true
	}
}

// parseALPN reads RFC 7301, section 3.1.
func parseALPN(r reader) (names []string) {
	list := r.vector(2)
	for !list.empty() && len(names) < maxALPN {
		if name := list.vector(1); isPrintable(name.b) && !(len(name.b) == 2 && isGrease(uint16(name.b[0])<<8|uint16(name.b[1]))) {
			names = append(names, string(name.b))
		}
	}
	return names
}

func isPrintable(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}

// helloRetryRequest is the random of a ServerHello that asks for another ClientHello
// (RFC 8446, section 4.1.3).
var helloRetryRequest = []byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// ServerHello is what is kept of a ServerHello.
type ServerHello struct {
	Retry          bool
	Version        uint16
	Cipher         uint16
	Group          uint16
	ALPN           string
	PSK            bool // the session goes on with an earlier one's key
	EncryptThenMAC bool // encrypt then MAC (RFC 7366)
	JA3S           string
	Random         [32]byte
}

// ParseServerHello reads RFC 8446, section 4.1.3; b is without the header.
func ParseServerHello(b []byte) (h ServerHello, ok bool) {
	r := reader{b: b}
	h.Version = uint16(r.uint(2))
	legacy := h.Version
	copy(h.Random[:], r.take(32))
	r.vector(1) // session id
	h.Cipher = uint16(r.uint(2))
	r.uint(1) // compression method
	if r.bad || h.Version>>8 != 3 {
		return h, false
	}
	h.Retry = bytes.Equal(h.Random[:], helloRetryRequest)
	var ids []uint16
	extensions := r.vector(2)
	for !extensions.empty() && len(ids) < maxList {
		id := uint16(extensions.uint(2))
		body := extensions.vector(2)
		if extensions.bad {
			break
		}
		ids = append(ids, id)
		switch id {
		case extSupportedVersions:
			h.Version = uint16(body.uint(2))
		case extKeyShare:
			h.Group = uint16(body.uint(2))
		case extALPN:
			if names := parseALPN(body); len(names) > 0 {
				h.ALPN = names[0]
			}
		case extPreSharedKey:
			h.PSK = true
		case extEncryptThenMAC:
			h.EncryptThenMAC = true
		}
	}
	h.JA3S = ja3s(legacy, h.Cipher, ids)
	return h, true
}

// EncryptedALPN returns the protocol that EncryptedExtensions (RFC 8446, section 4.3.1) choose;
// b is without the header.
func EncryptedALPN(b []byte) (name string) {
	r := reader{b: b}
	extensions := r.vector(2)
	for !extensions.empty() {
		id := extensions.uint(2)
		body := extensions.vector(2)
		if id == extALPN {
			if names := parseALPN(body); len(names) > 0 {
				name = names[0]
			}
		}
	}
	return name
}

// KeyExchangeGroup returns the group of a ServerKeyExchange (RFC 8422, section 5.4), and
// whether it has one; b is without the header.
func KeyExchangeGroup(b []byte) (group uint16, ok bool) {
	const namedCurve = 3
	r := reader{b: b}
	if r.uint(1) != namedCurve {
		return 0, false
	}
	return uint16(r.uint(2)), true
}
