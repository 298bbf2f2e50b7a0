// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

const (
	// maxFields bounds the fields of one header or trailer section.
	maxFields = 2000
	// maxChunkLine bounds a chunk-size line with its extensions.
	maxChunkLine = 4 << 10
)

// tchar is the table of RFC 9110, section 5.6.2.
var tchar = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isToken(s string) bool {
	for i := range len(s) {
		if !tchar[s[i]] {
			return false
		}
	}
	return s != ""
}

// isVersion reports whether s is the HTTP-version of RFC 9112, section 2.3, with
// major version 1.
func isVersion[T string | []byte](s T) bool {
	return len(s) == len("HTTP/1.1") && string(s[:7]) == "HTTP/1." && isDigit(s[7])
}

// endsInVersion reports whether a request line ends in an HTTP-version, also in
// one without its last digit or without the space before it. Servers answer those
// with 400.
func endsInVersion[T string | []byte](s T) bool {
	n := len(s) - len("HTTP/1.1")
	return n >= 0 && isVersion(s[n:]) || n >= -1 && string(s[n+1:]) == "HTTP/1."
}

// sectionEnd returns the length of the start line and field section in b, up to
// and including the empty line. If that is not there yet it returns -1 and the
// index from which to look again when there is more. Line ends are CRLF or LF
// (RFC 9112, section 2.2).
func sectionEnd(b []byte, from int) (n, resume int) {
	for i := from; ; {
		lf := bytes.IndexByte(b[i:], '\n')
		if lf < 0 {
			return -1, len(b)
		}
		i += lf + 1
		switch rest := b[i:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 1, 0
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 2, 0
		case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
			return -1, i - 1
		}
	}
}

// consumeLine returns the first line of s without its end, and its length with it.
// A line that has no end is returned whole.
func consumeLine(s string) (line string, n int, f flagSet) {
	lf := strings.IndexByte(s, '\n')
	if lf < 0 {
		return s, len(s), 0
	}
	line, n = s[:lf], lf+1
	if lf > 0 && line[lf-1] == '\r' {
		line = line[:lf-1]
	} else {
		f |= flagBareLF
	}
	return line, n, f
}

// parseRequestLine reads RFC 9112, section 3:
//
//	request-line = method SP request-target SP HTTP-version
//
// As that section allows, any run of whitespace separates, and whitespace around
// is ignored. Whitespace inside the target is kept. A line whose version is
// damaged gives no version.
func parseRequestLine(line string) (r RequestInfo, f flagSet, ok bool) {
	trimmed := strings.TrimRight(line, " \t\v\f\r")
	first, last := strings.IndexAny(trimmed, " \t"), strings.LastIndexAny(trimmed, " \t")
	if first < 1 || first > maxMethod || !isToken(trimmed[:first]) || !endsInVersion(trimmed[first+1:]) {
		return r, 0, false
	}
	r.Method, r.Target = trimmed[:first], httpmessage.TrimOWS(trimmed[first:last])
	version := trimmed[last+1:]
	switch {
	case r.Target == "": // no space before the version: it is part of the target
		r.Target = version
		return r, flagMalformedRequestLine, true
	case !isVersion(version):
		return r, flagMalformedRequestLine, true
	}
	r.Version = version[len("HTTP/"):]
	if len(r.Method)+len(r.Target)+len(version)+2 != len(line) || strings.ContainsAny(r.Target, " \t") {
		f |= flagStartLineWhitespace
	}
	return r, f, true
}

// parseStatusLine reads RFC 9112, section 4:
//
//	status-line = HTTP-version SP status-code SP [ reason-phrase ]
//
// Servers that leave out the second SP are accepted.
func parseStatusLine(line string) (r ResponseInfo, f flagSet, ok bool) {
	if len(line) < len("HTTP/1.1 200") || !isVersion(line[:8]) || line[8] != ' ' {
		return r, 0, false
	}
	code := strings.TrimLeft(line[9:], " ")
	if len(code) < 3 || !isDigit(code[0]) || !isDigit(code[1]) || !isDigit(code[2]) || code[0] == '0' {
		return r, 0, false
	}
	if len(code) > 3 && code[3] != ' ' {
		return r, 0, false
	}
	r.Version = line[len("HTTP/"):8]
	r.Status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	r.Reason = httpmessage.TrimOWS(code[3:])
	if len(code) != len(line)-9 {
		f |= flagStartLineWhitespace
	}
	return r, f, true
}

// appendFields reads the field lines of RFC 9112, section 5, up to the empty line:
//
//	field-line = field-name ":" OWS field-value OWS
//
// Names and values are substrings of s, except values that were folded over lines
// (section 5.2), which are joined with one SP each.
func appendFields(dst []dissect.Header, s string) ([]dissect.Header, flagSet) {
	var flags flagSet
	for len(s) > 0 {
		line, n, f := consumeLine(s)
		s, flags = s[n:], flags|f
		if line == "" {
			break
		}
		if isFold(line) { // only before the first field: section 2.2 has it ignored
			flags |= flagLeadingWhitespace
			continue
		}
		name, value, f := splitField(line)
		flags |= f
		if len(s) > 0 && isFold(s) {
			value, s, f = unfold(value, s)
			flags |= f
		}
		switch {
		case name == "":
		case len(dst) == maxFields:
			flags |= flagHeaderCount
		default:
			dst = append(dst, dissect.Header{Name: name, Value: value})
		}
	}
	return dst, flags
}

func isFold(s string) bool { return s[0] == ' ' || s[0] == '\t' }

// splitField reads one field line. The name is empty if there is none.
func splitField(line string) (name, value string, f flagSet) {
	colon := strings.IndexByte(line, ':')
	if colon < 0 {
		return "", "", flagMalformedHeader
	}
	name, value = line[:colon], httpmessage.TrimOWS(line[colon+1:])
	if !isToken(name) {
		if t := strings.TrimRight(name, " \t"); t != name {
			name, f = t, flagWhitespaceBeforeColon
		}
		if !isToken(name) {
			f |= flagInvalidHeaderName
		}
	}
	return name, value, f
}

// unfold joins value with the continuation lines that s starts with.
func unfold(value, s string) (joined, rest string, flags flagSet) {
	var b strings.Builder
	b.WriteString(value)
	flags = flagObsFold
	for len(s) > 0 && isFold(s) {
		line, n, f := consumeLine(s)
		s, flags = s[n:], flags|f
		b.WriteByte(' ')
		b.WriteString(httpmessage.TrimOWS(line))
	}
	return httpmessage.TrimOWS(b.String()), s, flags
}

// consumeChunkSize reads RFC 9112, section 7.1:
//
//	chunk-size [ chunk-ext ] CRLF
//
// n is 0 if the line is not complete, and negative if it is not valid.
func consumeChunkSize(b []byte) (size uint64, n int, f flagSet) {
	digits := 0
	for digits < len(b) && hexValue(b[digits]) >= 0 {
		if size >= 1<<59 {
			return 0, -1, flagInvalidChunkSize
		}
		size = size<<4 | uint64(hexValue(b[digits]))
		digits++
	}
	if digits == 0 && len(b) > 0 {
		return 0, -1, flagInvalidChunkSize
	}
	lf := bytes.IndexByte(b[:min(len(b), maxChunkLine)], '\n')
	if lf < 0 {
		if len(b) >= maxChunkLine {
			return 0, -1, flagInvalidChunkSize
		}
		return 0, 0, 0
	}
	rest := b[digits:lf]
	if k := len(rest); k > 0 && rest[k-1] == '\r' {
		rest = rest[:k-1]
	} else {
		f |= flagBareLF
	}
	extension := bytes.TrimLeft(rest, " \t")
	if len(extension) < len(rest) {
		f |= flagChunkSizeWhitespace
	}
	if len(extension) > 0 && extension[0] != ';' {
		return 0, -1, flagInvalidChunkSize
	}
	return size, lf + 1, f
}

// consumeLineEnd reads the CRLF after a chunk's data. n is as in consumeChunkSize.
func consumeLineEnd(b []byte) (n int, f flagSet) {
	switch {
	case len(b) == 0 || len(b) == 1 && b[0] == '\r':
		return 0, 0
	case b[0] == '\n':
		return 1, flagBareLF
	case b[0] == '\r' && b[1] == '\n':
		return 2, 0
	}
	return -1, flagInvalidChunkEnd
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// rareBytes flags what no start line or field line may hold (RFC 9110, section 5.5;
// RFC 9112, section 2.2).
func rareBytes(s string) (f flagSet) {
	if strings.IndexByte(s, 0) >= 0 {
		f |= flagNUL
	}
	for i := strings.IndexByte(s, '\r'); i >= 0 && i+1 < len(s); {
		if s[i+1] != '\n' {
			return f | flagBareCR
		}
		next := strings.IndexByte(s[i+1:], '\r')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return f
}
