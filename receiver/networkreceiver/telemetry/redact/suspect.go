// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Nearly every colon of a body stands behind a name that was seen before and is no
// secret's, or behind no name at all. These are passed over here, many bytes at a
// time; redactPairs looks exactly at what is left.

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// block is how many bytes are searched for colons at once.
const block = 64

// nextSuspect is the index of the first colon at or after i that may stand behind
// the name of a secret, or -1. A name or its value has quotes.
func nextSuspect(n *names, s []byte, i int) int {
	for ; len(s)-i > block; i += block {
		found := colons(s[i : i+block])
		if found == 0 {
			skip := bytes.IndexByte(s[i+block:], ':')
			if skip < 0 {
				return -1
			}
			i += skip
			continue
		}
		for ; found != 0; found &= found - 1 {
			colon := i + bits.TrailingZeros64(found)
			end := colon - 1
			if end < shortBytes {
				return colon
			}
			c := s[end]
			if c == '"' || c == '\'' {
				last, whole := nameIn(s[end-8:], c)
				if name := (shortName{last: last}); whole && n.harmless[name.slot()] == name || harmlessName(n, s, end) {
					continue
				}
				return colon
			}
			// Without quotes around the name, the value must have them.
			if quoteOrSpace[c] || quoteOrSpace[s[colon+1]] {
				return colon
			}
		}
	}
	return indexByte(s, i, ':')
}

var quoteOrSpace = setOf("\"'\\ \t\r\n")

// colons has bit i set where s[i] is a colon.
func colons(s []byte) uint64 {
	_ = s[block-1]
	return transpose(colonsIn(s[0:])>>7 | colonsIn(s[8:])>>6 | colonsIn(s[16:])>>5 | colonsIn(s[24:])>>4 |
		colonsIn(s[32:])>>3 | colonsIn(s[40:])>>2 | colonsIn(s[48:])>>1 | colonsIn(s[56:]))
}

// colonsIn has the highest bit of each byte set that is a colon among the first 8.
func colonsIn(s []byte) uint64 {
	x := binary.LittleEndian.Uint64(s) ^ ':'*lows
	return ^(x&^highs + ^uint64(highs) | x) & highs
}

// transpose swaps rows and columns of 8 times 8 bits.
func transpose(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00aa00aa00aa00aa
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000cccc0000cccc
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000f0f0f0f0
	return x ^ t ^ t<<28
}

// shortName is a name of less than 16 bytes, behind its opening quote, with zeros
// before: the last bytes in last, those before in first.
type shortName struct{ first, last uint64 }

const shortBytes = 16

// nameIn is the part of the first 8 bytes of s that belongs to the name which ends
// with them. If whole, the name begins in them, behind a quote that is a part of it.
func nameIn(s []byte, quote byte) (name uint64, whole bool) {
	name = binary.BigEndian.Uint64(s)
	at := lowestZero(name ^ lows*uint64(quote))
	return name & (at - 1), at != 0
}

// lowestZero is the highest bit of the lowest byte of x that is zero, or 0.
func lowestZero(x uint64) uint64 {
	at := (x - lows) &^ x & highs
	return at & -at
}

// slot spreads names over a table.
func (n shortName) slot() uint8 {
	return uint8((n.last ^ n.first*0xc2b2ae3d27d4eb4f) * 0x9e3779b97f4a7c15 >> 56)
}

// harmlessName reports whether the name before the closing quote at index end, at
// least shortBytes from the beginning, is no secret's. It remembers short ones.
func harmlessName(n *names, s []byte, end int) bool {
	var name shortName
	var whole bool
	if name.last, whole = nameIn(s[end-8:], s[end]); !whole {
		name.first, whole = nameIn(s[end-16:], s[end])
	}
	known := &n.harmless[name.slot()]
	if whole && *known == name {
		return true
	}
	if isSecret(n, s[openingQuote(s, end):end]) {
		return false
	}
	if whole {
		*known = name
	}
	return true
}

// openingQuote is the index after the quote that opens the name before index end,
// or where looking for one ends.
func openingQuote(s []byte, end int) int {
	quotes, start, stop := lows*uint64(s[end]), end, max(end-maxName, 0)
	for ; start-8 >= stop; start -= 8 {
		if at := lowestZero(binary.BigEndian.Uint64(s[start-8:]) ^ quotes); at != 0 {
			return start - bits.TrailingZeros64(at)/8
		}
	}
	for start > stop && s[start-1] != s[end] {
		start--
	}
	return start
}
