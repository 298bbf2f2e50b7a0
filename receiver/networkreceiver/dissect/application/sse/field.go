// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package sse

import "bytes"

// place is where in a line the next byte is.
type place uint8

const (
	inName place = iota
	afterColon
	inValue
)

const byteOrderMark = "\ufeff"

// line is a field on its way (WHATWG HTML, section 9.2.6).
type line struct {
	begun bool
	place place
	name  [len(byteOrderMark) + len("event")]byte
	long  int    // bytes of the name, also of one that is too long to be known
	value []byte // of a field other than data
}

// field takes a part of a line.
func (r *reader) field(piece []byte) {
	l := &r.line
	if l.place == inName {
		n := bytes.IndexByte(piece, ':')
		name := piece
		if n >= 0 {
			name = piece[:n]
		}
		if l.long < len(l.name) {
			copy(l.name[l.long:], name)
		}
		l.long += len(name)
		if n < 0 {
			return
		}
		l.place, piece = afterColon, piece[n+1:]
		r.beginValue()
	}
	if len(piece) > 0 && l.place == afterColon {
		if l.place = inValue; piece[0] == ' ' {
			piece = piece[1:]
		}
	}
	if r.fieldName() == "data" {
		r.full += uint64(len(piece))
		r.keep(&r.data, piece)
	} else {
		l.value = append(l.value, piece[:min(len(piece), maxName-len(l.value))]...)
	}
}

// fieldName is the name of the line in progress, if it is one that means something.
func (r *reader) fieldName() string {
	l := &r.line
	if l.long > len(l.name) {
		return ""
	}
	name := l.name[:l.long]
	if r.fresh {
		name = bytes.TrimPrefix(name, []byte(byteOrderMark))
	}
	switch string(name) {
	case "data":
		return "data"
	case "event":
		return "event"
	case "id":
		return "id"
	case "retry":
		return "retry"
	}
	return ""
}

// beginValue acts on the end of a field's name.
func (r *reader) beginValue() {
	if r.fieldName() != "data" {
		return
	}
	if r.hasData {
		r.full++
		r.keep(&r.data, []byte{'\n'})
	}
	r.hasData = true
}

// endField acts on the end of a line, if there is one in progress.
func (r *reader) endField() {
	l := &r.line
	if !l.begun {
		return
	}
	if l.place == inName { // a name without a colon has an empty value
		r.beginValue()
	}
	switch r.fieldName() {
	case "event":
		r.info.Type = string(l.value)
	case "id":
		if bytes.IndexByte(l.value, 0) < 0 {
			r.info.ID = string(l.value)
		}
	case "retry":
		if n, ok := digits(l.value); ok {
			r.info.Retry = n
		}
	}
	r.fresh = false
}

// digits reads a number of milliseconds.
func digits(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<50 {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, len(b) > 0
}
