// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/binary"

	"github.com/miekg/dns"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// fit is how well bytes look like a message.
type fit uint8

const (
	noFit fit = iota
	begun     // all there is fits, but the questions go on
	fits
)

func probe(stream bool, client, server []byte) dissect.Verdict {
	look := looksLikeDatagram
	if stream {
		look = looksLikeStream
	}
	c, cResponse := look(client)
	s, sResponse := look(server)
	switch {
	case c == fits && !cResponse || s == fits && sResponse:
		return dissect.Yes
	case c == fits || s == fits:
		return dissect.Reversed
	case c == begun || s == begun:
		return dissect.NeedMore
	}
	return dissect.No
}

// looksLikeStream looks at a message after its length.
func looksLikeStream(b []byte) (f fit, response bool) {
	if len(b) == 0 {
		return noFit, false
	}
	if len(b) < lengthBytes {
		return begun, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < headerBytes {
		return noFit, false
	}
	whole := len(b)-lengthBytes >= n
	return looksLikeMessage(b[lengthBytes:min(len(b), lengthBytes+n)], whole)
}

// looksLikeDatagram looks at a message that is whole, or was cut by the capture:
// then its questions have to be whole.
func looksLikeDatagram(b []byte) (f fit, response bool) {
	if len(b) < headerBytes {
		return noFit, false
	}
	if f, response = looksLikeMessage(b, false); f == begun {
		return noFit, response
	}
	return f, response
}

// looksLikeMessage looks at the header and walks over all records that are there.
// whole is set where nothing more belongs to the message. It allocates nothing.
func looksLikeMessage(b []byte, whole bool) (f fit, response bool) {
	incomplete := begun
	if whole {
		incomplete = noFit
	}
	if len(b) < headerBytes {
		return plausibleStart(b, incomplete), false
	}
	h, n := parseHeader(b), counts(b)
	if !h.plausible(n) {
		return noFit, false
	}
	at := headerBytes
	for range n[0] {
		end := skipQuestion(b, at)
		if end == cut {
			return incomplete, h.response()
		}
		if end < 0 {
			return noFit, h.response()
		}
		at = end
	}
	for range n[1] + n[2] + n[3] {
		end := skipRecord(b, at)
		if end == cut && !whole {
			return known(n), h.response()
		}
		if end < 0 {
			return noFit, h.response()
		}
		at = end
	}
	// What follows the last record is padding, or a tag ("MS"). A message that is well
	// formed up to there is hardly anything else.
	return fits, h.response()
}

// known: a message whose records go on is known by its questions.
func known(n [4]int) fit {
	if n[0] == 0 {
		return begun
	}
	return fits
}

// plausibleStart looks at less than a header.
func plausibleStart(b []byte, incomplete fit) fit {
	if len(b) >= 4 {
		h := parseHeader(b)
		if h.Bits&bitZ != 0 || !h.response() && (h.code() != 0 || h.Bits&bitRA != 0) {
			return noFit
		}
	}
	return incomplete
}

// possible tells whether b can be the beginning of a message of n bytes. It is less
// strict than the probe, and keeps a conversation that has lost its thread from
// waiting for a message that is none.
func possible(b []byte, n int) bool {
	const smallestRecord = 11
	if len(b) < headerBytes {
		return true
	}
	h, count := parseHeader(b), counts(b)
	if h.Bits&bitZ != 0 || !h.response() && h.code() != 0 || count[0] > maxQuestions ||
		(count[1]+count[2]+count[3])*smallestRecord > n-headerBytes {
		return false
	}
	at := headerBytes
	for range count[0] {
		if at = skipQuestion(b, at); at < 0 {
			return at == cut && len(b) < n
		}
	}
	return true
}

const (
	wrong = -1 // this is none
	cut   = -2 // its end is not there
)

// skipName is the index after the name at index at (RFC 1035, section 4.1.4). A
// pointer has to lead back.
func skipName(b []byte, at int) int {
	for start := at; at < len(b); {
		n := int(b[at])
		switch {
		case n == 0:
			return at + 1
		case n >= 0xc0:
			if at+2 > len(b) {
				return cut
			}
			if to := int(binary.BigEndian.Uint16(b[at:]) & 0x3fff); to < headerBytes || to >= start {
				return wrong
			}
			return at + 2
		case n > 63 || at+n-start >= maxName:
			return wrong
		}
		at += 1 + n
	}
	return cut
}

// skipQuestion is the index after the question at index at. Its type and class
// have to be known ones.
func skipQuestion(b []byte, at int) int {
	end := skipName(b, at)
	if end < 0 {
		return end
	}
	if end+questionBytes > len(b) {
		return cut
	}
	kind, class := binary.BigEndian.Uint16(b[end:]), binary.BigEndian.Uint16(b[end+2:])
	if !knownType(kind) || !knownClass(class&classMask) || isNetBIOS(b[at:end]) {
		return wrong
	}
	return end + questionBytes
}

// isNetBIOS tells names of the NetBIOS name service, whose messages look like DNS: 16
// bytes, each as two letters of A to P (RFC 1001, section 14.1).
func isNetBIOS(name []byte) bool {
	const encoded = 32
	if len(name) < 1+encoded || name[0] != encoded {
		return false
	}
	for _, c := range name[1 : 1+encoded] {
		if c < 'A' || c > 'P' {
			return false
		}
	}
	return true
}

// classMask leaves out the bit that asks for a unicast response (RFC 6762, section
// 5.4).
const classMask = 0x7fff

func knownType(t uint16) bool {
	_, ok := dns.TypeToString[t]
	return ok && t != dns.TypeNone && t != dns.TypeReserved
}

func knownClass(class uint16) bool {
	switch class {
	case dns.ClassINET, dns.ClassCHAOS, dns.ClassHESIOD, dns.ClassNONE, dns.ClassANY:
		return true
	}
	return false
}

// skipRecord is the index after the resource record at index at (RFC 1035, section
// 4.1.3).
func skipRecord(b []byte, at int) int {
	const fixed = 10 // type, class, TTL, length
	end := skipName(b, at)
	if end < 0 {
		return end
	}
	if end+fixed > len(b) {
		return cut
	}
	if end += fixed + int(binary.BigEndian.Uint16(b[end+fixed-2:])); end > len(b) {
		return cut
	}
	return end
}

// FindStart looks for the length before a message of this direction.
func (c *conversation) FindStart(d dissect.Direction, b []byte) int {
	if !c.stream {
		return 0
	}
	for i := range max(0, len(b)-lengthBytes-headerBytes) {
		if f, response := looksLikeStream(b[i:]); f == fits && response == (d == dissect.ToClient) {
			return i
		}
	}
	return -1
}
