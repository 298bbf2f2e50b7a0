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

// findRequest accepts any method at a line start, and elsewhere a registered one that
// is followed by what a target starts with. The start of b is no line start: the
// beginning of a method may be missing there.
func findRequest(b []byte) int {
	for i := range b {
		if (i > 0 && b[i-1] == '\n' || startsKnown(b[i:])) && startsMessage(dissect.ToServer, b[i:]) == dissect.Yes {
			return i
		}
	}
	return -1
}

// startsKnown reports whether b starts with a registered method and a target.
func startsKnown(b []byte) bool {
	if b[0] < 'A' || b[0] > 'Z' {
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
	return startsField(line)
}

// startsField looks for field-name ":", with whitespace between them as some accept.
func startsField(line []byte) dissect.Verdict {
	n := 0
	for n < len(line) && tchar[line[n]] {
		n++
	}
	rest := bytes.TrimLeft(line[n:], " \t")
	switch {
	case n == 0 || n > maxFieldName || len(line) > 2*maxFieldName && len(rest) == 0:
		return dissect.No
	case len(rest) == 0:
		return dissect.NeedMore
	case rest[0] == ':':
		return dissect.Yes
	}
	return dissect.No
}

// maxFieldName bounds the name of the first field of a message after a loss.
const maxFieldName = 256
