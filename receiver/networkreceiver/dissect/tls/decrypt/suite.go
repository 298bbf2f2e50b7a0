// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package decrypt

import (
	"crypto/md5"  //nolint:gosec // of TLS 1.1 and before
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"hash"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// bulk is how a suite protects records.
type bulk uint8

const (
	aesGCM bulk = iota
	chaCha20
	aesCBC
)

// Suite is what of a cipher suite is needed to open records.
type Suite struct {
	bulk bulk
	key  int              // bytes
	hash func() hash.Hash // of key derivation
	mac  func() hash.Hash // of aesCBC
}

var (
	gcm128    = Suite{bulk: aesGCM, key: 16, hash: sha256.New}
	gcm256    = Suite{bulk: aesGCM, key: 32, hash: sha512.New384}
	chacha    = Suite{bulk: chaCha20, key: 32, hash: sha256.New}
	cbc128    = Suite{bulk: aesCBC, key: 16, hash: sha256.New, mac: sha1.New}
	cbc256    = Suite{bulk: aesCBC, key: 32, hash: sha256.New, mac: sha1.New}
	cbc128sha = Suite{bulk: aesCBC, key: 16, hash: sha256.New, mac: sha256.New}
	cbc256sha = Suite{bulk: aesCBC, key: 32, hash: sha256.New, mac: sha256.New}
	cbc384    = Suite{bulk: aesCBC, key: 32, hash: sha512.New384, mac: sha512.New384}
)

// suites are those that can be opened (IANA, TLS Cipher Suites).
var suites = map[uint16]Suite{
	tls.TLS_AES_128_GCM_SHA256: gcm128, tls.TLS_AES_256_GCM_SHA384: gcm256, tls.TLS_CHACHA20_POLY1305_SHA256: chacha,

	0xc02b: gcm128, 0xc02f: gcm128, 0x009c: gcm128, 0x009e: gcm128,
	0xc02c: gcm256, 0xc030: gcm256, 0x009d: gcm256, 0x009f: gcm256,
	0xcca8: chacha, 0xcca9: chacha, 0xccaa: chacha,
	0xc009: cbc128, 0xc013: cbc128, 0x002f: cbc128, 0x0033: cbc128,
	0xc00a: cbc256, 0xc014: cbc256, 0x0035: cbc256, 0x0039: cbc256,
	0xc023: cbc128sha, 0xc027: cbc128sha, 0x003c: cbc128sha, 0x0067: cbc128sha,
	0x003d: cbc256sha, 0x006b: cbc256sha,
	0xc024: cbc384, 0xc028: cbc384,
}

// Overhead is by how much a record's payload is longer than its plaintext, where that
// is always the same.
func (s Suite) Overhead(version uint16) (n int, fixed bool) {
	const tag, explicitNonce, contentType = 16, 8, 1
	switch {
	case version == record.TLS13:
		return tag + contentType, true
	case s.bulk == aesGCM:
		return explicitNonce + tag, true
	case s.bulk == chaCha20:
		return tag, true
	}
	return 0, false
}

// SuiteOf returns a suite by its number, and whether its records can be opened.
func SuiteOf(id uint16) (s Suite, ok bool) {
	s, ok = suites[id]
	return s, ok
}

// MACBytes is the length of the message authentication code of a suite without a fixed
// overhead.
func (s Suite) MACBytes() int { return s.mac().Size() }

// prf is the pseudorandom function of RFC 5246, section 5, and for older versions of RFC
// 2246, section 5.
func (s Suite) prf(version uint16, secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	if version >= record.TLS12 {
		return pHash(s.hash, secret, seed, n)
	}
	half := (len(secret) + 1) / 2
	out := pHash(md5.New, secret[:half], seed, n)
	for i, c := range pHash(sha1.New, secret[len(secret)-half:], seed, n) {
		out[i] ^= c
	}
	return out
}
