// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "net/url"

// mode says where name=value pairs begin and end in a kind of text.
type mode struct {
	atStart bool       // a pair can begin at the start of the text
	whole   bool       // the text consists of pairs
	before  *[256]bool // a pair begins after one of these
	after   *[256]bool // a value ends before one of these
}

var (
	// queryText is a URL, or its query.
	queryText = &mode{atStart: true, whole: true, before: setOf("?&;#"), after: setOf("&# \t\r\n")}
	// formText is a body of type application/x-www-form-urlencoded.
	formText = &mode{atStart: true, whole: true, before: setOf("&;"), after: setOf("&")}
	// embeddedText is text that may have URLs in it.
	embeddedText = &mode{before: setOf("?&;#"), after: setOf("&#\"'<>\\,) \t\r\n")}
	// looseText is a header's value, a line of a log, an argument.
	looseText = &mode{atStart: true, before: setOf("?&;#\"', \t\r\n"), after: setOf("&#;\"'<>\\,) \t\r\n")}
)

// maxName bounds how far back a name is looked for.
const maxName = 512

// redactParams replaces the values of name=value pairs that n takes for secrets.
func redactParams[T text](r *Redactor, n *names, s T, m *mode) T {
	e := edit[T]{src: s}
	for i := indexByte(s, 0, '='); i >= 0; i = indexByte(s, i, '=') {
		name, ok := nameBefore(s, i, m)
		i++
		if !ok {
			continue
		}
		start, end := i, 0
		switch {
		case isSecret(n, name):
			start, end = valueOf(s, i, m)
			if end > start {
				r.applied++
				e.replace(start, end, Marker)
			}
			i = end
		case m.whole:
			end = indexAny(s, i, m.before)
			if value, changed := redactEncoded(r, s[start:end]); changed {
				e.replace(start, end, value)
			}
			i = end
		}
	}
	return e.result()
}

// nameBefore is the name that ends at the equals sign at index eq.
func nameBefore[T text](s T, eq int, m *mode) (name T, ok bool) {
	start := eq
	for start > 0 && !m.before[s[start-1]] && !endsWithAmpersand(s, start) {
		if s[start-1] == '=' || eq-start == maxName {
			return name, false
		}
		start--
	}
	return s[start:eq], start < eq && (start > 0 || m.atStart)
}

// escapedAmpersand is an ampersand as encoding/json writes it.
var escapedAmpersand = []byte(`\u0026`)

// endsWithAmpersand reports whether an escapedAmpersand ends before index i.
func endsWithAmpersand[T text](s T, i int) bool {
	return i >= 6 && s[i-1] == '6' && s[i-2] == '2' && s[i-3] == '0' && s[i-4] == '0' && s[i-5] == 'u' && s[i-6] == '\\'
}

// valueOf is the range of the value that begins at index i, without quotes.
func valueOf[T text](s T, i int, m *mode) (start, end int) {
	if !m.whole && i < len(s) && (s[i] == '"' || s[i] == '\'') {
		if end = indexByte(s, i+1, s[i]); end < 0 {
			end = len(s)
		}
		return i + 1, end
	}
	return i, indexAny(s, i, m.after)
}

// redactEncoded redacts JSON and URLs that stand percent-encoded in a value, as in
// payload=%7B%22token%22%3A... and redirect_uri=https%3A%2F%2F...
func redactEncoded[T text](r *Redactor, value T) (string, bool) {
	if !encodesSecret(value) {
		return "", false
	}
	plain := unescape(value)
	clean := plain
	if r.set.Bodies {
		clean = redactPairs(r, clean, false)
	}
	if r.set.URLs {
		clean = scrub(r, clean, embeddedText)
	}
	if clean == plain {
		return "", false
	}
	return url.QueryEscape(clean), true
}

// encodesSecret reports whether a percent-encoded value may hold a pair, a parameter
// or userinfo: each has a colon, an equals sign or an @.
func encodesSecret[T text](value T) bool {
	if indexByte(value, 0, '%') < 0 {
		return false
	}
	for i := range len(value) {
		c := value[i]
		if c == '%' && i+2 < len(value) && isHex(value[i+1]) && isHex(value[i+2]) {
			c = unhex(value[i+1])<<4 | unhex(value[i+2])
		}
		if c == ':' || c == '=' || c == '@' {
			return true
		}
	}
	return false
}

// unescape undoes percent-encoding. What is not a whole escape stays as it is.
func unescape[T text](s T) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		}
		out = append(out, c)
	}
	return string(out)
}

// redactUserinfo replaces user:password@ after the slashes of a URL.
func redactUserinfo[T text](r *Redactor, s T) T {
	e := edit[T]{src: s}
	looked := 0 // up to here
	for at := indexByte(s, 0, '@'); at >= 0; at = indexByte(s, looked, '@') {
		start := at
		for start > looked && !authorityEnd[s[start-1]] {
			start--
		}
		if beginsAuthority(s, start) {
			at = max(at, replaceUserinfo(r, &e, start))
		}
		looked = at + 1
	}
	return e.result()
}

// beginsAuthority reports whether "//" stands before index start, or "\/\/" as some
// write it in JSON, at the beginning of s or after a scheme's colon.
func beginsAuthority[T text](s T, start int) bool {
	for range 2 {
		if start == 0 || s[start-1] != '/' {
			return false
		}
		start--
		if start > 0 && s[start-1] == '\\' {
			start--
		}
	}
	return start == 0 || s[start-1] == ':'
}

// redactAuthority does the same for what stands after the slashes alone, as in
// Host.
func redactAuthority[T text](r *Redactor, s T) T {
	e := edit[T]{src: s}
	replaceUserinfo(r, &e, 0)
	return e.result()
}

// replaceUserinfo replaces the userinfo of the authority (RFC 3986, section 3.2)
// at index start. It returns the index of the @, or -1 if there is none.
func replaceUserinfo[T text](r *Redactor, e *edit[T], start int) int {
	s, at, colon := e.src, -1, false
	for end := start; end < len(s) && end-start < maxName && !authorityEnd[s[end]]; end++ {
		switch s[end] {
		case '@':
			at = end
		case ':':
			colon = colon || at < 0
		}
	}
	if at <= start {
		return -1
	}
	r.applied++
	if colon {
		e.replace(start, at, Marker+":"+Marker)
	} else {
		e.replace(start, at, Marker)
	}
	return at
}

var authorityEnd = setOf("/?#\"'<>\\ \t\r\n")
