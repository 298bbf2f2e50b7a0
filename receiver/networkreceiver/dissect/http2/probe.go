// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"encoding/binary"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Probe knows HTTP/2 by the client's preface, or in the middle of a connection by
// frames of which one tells who sends requests.
func (Dissector) Probe(client, server []byte) dissect.Verdict {
	forward, backward := startsPreface(client), startsPreface(server)
	switch {
	case forward == dissect.Yes:
		return dissect.Yes
	case backward == dissect.Yes:
		return dissect.Reversed
	}
	one, other := look(client), look(server)
	switch {
	case one.sender == isClient || other.sender == isServer:
		return dissect.Yes
	case other.sender == isClient || one.sender == isServer:
		return dissect.Reversed
	case one.hopeful || other.hopeful || forward == dissect.NeedMore || backward == dissect.NeedMore:
		return dissect.NeedMore
	}
	return dissect.No
}

func startsPreface(b []byte) dissect.Verdict {
	n := min(len(b), len(preface))
	switch {
	case n == 0 || string(b[:n]) != preface[:n]:
		return dissect.No
	case n < len(preface):
		return dissect.NeedMore
	}
	return dissect.Yes
}

// peer is who sends something.
type peer uint8

const (
	isEither peer = iota
	isClient
	isServer
)

// sight is what bytes look like.
type sight struct {
	sender  peer // who sends them, if they are frames for certain
	hopeful bool // they may be frames
}

// look judges bytes that may start with a frame.
func look(b []byte) sight {
	switch {
	case len(b) == 0 || b[0] != 0:
		return sight{}
	case len(b) < headerSize:
		return sight{hopeful: true}
	}
	f := follow(b, nil, usualFrame)
	switch {
	case f.weight == 0:
		return sight{}
	case f.weight >= certain:
		return sight{sender: f.sender, hopeful: true}
	}
	return sight{hopeful: true}
}

const (
	// certain is the weight at which frames are no coincidence.
	certain = 3
	// enough is the weight beyond which nothing more is looked at.
	enough = 8 * certain
)

// trail is what a chain of frames shows.
type trail struct {
	weight int // 0 if they are no frames
	sender peer
}

// follow goes along a chain of frames as far as b goes. A frame counts 1, or 2 where
// nearly all of its header is fixed; more on a stream that is known. Anything that
// peers do not send makes it 0.
func follow(b []byte, known *streams, largest int) (t trail) {
	var before frame
	for len(b) >= headerSize {
		f := parseFrame(b)
		payload := b[headerSize:min(len(b), headerSize+f.length)]
		whole := len(payload) == f.length
		weight, sender := f.weigh(payload, whole)
		unfinished := (before.kind == typeHeaders || before.kind == typePushPromise || before.kind == typeContinuation) && !before.has(flagEndHeaders)
		if weight == 0 || f.length > largest || b[5]&0x80 != 0 || unfinished != (f.kind == typeContinuation) ||
			unfinished && f.stream != before.stream {
			return trail{}
		}
		if f.stream != 0 {
			switch {
			case known != nil && known.byID[f.stream] != nil:
				weight += 2
			case f.stream == before.stream:
				weight++
			}
		}
		t.weight += weight
		if t.sender == isEither {
			t.sender = sender
		}
		if !whole || t.weight >= enough {
			return t
		}
		b, before = b[headerSize+f.length:], f
		if before.kind == typeData {
			before.flags |= flagEndHeaders
		}
	}
	if len(b) == 0 && t.weight > 0 {
		t.weight++ // it ends where the segment ends
	}
	return t
}

// weigh tells how likely a frame is one: 0 for never.
func (f frame) weigh(payload []byte, whole bool) (weight int, sender peer) {
	if !f.valid() {
		return 0, isEither
	}
	var mayHave uint8
	weight = 2
	switch f.kind {
	case typeData:
		weight, mayHave = 1, flagEndStream|flagPadded
	case typeHeaders:
		mayHave = flagEndStream | flagEndHeaders | flagPadded | flagPriority
		weight, sender = f.weighFields(payload, whole)
	case typePushPromise:
		mayHave, sender = flagEndHeaders|flagPadded, isServer
		weight = 1
	case typeContinuation:
		weight, mayHave = 1, flagEndHeaders
	case typeSettings, typePing:
		mayHave = flagAck
		if f.length > 6*32 || f.kind == typeSettings && !plausibleSettings(payload) {
			return 0, isEither
		}
	case typeRSTStream:
		if whole && binary.BigEndian.Uint32(payload) >= errorCodes {
			return 0, isEither
		}
	case typeGoAway:
		if len(payload) >= 8 && binary.BigEndian.Uint32(payload[4:]) >= errorCodes || f.length > 1<<10 {
			return 0, isEither
		}
	case typeWindowUpdate:
		if whole && (binary.BigEndian.Uint32(payload) == 0 || payload[0]&0x80 != 0) {
			return 0, isEither
		}
	case typePriority:
	case typeAltSvc, typeOrigin, typePriorityUpdate:
		weight = 1
	default:
		return 0, isEither
	}
	if f.flags&^mayHave != 0 {
		return 0, isEither
	}
	return weight, sender
}

// plausibleSettings checks the identifiers (RFC 9113, section 6.5.2, and IANA's
// registry).
func plausibleSettings(b []byte) bool {
	for ; len(b) >= 6; b = b[6:] {
		if id := binary.BigEndian.Uint16(b); id == 0 || id > 0x10 && id < 0xf000 {
			return false
		}
	}
	return true
}

func (f frame) weighFields(payload []byte, whole bool) (int, peer) {
	if !whole {
		return 1, isEither
	}
	fragment, _, ok := f.fragment(payload)
	if !ok {
		return 0, isEither
	}
	if !f.has(flagEndHeaders) {
		return 1, isEither
	}
	sender, ok := walk(fragment)
	switch {
	case !ok:
		return 0, isEither
	case sender == isEither:
		return 2, isEither
	}
	return 3, sender
}

// walk goes over the representations of a header block (RFC 7541, section 6), without
// a table. It reports whether they fill it exactly, and who sends fields like these:
// entries 1 to 7 of the static table are for requests, 8 to 14 for responses.
func walk(b []byte) (sender peer, ok bool) {
	for len(b) > 0 {
		prefix, literal := 7, false
		switch {
		case b[0]&0x80 != 0:
		case b[0]&0xc0 == 0x40:
			prefix, literal = 6, true
		case b[0]&0xe0 == 0x20:
			prefix = 5
		default:
			prefix, literal = 4, true
		}
		index, n := readInteger(b, prefix)
		if n <= 0 || prefix == 7 && index == 0 {
			return isEither, false
		}
		b = b[n:]
		if sender == isEither && prefix != 5 {
			sender = senderOf(index)
		}
		strings := 0
		if literal {
			strings = 1
			if index == 0 {
				strings = 2
			}
		}
		for range strings {
			if len(b) == 0 {
				return isEither, false
			}
			length, n := readInteger(b, 7)
			if n <= 0 || length > uint64(len(b)-n) {
				return isEither, false
			}
			b = b[n+int(length):]
		}
	}
	return sender, true
}

func senderOf(index uint64) peer {
	switch {
	case index == 0 || index > 14:
		return isEither
	case index <= 7:
		return isClient
	}
	return isServer
}
