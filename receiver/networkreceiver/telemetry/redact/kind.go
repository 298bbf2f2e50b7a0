// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// kind is how a body is scanned.
type kind uint8

const (
	other     kind = iota // JSON, scripts, anything that may hold name: value pairs
	opaque                // pictures, sound and the like: not scanned
	form                  // application/x-www-form-urlencoded
	multipart             // multipart/*
	plain                 // text/plain and bodies of no stated type
	xml
	yaml
)

func kindOf(mediaType string) kind {
	top, sub, _ := strings.Cut(mediaType, "/")
	switch top {
	case "":
		return plain
	case "image":
		if sub == "svg+xml" {
			return xml
		}
		return opaque
	case "audio", "video", "font":
		return opaque
	case "multipart":
		return multipart
	}
	switch {
	case sub == "x-www-form-urlencoded":
		return form
	case sub == "xml" || strings.HasSuffix(sub, "+xml"):
		return xml
	case strings.HasSuffix(sub, "yaml"):
		return yaml
	case mediaType == "text/plain":
		return plain
	}
	return other
}

// saysText reports whether a media type promises text. Such a body is scanned
// whatever bytes are in it.
func saysText(mediaType string) bool {
	if strings.HasPrefix(mediaType, "text/") {
		return true
	}
	for _, word := range []string{"json", "javascript", "graphql", "yaml", "sql", "toml"} {
		if strings.Contains(mediaType, word) {
			return true
		}
	}
	return false
}

// isBinary reports whether a body is not text. In random bytes any name can be
// found, and what is replaced there was no secret. The body may have been cut
// within a character.
func isBinary(body []byte) bool {
	if bytes.IndexByte(body, 0) >= 0 {
		return true
	}
	for range utf8.UTFMax - 1 {
		if utf8.Valid(body) {
			return false
		}
		body = body[:max(len(body)-1, 0)]
	}
	return !utf8.Valid(body)
}
