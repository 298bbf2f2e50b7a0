// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

// Pairs are what JSON, NDJSON, event streams, scripts, GraphQL and YAML have in
// common: a name, a colon, a value. They are looked for at each colon, with no
// memory of what was before, so that it does not matter where a text begins or
// ends. JSON inside JSON strings is found by the backslashes before its quotes:
// a string at depth k is delimited by quotes with n = 2^k-1 backslashes.

// redactPairs replaces the values of name: value pairs. bare also takes names
// and values without any quotes, as YAML has them.
func redactPairs[T text](r *Redactor, s T, bare bool) T {
	e := edit[T]{src: s}
	for i := nextColon(r.keys, s, 0, bare); i >= 0; i = nextColon(r.keys, s, i, bare) {
		colon := i
		i++
		start := skipSpace(s, i)
		if start == len(s) || !bare && !quotedBefore(s, colon) && !opensString(s, start) {
			continue
		}
		name, quoted := nameBeforeColon(s, colon)
		if len(name) == 0 || !isSecret(r.keys, name) {
			continue
		}
		from, to, with := pairValue(s, start, quoted)
		if to > from && !saysNothing(s[from:to]) {
			r.applied++
			e.replace(from, to, with)
		}
		i = max(to, i)
	}
	return e.result()
}

// nextColon is the index of the next colon at or after i that has to be looked at,
// or -1.
func nextColon[T text](n *names, s T, i int, bare bool) int {
	if b, ok := any(s).([]byte); ok && !bare {
		return nextSuspect(n, b, i)
	}
	return indexByte(s, i, ':')
}

// quotedBefore reports whether a quote closes before the colon at index colon.
func quotedBefore[T text](s T, colon int) bool {
	end := colon
	for end > 0 && colon-end < maxName && isSpace(s[end-1]) {
		end--
	}
	return end > 0 && (s[end-1] == '"' || s[end-1] == '\'')
}

// nameBeforeColon is the name that ends before the colon at index colon: what
// stands between quotes, or an identifier. Where the opening quote was cut off,
// or is too far away, it is the end of the name.
func nameBeforeColon[T text](s T, colon int) (name T, quoted bool) {
	end := colon
	for end > 0 && colon-end < maxName && isSpace(s[end-1]) {
		end--
	}
	if end == 0 {
		return name, false
	}
	if q := s[end-1]; q == '"' || q == '\'' {
		end--
		start := end
		for start > 0 && end-start < maxName && s[start-1] != q {
			start--
		}
		return s[start:end], true
	}
	start := end
	for start > 0 && end-start < maxName && isNameByte(s[start-1]) {
		start--
	}
	return s[start:end], false
}

// pairValue is the range of the value at index start, and what to put there.
func pairValue[T text](s T, start int, quoted bool) (from, to int, with string) {
	n := countBackslashes(s, start)
	open := start + n
	if open >= len(s) {
		return start, len(s), Marker
	}
	switch c := s[open]; {
	case c == '"' || c == '\'':
		return open + 1, stringEnd(s, open+1, c, n), Marker
	case c == '{' || c == '[':
		return start, nestedEnd(s, start), quoteFor(s, start)
	}
	to = indexAny(s, start, bareEnd)
	if quoted {
		return start, to, quoteFor(s, start)
	}
	return start, to, Marker
}

var bareEnd = setOf(",}]\\\r\n")

// stringEnd is the index of the quote that ends the string whose text begins at
// start, without the backslashes that belong to it, or len(s).
func stringEnd[T text](s T, start int, quote byte, n int) int {
	run := 0
	for i := start; i < len(s); i++ {
		switch s[i] {
		case '\\':
			run++
			continue
		case quote:
			if run < n || run%(2*(n+1)) == n {
				return i - min(run, n)
			}
		}
		run = 0
	}
	return len(s)
}

// nestedEnd is the index after the object or array at index start, or len(s).
func nestedEnd[T text](s T, start int) int {
	depth := 0
	for i := start; i < len(s); i++ {
		switch s[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			n := backslashesBefore(s, i, start)
			if i = stringEnd(s, i+1, '"', n); i < len(s) {
				i += countBackslashes(s, i)
			}
		}
	}
	return len(s)
}

// quoteFor is the marker as a JSON string at the depth of index i.
func quoteFor[T text](s T, i int) string {
	for i > 0 && (isSpace(s[i-1]) || s[i-1] == ':') {
		i--
	}
	if i > 1 && s[i-1] == '"' && s[i-2] == '\\' {
		return `\"` + Marker + `\"`
	}
	return `"` + Marker + `"`
}

func opensString[T text](s T, i int) bool {
	i += countBackslashes(s, i)
	return i < len(s) && (s[i] == '"' || s[i] == '\'')
}

func countBackslashes[T text](s T, i int) int {
	n := 0
	for i+n < len(s) && s[i+n] == '\\' {
		n++
	}
	return n
}

func backslashesBefore[T text](s T, i, limit int) int {
	n := 0
	for i-n > limit && s[i-n-1] == '\\' {
		n++
	}
	return n
}

func skipSpace[T text](s T, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

// saysNothing reports whether a value is no secret: null and truth values.
func saysNothing[T text](v T) bool {
	end := len(v)
	for end > 0 && isSpace(v[end-1]) {
		end--
	}
	switch string(v[:end]) {
	case "", "null", "true", "false":
		return true
	}
	return false
}
