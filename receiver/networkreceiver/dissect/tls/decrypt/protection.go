// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package decrypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// protection opens the records of one direction that were sealed with one key.
type protection struct {
	suite   Suite
	version uint16
	seq     uint64 // of the next record

	aead cipher.AEAD
	iv   []byte

	block    cipher.Block // of aesCBC
	macKey   []byte
	macFirst bool   // encrypt then MAC (RFC 7366)
	chain    []byte // TLS 1.0: the last block of the record before

	secret []byte // TLS 1.3
}

// protect13 derives the key of a TLS 1.3 traffic secret (RFC 8446, section 7.3).
func protect13(s Suite, secret []byte) *protection {
	p := &protection{suite: s, version: record.TLS13, secret: secret}
	key := handshake.ExpandLabel(s.hash, secret, "key", s.key)
	p.iv = handshake.ExpandLabel(s.hash, secret, "iv", 12)
	if p.aead = s.aead(key); p.aead == nil || p.iv == nil {
		return nil
	}
	return p
}

// updated is the protection after a KeyUpdate (RFC 8446, section 7.2).
func (p *protection) updated() *protection {
	return protect13(p.suite, handshake.ExpandLabel(p.suite.hash, p.secret, "traffic upd", p.suite.hash().Size()))
}

// protect12 derives the keys of both directions from a master secret (RFC 5246, section
// 6.3), the client's first.
func protect12(s Suite, version uint16, master, clientRandom, serverRandom []byte, macFirst bool) (out [2]*protection) {
	mac, iv := 0, 0
	switch s.bulk {
	case aesGCM:
		iv = 4
	case chaCha20:
		iv = 12
	default:
		if mac = s.mac().Size(); version < record.TLS11 {
			iv = aes.BlockSize
		}
	}
	seed := append(append([]byte(nil), serverRandom...), clientRandom...)
	block := s.prf(version, master, "key expansion", seed, 2*(mac+s.key+iv))
	take := func(n int) (part []byte) {
		part, block = block[:n:n], block[n:]
		return part
	}
	var macs, keys, ivs [2][]byte
	for _, part := range [...]struct {
		of   *[2][]byte
		size int
	}{{&macs, mac}, {&keys, s.key}, {&ivs, iv}} {
		part.of[0], part.of[1] = take(part.size), take(part.size)
	}
	for d := range out {
		p := &protection{suite: s, version: version, macKey: macs[d], iv: ivs[d], macFirst: macFirst}
		if s.bulk == aesCBC {
			p.block, _ = aes.NewCipher(keys[d])
			p.chain = ivs[d]
		} else {
			p.aead = s.aead(keys[d])
		}
		out[d] = p
	}
	return out
}

func (s Suite) aead(key []byte) (a cipher.AEAD) {
	if s.bulk == chaCha20 {
		a, _ = chacha20poly1305.New(key)
		return a
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	a, _ = cipher.NewGCM(block)
	return a
}

// open opens a record as the one of number seq, into room. It gives the plaintext and
// its content type.
func (p *protection) open(room []byte, h record.Header, payload []byte, seq uint64) (plain []byte, kind byte, ok bool) {
	switch {
	case p.version == record.TLS13:
		return p.open13(room, h, payload, seq)
	case p.suite.bulk == aesCBC:
		plain, ok = p.openCBC(room, h, payload, seq)
		return plain, h.Kind, ok
	}
	var nonce [12]byte
	size := len(payload) - p.aead.Overhead()
	if p.suite.bulk == aesGCM {
		const explicit = 8
		if size -= explicit; size < 0 {
			return nil, 0, false
		}
		copy(nonce[:], p.iv)
		copy(nonce[4:], payload[:explicit])
		payload = payload[explicit:]
	} else {
		p.nonce(nonce[:], seq)
	}
	if size < 0 {
		return nil, 0, false
	}
	plain, err := p.aead.Open(room[:0], nonce[:], payload, p.additional(h, seq, size))
	return plain, h.Kind, err == nil
}

func (p *protection) open13(room []byte, h record.Header, payload []byte, seq uint64) (plain []byte, kind byte, ok bool) {
	var nonce [12]byte
	p.nonce(nonce[:], seq)
	additional := [record.HeaderBytes]byte{h.Kind, byte(h.Version >> 8), byte(h.Version)}
	binary.BigEndian.PutUint16(additional[3:], uint16(h.Size))
	plain, err := p.aead.Open(room[:0], nonce[:], payload, additional[:])
	if err != nil {
		return nil, 0, false
	}
	plain = bytes.TrimRight(plain, "\x00") // padding
	if len(plain) == 0 {
		return nil, 0, false
	}
	return plain[:len(plain)-1], plain[len(plain)-1], true
}

// nonce is RFC 8446, section 5.3.
func (p *protection) nonce(out []byte, seq uint64) {
	binary.BigEndian.PutUint64(out[4:], seq)
	subtle.XORBytes(out, out, p.iv)
}

// additional is what else is authenticated (RFC 5246, section 6.2.3.3).
func (*protection) additional(h record.Header, seq uint64, size int) []byte {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, 13), seq)
	out = append(out, h.Kind, byte(h.Version>>8), byte(h.Version))
	return binary.BigEndian.AppendUint16(out, uint16(size))
}

// openCBC opens RFC 5246, section 6.2.3.2.
func (p *protection) openCBC(room []byte, h record.Header, payload []byte, seq uint64) ([]byte, bool) {
	size := p.suite.mac().Size()
	sealed := payload
	if p.macFirst {
		if len(payload) < size {
			return nil, false
		}
		sealed = payload[:len(payload)-size]
		if !hmac.Equal(payload[len(payload)-size:], p.mac(h, seq, sealed)) {
			return nil, false
		}
	}
	iv := p.chain
	if p.version >= record.TLS11 {
		if len(sealed) < aes.BlockSize {
			return nil, false
		}
		iv, sealed = sealed[:aes.BlockSize], sealed[aes.BlockSize:]
	}
	if len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 {
		return nil, false
	}
	plain := room[:copy(room, sealed)]
	cipher.NewCBCDecrypter(p.block, iv).CryptBlocks(plain, plain)
	end := len(plain) - 1 - int(plain[len(plain)-1])
	if !p.macFirst {
		end -= size
	}
	if end < 0 {
		return nil, false
	}
	if !p.macFirst && !hmac.Equal(plain[end:end+size], p.mac(h, seq, plain[:end])) {
		return nil, false
	}
	if p.version < record.TLS11 {
		p.chain = append([]byte(nil), sealed[len(sealed)-aes.BlockSize:]...)
	}
	return plain[:end], true
}

func (p *protection) mac(h record.Header, seq uint64, content []byte) []byte {
	m := hmac.New(p.suite.mac, p.macKey)
	m.Write(p.additional(h, seq, len(content)))
	m.Write(content)
	return m.Sum(nil)
}

// pHash is P_hash of RFC 5246, section 5.
func pHash(h func() hash.Hash, secret, seed []byte, n int) []byte {
	out := make([]byte, 0, n+64)
	m := hmac.New(h, secret)
	a := seed
	for len(out) < n {
		m.Reset()
		m.Write(a)
		a = m.Sum(nil)
		m.Reset()
		m.Write(a)
		m.Write(seed)
		out = m.Sum(out)
	}
	return out[:n]
}
