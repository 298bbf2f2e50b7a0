// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import "encoding/binary"

const (
	blockHeader  = 8
	sectionBlock = 0x0a0d0d0a // the same in both byte orders
	secretsBlock = 0x0000000a // Decryption Secrets Block
	tlsKeyLog    = 0x544c534b // the type of secrets that is a key log
	maxSecrets   = 1 << 20    // bytes of a block of secrets
)

// secretsTap is shown the bytes of a pcapng file on their way to its reader, and finds
// the blocks of secrets among them (draft-ietf-opsawg-pcapng, section 4.7). It is an
// io.Writer that never fails; what it cannot make sense of ends its search.
type secretsTap struct {
	give func(keyLog []byte)

	held  []byte // a block's beginning; of one of secrets, all of it
	skip  uint64 // bytes of a block that are not needed
	order binary.ByteOrder
	dead  bool
}

func (t *secretsTap) Write(b []byte) (int, error) {
	n := len(b)
	for !t.dead && len(b) > 0 {
		if t.skip > 0 {
			k := min(t.skip, uint64(len(b)))
			t.skip -= k
			b = b[k:]
			continue
		}
		k := min(t.missing(), len(b))
		t.held = append(t.held, b[:k]...)
		b = b[k:]
		if t.missing() == 0 && !t.dead {
			t.block()
		}
	}
	return n, nil
}

// missing is how many bytes more are needed of the block that has begun.
func (t *secretsTap) missing() int {
	need := blockHeader
	if len(t.held) >= 4 && binary.LittleEndian.Uint32(t.held) == sectionBlock {
		need += 4 // and the byte-order magic
	} else if len(t.held) >= blockHeader && t.isSecrets() {
		need = int(t.length())
	}
	return need - len(t.held)
}

func (t *secretsTap) isSecrets() bool {
	return t.order != nil && t.order.Uint32(t.held) == secretsBlock && t.length() <= maxSecrets && t.length() >= blockHeader
}

func (t *secretsTap) length() uint32 { return t.order.Uint32(t.held[4:]) }

// block takes what is held of a block, and says where the next one begins.
func (t *secretsTap) block() {
	if binary.LittleEndian.Uint32(t.held) == sectionBlock {
		t.order = binary.LittleEndian
		if binary.BigEndian.Uint32(t.held[blockHeader:]) == 0x1a2b3c4d {
			t.order = binary.BigEndian
		}
	}
	if t.order == nil {
		t.dead = true
		return
	}
	if t.isSecrets() {
		t.secrets()
	}
	length := (uint64(t.length()) + 3) &^ 3
	if length < uint64(len(t.held)) {
		t.dead = true
		return
	}
	t.skip = length - uint64(len(t.held))
	t.held = t.held[:0]
}

func (t *secretsTap) secrets() {
	const fixed = blockHeader + 8
	if len(t.held) < fixed || t.order.Uint32(t.held[blockHeader:]) != tlsKeyLog {
		return
	}
	size := t.order.Uint32(t.held[blockHeader+4:])
	if body := t.held[fixed:]; uint64(size) <= uint64(len(body)) {
		t.give(body[:size])
	}
}
