// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package quic

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/wire"
)

// Versions of QUIC (RFC 9000, RFC 9369).
const (
	version1 = 0x00000001
	version2 = 0x6b3343cf
)

// initialPacket is the type of the first packets, as version 1 has it.
const initialPacket = 0

// longPacket is a packet with a long header (RFC 9000, section 17.2).
type longPacket struct {
	version     uint32
	kind        byte
	destination []byte
	number      int    // where the packet number begins
	b           []byte // the packet
	size        int
}

// parseLong reads a packet at the beginning of a datagram, or what is left of it.
func parseLong(b []byte) (p longPacket, ok bool) {
	if len(b) < 7 || b[0]&0xc0 != 0xc0 {
		return p, false
	}
	p.version = binary.BigEndian.Uint32(b[1:])
	p.kind = b[0] >> 4 & 3
	switch p.version {
	case version1:
	case version2:
		p.kind = (p.kind + 3) & 3 // RFC 9369, section 3.2
	default:
		return p, false
	}
	const maxID = 20
	r := wire.Over(b)
	r.Bytes(5)
	destination := r.Bytes(int(r.Uint8()))
	source := r.Bytes(int(r.Uint8()))
	if len(destination) > maxID || len(source) > maxID {
		return p, false
	}
	p.destination = destination
	const retry = 3
	if p.kind == retry {
		p.b, p.size = b, len(b)
		return p, r.OK()
	}
	if p.kind == initialPacket {
		r.Bytes(int(min(varint(&r), uint64(len(b)))))
	}
	length := varint(&r)
	p.number = r.Offset()
	if !r.OK() || length > uint64(r.Len()) {
		return p, false
	}
	p.size = p.number + int(length)
	p.b = b[:p.size]
	return p, true
}

// varint reads RFC 9000, section 16.
func varint(r *wire.Cursor) (v uint64) {
	first := r.Uint8()
	v = uint64(first & 0x3f)
	for _, b := range r.Bytes(1<<(first>>6) - 1) {
		v = v<<8 | uint64(b)
	}
	return v
}

// initialKeys open the Initial packets of one direction.
type initialKeys struct {
	aead   cipher.AEAD
	header cipher.Block
	iv     []byte
}

var (
	salt1 = []byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}
	salt2 = []byte{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9}
)

// deriveInitial is RFC 9001, section 5.2.
func deriveInitial(version uint32, destination []byte) (out [2]*initialKeys) {
	salt, prefix := salt1, "quic "
	if version == version2 {
		salt, prefix = salt2, "quicv2 "
	}
	secret, err := hkdf.Extract(sha256.New, destination, salt)
	if err != nil {
		return out
	}
	for d, label := range [...]string{"client in", "server in"} {
		traffic := handshake.ExpandLabel(sha256.New, secret, label, 32)
		block, err := aes.NewCipher(handshake.ExpandLabel(sha256.New, traffic, prefix+"key", 16))
		if err != nil {
			return out
		}
		header, err := aes.NewCipher(handshake.ExpandLabel(sha256.New, traffic, prefix+"hp", 16))
		if err != nil {
			return out
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return out
		}
		out[d] = &initialKeys{aead: aead, header: header, iv: handshake.ExpandLabel(sha256.New, traffic, prefix+"iv", 12)}
	}
	return out
}

// open removes the protection of RFC 9001, sections 5.3 and 5.4.
func (k *initialKeys) open(p longPacket) (payload []byte, ok bool) {
	const sampleAt, sampleSize = 4, aes.BlockSize
	if len(p.b) < p.number+sampleAt+sampleSize {
		return nil, false
	}
	var mask [aes.BlockSize]byte
	k.header.Encrypt(mask[:], p.b[p.number+sampleAt:][:sampleSize])
	first := p.b[0] ^ mask[0]&0x0f
	size := int(first&3) + 1
	header := append([]byte(nil), p.b[:p.number+size]...)
	header[0] = first
	var number uint64
	for i, c := range mask[1 : 1+size] {
		header[p.number+i] ^= c
		number = number<<8 | uint64(header[p.number+i])
	}
	nonce := append([]byte(nil), k.iv...)
	for i := range 8 {
		nonce[4+i] ^= byte(number >> (56 - 8*i))
	}
	payload, err := k.aead.Open(nil, nonce, p.b[p.number+size:], header)
	return payload, err == nil
}

// crypto puts the CRYPTO frames of a direction together.
type crypto struct {
	begun     bool
	done      bool
	fragments []fragment
	kept      int
}

type fragment struct {
	offset uint64
	b      []byte
}

// messageHeader is the length of the header of a handshake message.
const messageHeader = 4

const maxFragments = 64

// frames takes the frames of an Initial packet (RFC 9000, section 12.4). closed is set if
// one closes the connection.
func (c *crypto) frames(payload []byte, limit int, sink dissect.Sink) (code uint64, closed bool) {
	const padding, ping, ack, ackECN, cryptoFrame, connectionClose = 0, 1, 2, 3, 6, 0x1c
	r := wire.Over(payload)
	for r.OK() && r.Len() > 0 {
		switch kind := varint(&r); kind {
		case padding:
			r.Bytes(len(r.Rest()) - len(bytes.TrimLeft(r.Rest(), "\x00")))
		case ping:
		case ack, ackECN:
			varint(&r)
			varint(&r)
			ranges := varint(&r)
			varint(&r)
			for ; ranges > 0 && r.OK(); ranges-- {
				varint(&r)
				varint(&r)
			}
			if kind == ackECN {
				varint(&r)
				varint(&r)
				varint(&r)
			}
		case cryptoFrame:
			offset, size := varint(&r), varint(&r)
			b := r.Bytes(int(min(size, uint64(len(payload))+1)))
			if r.OK() {
				c.add(offset, b, limit, sink)
			}
		case connectionClose:
			return varint(&r), r.OK()
		default:
			return 0, false
		}
	}
	return 0, false
}

func (c *crypto) add(offset uint64, b []byte, limit int, sink dissect.Sink) {
	switch {
	case c.done || len(b) == 0:
		return
	case len(c.fragments) >= maxFragments || c.kept+len(b) > limit || offset > uint64(limit):
		sink.Limit("handshake_bytes")
		return
	case !sink.Keep(len(b)):
		return
	}
	c.kept += len(b)
	c.fragments = append(c.fragments, fragment{offset, append([]byte(nil), b...)})
}

// message gives the first handshake message, once it is whole.
func (c *crypto) message() (b []byte, whole bool) {
	slices.SortStableFunc(c.fragments, func(a, b fragment) int { return int(int64(a.offset) - int64(b.offset)) })
	for _, f := range c.fragments {
		if f.offset > uint64(len(b)) {
			break
		}
		if known := uint64(len(b)) - f.offset; known < uint64(len(f.b)) {
			b = append(b, f.b[known:]...)
		}
	}
	if len(b) < messageHeader {
		return nil, false
	}
	size := messageHeader + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
	if len(b) < size {
		return nil, false
	}
	return b[:size], true
}

// drop forgets what is held; no more is wanted.
func (c *crypto) drop(sink dissect.Sink) {
	sink.Release(c.kept)
	*c = crypto{begun: c.begun, done: true}
}
