// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package jsonvalue

import (
	"bytes"
	"strings"
)

// sniffHead and sniffTail are where Mentions looks. What says what a body is may stand
// after a large member.
const (
	sniffHead = 1 << 10
	sniffTail = 256
)

// Mentions reports whether the name of a member, or a string that ends so, stands near
// the beginning or the end of a text. It is what can be asked of every body before it is
// read.
func Mentions(text []byte, name string) bool {
	if len(text) <= sniffHead+sniffTail {
		return contains(text, name)
	}
	return contains(text[:sniffHead], name) || contains(text[len(text)-sniffTail:], name)
}

// contains looks for a name and the quotation mark after it. It does not look for the one
// before: there are too many of them to begin with.
func contains(text []byte, name string) bool {
	for {
		n := bytes.Index(text, []byte(name))
		if n < 0 {
			return false
		}
		if text = text[n+len(name):]; len(text) > 0 && text[0] == '"' {
			return true
		}
	}
}

// IsMediaType reports whether a media type (lower case, without parameters) is one of
// JSON texts (RFC 8259; RFC 6839, section 3.1).
func IsMediaType(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json") || mediaType == "text/json"
}
