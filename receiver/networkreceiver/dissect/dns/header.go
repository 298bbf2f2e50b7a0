// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

const (
	lengthBytes   = 2   // before a message over TCP (RFC 1035, section 4.2.2)
	headerBytes   = 12  // RFC 1035, section 4.1.1
	maxName       = 255 // RFC 1035, section 3.1
	questionBytes = 4   // type and class
	maxQuestions  = 64  // multicast DNS asks several at once
)

// Bits of the header's second word.
const (
	bitQR = 1 << 15
	bitAA = 1 << 10 // in LLMNR: C, conflict
	bitTC = 1 << 9
	bitRD = 1 << 8 // in LLMNR: T, tentative
	bitRA = 1 << 7
	bitZ  = 1 << 6
	bitAD = 1 << 5 // RFC 4035, section 3.2
	bitCD = 1 << 4

	shiftOpcode = 11
	maskCode    = 15
)

// Header is the header but for its counts (RFC 1035, section 4.1.1).
type Header struct {
	ID   uint16
	Bits uint16
}

func parseHeader(b []byte) Header {
	return Header{ID: binary.BigEndian.Uint16(b), Bits: binary.BigEndian.Uint16(b[2:])}
}

// counts are the numbers of questions, answers, authorities and additional records.
func counts(b []byte) (n [4]int) {
	for i := range n {
		n[i] = int(binary.BigEndian.Uint16(b[4+2*i:]))
	}
	return n
}

func (h Header) response() bool { return h.Bits&bitQR != 0 }
func (h Header) opcode() int    { return int(h.Bits >> shiftOpcode & 15) }
func (h Header) code() uint16   { return h.Bits & maskCode }

// flags are the bits that are set, as dig names them.
func (h Header) flags() (names []string) {
	for _, flag := range [...]struct {
		bit  uint16
		name string
	}{{bitAA, "aa"}, {bitTC, "tc"}, {bitRD, "rd"}, {bitRA, "ra"}, {bitZ, "z"}, {bitAD, "ad"}, {bitCD, "cd"}} {
		if h.Bits&flag.bit != 0 {
			names = append(names, flag.name)
		}
	}
	return names
}

// plausible tells whether a message can begin like this (RFC 1035, section 4.1.1;
// RFC 1996; RFC 2136; RFC 6762, section 18).
func (h Header) plausible(n [4]int) bool {
	opcode := h.opcode()
	if h.Bits&bitZ != 0 || n[0] > maxQuestions || opcode != dns.OpcodeQuery && opcode != dns.OpcodeNotify && opcode != dns.OpcodeUpdate {
		return false
	}
	switch {
	case !h.response():
		return n[0] > 0 && h.code() == 0 && h.Bits&bitRA == 0 && (h.Bits&bitAA == 0 || opcode == dns.OpcodeNotify)
	case n[0] > 0:
		return true
	case n[1] > 0: // multicast DNS repeats no question
		return h.Bits&bitAA != 0 && h.code() == 0 && h.ID == 0
	}
	// A server that can't read the question repeats none.
	return n == [4]int{} && h.code() >= dns.RcodeFormatError && h.code() <= dns.RcodeRefused && h.Bits&(bitAA|bitTC) == 0
}
