// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc

import "encoding/binary"

// prefixSize is the size of what is in front of each message: flags, and a length of
// four bytes (gRPC over HTTP/2, "Length-Prefixed-Message").
const prefixSize = 5

// flags of a message.
type flags uint8

const (
	flagCompressed  flags = 0x01
	flagConnectEnd  flags = 0x02 // Connect: the message tells the end
	flagWebTrailers flags = 0x80 // gRPC-Web: the message is the trailers
)

// prefix is what is in front of a message.
type prefix struct {
	flags  flags
	length uint32
}

func parsePrefix(b []byte) prefix {
	return prefix{flags: flags(b[0]), length: binary.BigEndian.Uint32(b[1:])}
}

// valid reports whether the flags are known ones.
func (p prefix) valid(f flavour) bool {
	known := flagCompressed
	switch f {
	case web, webText:
		known |= flagWebTrailers
	case connectStream:
		known |= flagConnectEnd
	}
	return p.flags&^known == 0
}

// isEnd reports whether the message tells how the call ended.
func (p prefix) isEnd(f flavour) bool {
	switch f {
	case web, webText:
		return p.flags&flagWebTrailers != 0
	case connectStream:
		return p.flags&flagConnectEnd != 0
	}
	return false
}

// messages calls each for the messages of a body. whole is false for the last one if it
// is cut off.
func messages(f flavour, body []byte, each func(p prefix, payload []byte, whole bool) bool) {
	for len(body) >= prefixSize {
		p := parsePrefix(body)
		if !p.valid(f) {
			return
		}
		body = body[prefixSize:]
		n := min(uint64(p.length), uint64(len(body)))
		if !each(p, body[:n], n == uint64(p.length)) {
			return
		}
		body = body[n:]
	}
}
