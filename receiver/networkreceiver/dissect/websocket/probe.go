// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"unicode/utf8"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// chainFrames is how many frames in a row are sure enough.
const chainFrames = 3

// chain counts the frames, masked or not, at the beginning of b: 0 if they do not end where b ends,
// unless there are chainFrames of them. Frames have no magic number, so what a text
// contains has to be text.
func chain(masked bool, b []byte) (frames int) {
	for len(b) > 0 {
		f, need, ok := parseFrame(b)
		if !ok || need > 0 || f.masked != masked || f.length > uint64(len(b)-f.header) {
			return 0
		}
		if !f.plausible(b[f.header : f.header+int(f.length)]) {
			return 0
		}
		frames++
		if frames == chainFrames {
			return frames
		}
		b = b[f.header+int(f.length):]
	}
	return frames
}

// looked is how much of a payload is looked at.
const looked = 64

// plausible looks at the payload of a whole frame.
func (f *frame) plausible(payload []byte) bool {
	switch {
	case f.opcode == opClose:
		return len(payload) != 1
	case f.opcode != opText || f.compressed:
		return true
	}
	var text [looked]byte
	n := copy(text[:], payload)
	if f.masked {
		unmask(text[:n], f.mask, 0)
	}
	return validPrefix(text[:n], uint64(n) == f.length && f.final)
}

// validPrefix reports whether b is UTF-8. Unless it is whole, the last character may
// be cut.
func validPrefix(b []byte, whole bool) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !whole && !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

// sureText is how long the beginning of a masked text has to be to be sure.
const sureText = 8

// Probe recognises the middle of a connection. A connection never begins with
// WebSocket, and its handshake leads here by name. The masks of a client's frames are
// what it is known by, so something of a client has to be there: a text, or a chain of
// frames.
func (Dissector) Probe(client, server []byte) dissect.Verdict {
	asClient, asServer := probeClient(client), probeClient(server)
	switch {
	case asClient == dissect.Yes:
		return dissect.Yes
	case asServer == dissect.Yes:
		return dissect.Reversed
	case asClient == dissect.NeedMore || asServer == dissect.NeedMore:
		return dissect.NeedMore
	}
	return dissect.No
}

func probeClient(b []byte) dissect.Verdict {
	frames := chain(true, b)
	f, need, ok := parseFrame(b)
	switch {
	case len(b) == 0 || !ok || len(b) >= minHeader && !f.masked:
		return dissect.No
	case frames >= chainFrames:
		return dissect.Yes
	case need > 0:
		return dissect.NeedMore
	}
	there := b[f.header:]
	there = there[:min(uint64(len(there)), f.length)]
	text := f.opcode == opText && !f.compressed && f.final
	switch {
	case !f.plausible(there):
		return dissect.No
	case text && len(there) >= sureText:
		return dissect.Yes
	case uint64(len(there)) < f.length:
		return dissect.NeedMore
	}
	return dissect.No
}
