// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package redact takes secrets out of headers, URLs, bodies and command lines
// before they leave the receiver. Names stay and values go: what is removed is
// replaced by [Marker], everything else stays byte for byte.
//
// Bodies are scanned, not parsed: a body that was cut, joined in the middle or is
// not well formed is redacted as well. Every scan is linear in its input.
package redact // import "github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"

import (
	"bytes"
	"strings"
)

// Marker stands where a value was.
const Marker = "REDACTED"

// Settings chooses what is redacted.
type Settings struct {
	Headers      bool // header and trailer values, by header name
	URLs         bool // userinfo and query parameters, in URLs wherever they stand
	Bodies       bool // values in forms, JSON and other text, by key
	CommandLines bool // arguments of processes

	// ExtraHeaders, ExtraQuery and ExtraKeys are redacted in addition to the
	// built-in names. Allow is never redacted, whatever list it is on. Names
	// match without regard to case and to characters other than letters and
	// digits: "api_key" is "apiKey" is "API-Key".
	ExtraHeaders []string
	ExtraQuery   []string
	ExtraKeys    []string
	Allow        []string
}

// Default redacts everything that the built-in lists name.
func Default() Settings {
	return Settings{Headers: true, URLs: true, Bodies: true, CommandLines: true}
}

// Redactor redacts by one Settings. It remembers verdicts on names, and so
// belongs to one goroutine.
type Redactor struct {
	set     Settings
	headers *names
	params  *names
	keys    *names
	applied uint64
}

// New makes a Redactor.
func New(s Settings) *Redactor {
	return &Redactor{
		set:     s,
		headers: newNames(headerNames, s.ExtraHeaders, s.Allow),
		params:  newNames(paramNames, s.ExtraQuery, s.Allow),
		keys:    newNames(keyNames, s.ExtraKeys, s.Allow),
	}
}

// Applied is the number of values replaced so far.
func (r *Redactor) Applied() uint64 { return r.applied }

// Field is how the values of a field are redacted. It depends on the field's name
// alone and may be kept.
type Field struct{ secret, authority bool }

// Field judges a field by its name.
func (r *Redactor) Field(name string) Field {
	return Field{
		secret:    r.set.Headers && r.headers.secret(name),
		authority: r.set.URLs && isAuthority(name),
	}
}

// Value redacts a field's value: all of it, or the URLs in a value that stays.
func (r *Redactor) Value(f Field, value string) string {
	if f.secret && value != "" {
		r.applied++
		return Marker
	}
	if r.set.URLs {
		if f.authority {
			value = redactAuthority(r, value)
		}
		value = scrub(r, value, looseText)
	}
	return value
}

// Header redacts a field's value by its name, and URLs in values that stay.
func (r *Redactor) Header(name, value string) string { return r.Value(r.Field(name), value) }

// Names reports whether a segment of a path says that what follows it is a secret, as a
// key of a body does.
func (r *Redactor) Names(segment string) bool { return r.set.URLs && r.keys.secret(segment) }

// isAuthority reports whether a field's value is an authority.
func isAuthority(name string) bool {
	return strings.EqualFold(name, "Host") || strings.EqualFold(name, ":authority") || strings.EqualFold(name, "X-Forwarded-Host")
}

// URL redacts userinfo and parameters of a URL or of the target of a request.
func (r *Redactor) URL(u string) string {
	if !r.set.URLs {
		return u
	}
	return scrub(r, u, queryText)
}

// Query redacts a query string without its question mark.
func (r *Redactor) Query(q string) string {
	if !r.set.URLs {
		return q
	}
	return redactParams(r, r.params, q, queryText)
}

// Body redacts a body that has the given media type (lower case, without
// parameters; empty if not known). It returns body itself where there is nothing
// to redact, and never changes it.
func (r *Redactor) Body(mediaType string, body []byte) []byte {
	if len(body) == 0 {
		return body
	}
	kind := kindOf(mediaType)
	if (kind == other || kind == plain) && !saysText(mediaType) && isBinary(body) {
		kind = opaque
	}
	switch kind {
	case opaque:
		return body
	case form:
		if r.set.Bodies {
			if looksLikeJSON(body) {
				body = redactPairs(r, body, false)
			} else {
				body = redactParams(r, r.keys, body, formText)
			}
		}
		return r.urlsIn(body)
	case multipart:
		if r.set.Bodies {
			body = redactParts(r, body)
		}
		return r.urlsIn(body)
	case xml:
		if r.set.Bodies {
			body = redactElements(r, body)
		}
		return r.urlsIn(body)
	default:
		if r.set.Bodies {
			body = redactPairs(r, body, kind == yaml)
			if kind == plain {
				body = redactParams(r, r.keys, body, looseText)
			}
		}
		return r.urlsIn(body)
	}
}

// urlsIn redacts the URLs in a body.
func (r *Redactor) urlsIn(body []byte) []byte {
	if !r.set.URLs {
		return body
	}
	body = redactUserinfo(r, body)
	if !mayHaveParams(body) {
		return body
	}
	return redactParams(r, r.params, body, embeddedText)
}

// mayHaveParams reports whether there is an equals sign and something before which
// embeddedText has parameters begin: most bodies are told by a few fast searches.
func mayHaveParams(body []byte) bool {
	if bytes.IndexByte(body, '=') < 0 {
		return false
	}
	return bytes.IndexByte(body, '?') >= 0 || bytes.IndexByte(body, '&') >= 0 || bytes.IndexByte(body, ';') >= 0 ||
		bytes.IndexByte(body, '#') >= 0 || bytes.Contains(body, escapedAmpersand)
}

// scrub redacts userinfo and parameters.
func scrub[T text](r *Redactor, s T, m *mode) T {
	return redactParams(r, r.params, redactUserinfo(r, s), m)
}

func looksLikeJSON(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n\ufeff")
	return len(b) > 0 && (b[0] == '{' || b[0] == '[')
}
