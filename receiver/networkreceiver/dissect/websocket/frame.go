// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"encoding/binary"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// opcode says what a frame is (RFC 6455, section 5.2).
type opcode uint8

const (
	opContinuation opcode = 0
	opText         opcode = 1
	opBinary       opcode = 2
	opClose        opcode = 8
	opPing         opcode = 9
	opPong         opcode = 10
)

func (o opcode) String() string {
	switch o {
	case opContinuation:
		return "continuation"
	case opText:
		return "text"
	case opBinary:
		return "binary"
	case opClose:
		return "close"
	case opPing:
		return "ping"
	case opPong:
		return "pong"
	}
	return ""
}

func (o opcode) isControl() bool { return o >= opClose }

const (
	minHeader  = 2
	maxHeader  = 14
	maxControl = 125 // bytes of a control frame's payload
)

// frame is a frame's header.
type frame struct {
	opcode     opcode
	final      bool
	compressed bool // RSV1 (RFC 7692, section 6)
	masked     bool
	mask       [4]byte
	header     int // bytes of the header
	length     uint64
}

// parseFrame reads a frame's header. need is how many bytes that takes, if there are
// fewer; ok is false where the bytes can be no frame.
func parseFrame(b []byte) (f frame, need int, ok bool) {
	if len(b) < minHeader {
		return f, minHeader, true
	}
	f.final, f.compressed = b[0]&0x80 != 0, b[0]&0x40 != 0
	f.opcode, f.masked = opcode(b[0]&0x0f), b[1]&0x80 != 0
	if b[0]&0x30 != 0 || f.opcode.String() == "" {
		return f, 0, false
	}
	f.header, f.length = minHeader, uint64(b[1]&0x7f)
	if f.opcode.isControl() && (!f.final || f.compressed || f.length > maxControl) {
		return f, 0, false
	}
	extended := extendedLength(f.length)
	f.header += extended
	if f.masked {
		f.header += len(f.mask)
	}
	if len(b) < f.header {
		return f, f.header, true
	}
	switch extended {
	case 2:
		f.length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 8:
		f.length = binary.BigEndian.Uint64(b[2:])
	}
	if f.masked {
		copy(f.mask[:], b[f.header-len(f.mask):])
	}
	return f, 0, f.length < 1<<63
}

// flag names what a frame of direction d should not be: a client masks its frames and a
// server does not (RFC 6455, section 5.1). Some leave the mask out, and many peers take
// that.
func (f *frame) flag(d dissect.Direction) string {
	switch {
	case f.masked == masks(d):
		return ""
	case f.masked:
		return flagMasked
	}
	return flagUnmasked
}

// masks reports whether frames of direction d are to be masked.
func masks(d dissect.Direction) bool { return d == dissect.ToServer }

const (
	flagMasked   = "websocket.masked"
	flagUnmasked = "websocket.unmasked"
)

// unmask removes a mask, of which the first i bytes were used (RFC 6455, section
// 5.3).
func unmask(b []byte, mask [4]byte, i uint64) {
	for k := range b {
		b[k] ^= mask[(i+uint64(k))%4]
	}
}

// extendedLength is how many more bytes the length takes.
func extendedLength(length uint64) int {
	switch length {
	case 126:
		return 2
	case 127:
		return 8
	}
	return 0
}
