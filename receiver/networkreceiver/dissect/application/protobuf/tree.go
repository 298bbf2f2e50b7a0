// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package protobuf shows protobuf messages as JSON: by their schema where that is known,
// else by what the wire format tells (Protocol Buffers documentation, "Encoding").
package protobuf // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/protobuf"

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	maxDepth  = 32   // of messages in messages
	maxFields = 4096 // of a message with all below it
)

// Tree shows a message of which no schema is known: a JSON object with field numbers as
// keys, repeated fields as arrays. A field of bytes is a string if it is text, else an
// object if it can be read as a message, else {"@bytes": base64}. Numbers are shown as
// what they most likely are; zigzag and signedness are not to be seen on the wire. ok is
// false where b is no message.
func Tree(b []byte) (text []byte, ok bool) {
	p := parser{left: maxFields}
	m, ok := p.message(b, 0)
	if !ok {
		return nil, false
	}
	return m.append(nil), true
}

// parser counts down what it may still read.
type parser struct{ left int }

// tree is a message: its fields in the order of their first appearance.
type tree []*field

type field struct {
	number protowire.Number
	values []value
}

// value is one of: a message, text, or a JSON literal.
type value struct {
	message tree
	text    string
	literal string
}

func (p *parser) message(b []byte, depth int) (m tree, ok bool) {
	if depth > maxDepth {
		return nil, false
	}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 || p.left == 0 {
			return nil, false
		}
		p.left--
		v, size := p.value(number, kind, b[n:], depth)
		if size < 0 {
			return nil, false
		}
		b = b[n+size:]
		m.add(number, v)
	}
	return m, true
}

// value reads one value, and gives its size, negative if there is none.
func (p *parser) value(number protowire.Number, kind protowire.Type, b []byte, depth int) (v value, size int) {
	switch kind {
	case protowire.VarintType:
		x, n := protowire.ConsumeVarint(b)
		return value{literal: varint(x)}, n
	case protowire.Fixed32Type:
		x, n := protowire.ConsumeFixed32(b)
		return value{literal: fixed(float64(math.Float32frombits(x)), 32, uint64(x))}, n
	case protowire.Fixed64Type:
		x, n := protowire.ConsumeFixed64(b)
		return value{literal: fixed(math.Float64frombits(x), 64, x)}, n
	case protowire.BytesType:
		x, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return v, n
		}
		return p.bytes(x, depth), n
	case protowire.StartGroupType:
		x, n := protowire.ConsumeGroup(number, b)
		if n < 0 {
			return v, n
		}
		m, ok := p.message(x, depth+1)
		if !ok {
			return v, -1
		}
		return value{message: m}, n
	}
	return v, -1
}

// bytes decides what a field of bytes is. Text comes first: nearly every message has
// bytes that no text has.
func (p *parser) bytes(b []byte, depth int) value {
	if isText(b) {
		return value{text: string(b)}
	}
	before := p.left
	if m, ok := p.message(b, depth+1); ok {
		return value{message: m}
	}
	p.left = before
	return value{literal: `{"@bytes":"` + base64.StdEncoding.EncodeToString(b) + `"}`}
}

func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		b = b[n:]
	}
	return true
}

// varint shows a number. What is above 2^63 is most likely a negative one.
func varint(x uint64) string {
	if x > math.MaxInt64 {
		return strconv.FormatInt(int64(x), 10)
	}
	return strconv.FormatUint(x, 10)
}

// fixed shows eight or four bytes: as a floating-point number if that has an ordinary
// size.
func fixed(f float64, bits int, x uint64) string {
	if a := math.Abs(f); a == 0 || a >= 1e-9 && a <= 1e15 {
		return strconv.FormatFloat(f, 'g', -1, bits)
	}
	return strconv.FormatUint(x, 10)
}

func (m *tree) add(number protowire.Number, v value) {
	for _, f := range *m {
		if f.number == number {
			f.values = append(f.values, v)
			return
		}
	}
	*m = append(*m, &field{number: number, values: []value{v}})
}

func (m tree) append(out []byte) []byte {
	out = append(out, '{')
	for i, f := range m {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = strconv.AppendInt(out, int64(f.number), 10)
		out = append(out, '"', ':')
		out = f.append(out)
	}
	return append(out, '}')
}

func (f *field) append(out []byte) []byte {
	if len(f.values) == 1 {
		return f.values[0].append(out)
	}
	out = append(out, '[')
	for i := range f.values {
		if i > 0 {
			out = append(out, ',')
		}
		out = f.values[i].append(out)
	}
	return append(out, ']')
}

func (v *value) append(out []byte) []byte {
	switch {
	case v.literal != "":
		return append(out, v.literal...)
	case v.message != nil:
		return v.message.append(out)
	}
	quoted, err := json.Marshal(v.text)
	if err != nil { // not possible: it is UTF-8
		return append(out, `""`...)
	}
	return append(out, quoted...)
}
