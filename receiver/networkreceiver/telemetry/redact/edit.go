// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bytes"
	"strings"
)

// text is what is redacted: header values and URLs are strings, bodies are bytes.
type text interface{ string | []byte }

// edit replaces ranges of src from left to right. It allocates at the first
// replacement.
type edit[T text] struct {
	src  T
	out  []byte
	done int // src up to here is in out
}

// replace puts with in the place of src[from:to].
func (e *edit[T]) replace(from, to int, with string) {
	if e.out == nil {
		e.out = make([]byte, 0, len(e.src)+len(with))
	}
	e.out = append(e.out, e.src[e.done:from]...)
	e.out = append(e.out, with...)
	e.done = to
}

// result is src with all replacements, src itself if there was none.
func (e *edit[T]) result() T {
	if e.out == nil {
		return e.src
	}
	return T(append(e.out, e.src[e.done:]...))
}

// indexAny is the first index at or after i of a byte in the set, or len(s).
func indexAny[T text](s T, i int, set *[256]bool) int {
	for i < len(s) && !set[s[i]] {
		i++
	}
	return i
}

// indexByte is the first index of c at or after i, or -1.
func indexByte[T text](s T, i int, c byte) int {
	n := -1
	if i < len(s) {
		switch rest := any(s[i:]).(type) {
		case string:
			n = strings.IndexByte(rest, c)
		case []byte:
			n = bytes.IndexByte(rest, c)
		}
	}
	if n < 0 {
		return -1
	}
	return i + n
}

func setOf(chars string) *[256]bool {
	var set [256]bool
	for i := range len(chars) {
		set[chars[i]] = true
	}
	return &set
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '$' || c >= 0x80
}
