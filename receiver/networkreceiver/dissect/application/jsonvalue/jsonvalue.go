// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonvalue reads members of JSON texts (RFC 8259) without building a tree. The
// text is what a dissector has kept of a body: its end may be missing, and nothing says
// that it is JSON at all. What cannot be read is left out.
package jsonvalue // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"unicode/utf8"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Value is the text of one value, borrowed. The zero value is none.
type Value []byte

// Of is the value that a text begins with.
func Of(text []byte) Value {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = skipSpace(text)
	return Value(text[:end(text)])
}

// IsObject reports whether a value is an object.
func (v Value) IsObject() bool { return len(v) > 0 && v[0] == '{' }

// IsArray reports whether a value is an array.
func (v Value) IsArray() bool { return len(v) > 0 && v[0] == '[' }

// IsString reports whether a value is a string.
func (v Value) IsString() bool { return len(v) > 0 && v[0] == '"' }

// IsNull reports whether a value is not there, or null.
func (v Value) IsNull() bool { return len(v) == 0 || v[0] == 'n' }

// Whole reports whether the end of an object, array or string is there.
func (v Value) Whole() bool {
	switch {
	case len(v) < 2:
		return false
	case v[0] == '{':
		return v[len(v)-1] == '}'
	case v[0] == '[':
		return v[len(v)-1] == ']'
	}
	return v[0] == '"' && closes(v, len(v)-1)
}

// closes reports whether the quotation mark at index i ends a string: an even number
// of backslashes stands before it.
func closes(b []byte, i int) bool {
	k := i
	for k > 1 && b[k-1] == '\\' {
		k--
	}
	return b[i] == '"' && (i-k)%2 == 0
}

// Members gives the members of an object in their order, and nothing for other values.
func (v Value) Members() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if !v.IsObject() {
			return
		}
		for b := skipSpace(v[1:]); len(b) > 0 && b[0] == '"'; {
			n := end(b)
			name := Value(b[:n])
			b = skipSpace(b[n:])
			if len(b) == 0 || b[0] != ':' {
				return
			}
			b = skipSpace(b[1:])
			n = end(b)
			if n == 0 || !yield(name.name(), Value(b[:n])) {
				return
			}
			b = skipComma(b[n:])
		}
	}
}

// Elements gives the elements of an array, and nothing for other values.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if !v.IsArray() {
			return
		}
		for b := skipSpace(v[1:]); len(b) > 0; {
			n := end(b)
			if n == 0 || !yield(Value(b[:n])) {
				return
			}
			b = skipComma(b[n:])
		}
	}
}

// Get is the first member with a name, or none. With more names it goes on in there.
func (v Value) Get(names ...string) Value {
	for _, want := range names {
		found := Value(nil)
		for name, member := range v.Members() {
			if string(name) == want {
				found = member
				break
			}
		}
		v = found
	}
	return v
}

// First is the first element of an array, or none.
func (v Value) First() Value {
	for e := range v.Elements() {
		return e
	}
	return nil
}

// name is the name of a member.
func (v Value) name() []byte {
	if raw := v.inside(); bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	return []byte(v.Text())
}

// inside is a string without its quotation marks.
func (v Value) inside() []byte {
	if n := len(v) - 1; n > 0 && v[n] == '"' && v.Whole() {
		return v[1:n]
	}
	return v[1:]
}

// Text is what a string says, as far as it is there, and empty for other values.
func (v Value) Text() string {
	if !v.IsString() {
		return ""
	}
	raw := v.inside()
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	return unescape(raw)
}

// Int is an integer. ok is false for other values.
func (v Value) Int() (n int64, ok bool) {
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// Float is a number. ok is false for other values.
func (v Value) Float() (f float64, ok bool) {
	if len(v) == 0 || v[0] != '-' && (v[0] < '0' || v[0] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v), 64)
	return f, err == nil
}

// Bool is true or false. ok is false for other values.
func (v Value) Bool() (b, ok bool) {
	return string(v) == "true", string(v) == "true" || string(v) == "false"
}

// end is the length of the value that b begins with: what there is of it.
func end(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"':
		return stringEnd(b)
	case '{', '[':
		return nestedEnd(b)
	}
	for i, c := range b {
		switch c {
		case ',', ']', '}', ':', ' ', '\t', '\n', '\r', '"', '{', '[':
			return i
		}
	}
	return len(b)
}

// nestedEnd is end for objects and arrays.
func nestedEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			i += stringEnd(b[i:])
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(b)
}

// stringEnd is end for strings.
func stringEnd(b []byte) int {
	for i := 1; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		if i += n; closes(b, i) {
			return i + 1
		}
	}
}

func skipSpace(b []byte) []byte {
	for i, c := range b {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return b[i:]
		}
	}
	return nil
}

// skipComma goes on to the next member. Nothing is left where there is none.
func skipComma(b []byte) []byte {
	if b = skipSpace(b); len(b) > 0 && b[0] == ',' {
		return skipSpace(b[1:])
	}
	return nil
}

// readable is raw as UTF-8, without a character that was cut at its end.
func readable(raw []byte) []byte {
	if utf8.Valid(raw) {
		return raw
	}
	for n := 1; n < utf8.UTFMax && n <= len(raw); n++ {
		if whole := raw[:len(raw)-n]; !utf8.FullRune(raw[len(whole):]) && utf8.Valid(whole) {
			return whole
		}
	}
	return []byte(dissect.Text(string(raw)))
}

// unescape undoes the escapes of a string's inside. What is damaged at its end, where it
// was cut, is left out.
func unescape(raw []byte) string {
	raw = readable(raw)
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	for cut := 0; cut <= 12 && len(quoted) > 2; cut++ { // two escapes of a surrogate pair
		var s string
		if json.Unmarshal(quoted, &s) == nil {
			return s
		}
		quoted = append(quoted[:len(quoted)-2], '"')
	}
	if utf8.Valid(raw) {
		return string(raw)
	}
	return ""
}
