// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

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
