// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import "encoding/binary"

const (
	// preface is what a client sends first (RFC 9113, section 3.4).
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	// headerSize is the length of a frame header (RFC 9113, section 4.1).
	headerSize = 9
	// usualFrame is the largest payload that peers send unless SETTINGS allow more.
	usualFrame = 1 << 14
)

// frameType is a type of RFC 9113, section 6.
type frameType uint8

const (
	typeData frameType = iota
	typeHeaders
	typePriority
	typeRSTStream
	typeSettings
	typePushPromise
	typePing
	typeGoAway
	typeWindowUpdate
	typeContinuation
	typeAltSvc         frameType = 0xa  // RFC 7838
	typeOrigin         frameType = 0xc  // RFC 8336
	typePriorityUpdate frameType = 0x10 // RFC 9218
)

// Flags of frames. Their meaning depends on the type.
const (
	flagEndStream  = 0x01
	flagAck        = 0x01
	flagEndHeaders = 0x04
	flagPadded     = 0x08
	flagPriority   = 0x20
)

// frame is a frame header.
type frame struct {
	length int
	kind   frameType
	flags  uint8
	stream uint32
}

// parseFrame reads a frame header. The reserved bit is ignored.
func parseFrame(b []byte) frame {
	return frame{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   frameType(b[3]),
		flags:  b[4],
		stream: binary.BigEndian.Uint32(b[5:]) & (1<<31 - 1),
	}
}

func (f frame) has(flag uint8) bool { return f.flags&flag != 0 }

// valid checks what RFC 9113, section 6, says of a type's length and stream.
func (f frame) valid() bool {
	switch f.kind {
	case typeData, typeHeaders, typeContinuation, typePushPromise:
		return f.stream != 0 && f.length >= f.overhead()
	case typePriority:
		return f.stream != 0 && f.length == 5
	case typeRSTStream:
		return f.stream != 0 && f.length == 4
	case typeSettings:
		return f.stream == 0 && f.length%6 == 0 && (!f.has(flagAck) || f.length == 0)
	case typePing:
		return f.stream == 0 && f.length == 8
	case typeGoAway:
		return f.stream == 0 && f.length >= 8
	case typeWindowUpdate:
		return f.length == 4
	}
	return true // unknown types are ignored (section 5.5)
}

// overhead is how many bytes of the payload are not content: the length of the
// padding, the priority, the promised stream. The padding itself comes besides.
func (f frame) overhead() (n int) {
	if f.has(flagPadded) && (f.kind == typeData || f.kind == typeHeaders || f.kind == typePushPromise) {
		n++
	}
	switch {
	case f.kind == typeHeaders && f.has(flagPriority):
		n += 5
	case f.kind == typePushPromise:
		n += 4
	}
	return n
}

// fragment is the part of a header block in the payload of a HEADERS, PUSH_PROMISE
// or CONTINUATION frame, and the promised stream.
func (f frame) fragment(payload []byte) (fragment []byte, promised uint32, ok bool) {
	padding := 0
	if f.kind != typeContinuation && f.has(flagPadded) {
		padding = int(payload[0])
	}
	start := f.overhead()
	if f.kind == typePushPromise {
		promised = binary.BigEndian.Uint32(payload[start-4:]) & (1<<31 - 1)
	}
	end := len(payload) - padding
	if end < start {
		return nil, 0, false
	}
	return payload[start:end], promised, true
}

// errorName is the name of an error code (RFC 9113, section 7).
func errorName(code uint32) string {
	names := [...]string{
		"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
		"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
		"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
	}
	if code < uint32(len(names)) {
		return names[code]
	}
	return "UNKNOWN"
}

const errorCodes = 14
