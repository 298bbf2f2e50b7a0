// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// FindStart looks for a request line or a status line, and below it for a field
// line, so that text about HTTP inside a body is not taken for a message. It looks
// everywhere, not only at line starts: a message need not start after a line end,
// because the body before it need not end with one.
func (*conversation) FindStart(d dissect.Direction, b []byte) int {
	if d == dissect.ToClient {
		return findResponse(b)
	}
	return findRequest(b)
}

func findResponse(b []byte) int {
	form := []byte("HTTP/1.")
	for from := 0; ; from++ {
		i := bytes.Index(b[from:], form)
		if i < 0 {
			return -1
		}
		if from += i; startsMessage(dissect.ToClient, b[from:]) == dissect.Yes {
			return from
		}
	}
}

// findRequest accepts any method at a line start, one in capitals at the start of b,
// and elsewhere a registered one that is followed by what a target starts with.
func findRequest(b []byte) int {
	for i := range b {
		switch {
		case i > 0 && b[i-1] == '\n', i == 0 && isCapital(b[0]), startsKnown(b[i:]):
			if startsMessage(dissect.ToServer, b[i:]) == dissect.Yes {
				return i
			}
		}
	}
	return -1
}

func isCapital(c byte) bool { return 'A' <= c && c <= 'Z' }

// startsKnown reports whether b starts with a registered method and a target.
func startsKnown(b []byte) bool {
	if !isCapital(b[0]) {
		return false
	}
	sp := methodEnd(b)
	if sp < 0 || sp+1 >= len(b) || !known(b[:sp]) {
		return false
	}
	target := b[sp+1:]
	return target[0] == '/' || target[0] == '*' || bytes.HasPrefix(target, []byte("http://")) || string(b[:sp]) == "CONNECT"
}

// startsMessage is stricter than Probe: below the first line there must be a field
// line, or for a request the end of the section.
func startsMessage(d dissect.Direction, b []byte) dissect.Verdict {
	if len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
		return dissect.No
	}
	if verdict := probeStart(d, b); verdict != dissect.Yes {
		return verdict
	}
	lf := bytes.IndexByte(b, '\n')
	if lf < 0 {
		if len(b) > probeBytes {
			return dissect.No
		}
		return dissect.NeedMore
	}
	if d == dissect.ToClient && bytes.LastIndex(b[:lf], []byte("HTTP/1.")) > 0 {
		return dissect.No // text that a status line follows on the same line
	}
	line := b[lf+1:]
	if len(line) == 0 || len(line) == 1 && line[0] == '\r' {
		return dissect.NeedMore
	}
	if line[0] == '\n' || line[0] == '\r' && line[1] == '\n' {
		return dissect.Yes
	}
	for i, c := range line {
		switch {
		case c == ':' && i > 0:
			return dissect.Yes
		case !tchar[c]:
			return dissect.No
		}
	}
	if len(line) > maxFieldName {
		return dissect.No
	}
	return dissect.NeedMore
}

// maxFieldName bounds the name of the first field of a message after a loss.
const maxFieldName = 256
