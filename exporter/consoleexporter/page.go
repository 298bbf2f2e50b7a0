// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"unicode"
	"unicode/utf8"
)

// style is an SGR sequence of ECMA-48.
type style string

const (
	plain  style = ""
	bold   style = "\x1b[1m"
	dim    style = "\x1b[2m"
	red    style = "\x1b[31m"
	green  style = "\x1b[32m"
	yellow style = "\x1b[33m"
	reset  style = "\x1b[0m"
)

// page is what will be written to the terminal. Its only way in for anything
// that was captured is text.
type page struct {
	b     []byte
	color bool
}

// own appends text of this package.
func (p *page) own(s string) { p.b = append(p.b, s...) }

// text appends captured text. What is not graphic (control characters of C0 and
// C1, bidirectional and other format characters, line separators) and what is
// not UTF-8 is escaped, so that a payload can neither command the terminal nor
// forge a line. A tab, and what joins emoji and letters, is harmless.
func (p *page) text(s string) {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			p.b = appendHex(p.b, `\x`, uint64(s[0]), 2)
		case harmless(r):
			p.b = append(p.b, s[:n]...)
		default:
			p.b = appendEscaped(p.b, r)
		}
		s = s[n:]
	}
}

func harmless(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	return unicode.IsGraphic(r) || r == '\t' || r == zeroWidthNonJoiner || r == zeroWidthJoiner
}

func appendEscaped(b []byte, r rune) []byte {
	switch {
	case r == '\n':
		return append(b, `\n`...)
	case r == '\r':
		return append(b, `\r`...)
	case r < 0x80:
		return appendHex(b, `\x`, uint64(r), 2)
	case r < 0x10000:
		return appendHex(b, `\u`, uint64(r), 4)
	}
	return appendHex(b, `\U`, uint64(r), 8)
}

func appendHex(b []byte, prefix string, v uint64, digits int) []byte {
	const hex = "0123456789abcdef"
	b = append(b, prefix...)
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, hex[v>>shift&0xf])
	}
	return b
}

// in runs f with a style, if there is color.
func (p *page) in(s style, f func()) {
	if !p.color || s == plain {
		f()
		return
	}
	p.own(string(s))
	f()
	p.own(string(reset))
}

// styled appends captured text with a style.
func (p *page) styled(s style, text string) { p.in(s, func() { p.text(text) }) }
