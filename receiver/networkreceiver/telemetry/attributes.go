// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

// attributes is a list on its way to records: what those of one end of a call have
// in common is worked out once, and each adds its own. It takes a dissector's
// attributes and redacts them by key. The list is used again by the next call.
type attributes struct {
	list     []attribute
	bytes    int // about what the list takes in a record as OTLP
	redactor *redact.Redactor
	payload  bool // attributes that are a part of a payload are taken
}

// attribute is one key with a value of one kind.
type attribute struct {
	key  string
	kind kind
	str  string
	num  int64 // also of a bool, and the bits of a float
	strs []string
}

// kind is the type of an attribute's value.
type kind uint8

const (
	ofStr kind = iota
	ofStrs
	ofField // a list of the values of all fields of a name, here of one
	ofInt
	ofFloat
	ofBool
)

var _ dissect.Attributes = (*attributes)(nil)

// reset empties the list and holds on to nothing.
func (a *attributes) reset() { a.truncate(0, 0) }

// truncate makes the list what it was when it had n attributes of so many bytes.
func (a *attributes) truncate(n, bytes int) {
	clear(a.list[n:])
	a.list, a.bytes = a.list[:n], bytes
}

// Str implements dissect.Attributes.
func (a *attributes) Str(key, value string) { a.str(key, a.redact(key, value)) }

// Payload implements dissect.Attributes.
func (a *attributes) Payload(key, mediaType, value string) {
	if a.payload {
		a.str(key, string(a.redactor.Body(mediaType, []byte(value))))
	}
}

// Strs implements dissect.Attributes.
func (a *attributes) Strs(key string, values []string) {
	redacted := make([]string, len(values))
	for i, v := range values {
		redacted[i] = valid(a.redact(key, v))
	}
	a.add(attribute{key: key, kind: ofStrs, strs: redacted})
}

// Int implements dissect.Attributes.
func (a *attributes) Int(key string, value int64) {
	a.add(attribute{key: key, kind: ofInt, num: value})
}

// Float implements dissect.Attributes.
func (a *attributes) Float(key string, value float64) {
	a.add(attribute{key: key, kind: ofFloat, num: int64(math.Float64bits(value))})
}

// Bool implements dissect.Attributes.
func (a *attributes) Bool(key string, value bool) {
	v := attribute{key: key, kind: ofBool}
	if value {
		v.num = 1
	}
	a.add(v)
}

// str adds a string that needs no redaction.
func (a *attributes) str(key, value string) {
	switch key {
	case semconv.URLFull, semconv.URLPath, semconv.URLQuery:
		value = validURL(value)
	default:
		value = valid(value)
	}
	a.add(attribute{key: key, kind: ofStr, str: value})
}

func (a *attributes) strIfAny(key, value string) {
	if value != "" {
		a.str(key, value)
	}
}

// addText adds a body that is not empty.
func (a *attributes) addText(key, text string) {
	if text != "" {
		a.add(attribute{key: key, kind: ofStr, str: text})
	}
}

func (a *attributes) add(v attribute) {
	a.bytes += attributeSize + len(v.key) + len(v.str)
	for _, s := range v.strs {
		a.bytes += len(s) + 8
	}
	if v.kind == ofField {
		a.bytes += 8
	}
	a.list = append(a.list, v)
}

// dropSame removes the text key where another key has the same text.
func (a *attributes) dropSame(key, other string) {
	isKey := func(v attribute) bool { return v.key == key }
	i := slices.IndexFunc(a.list, isKey)
	if i < 0 {
		return
	}
	text := a.list[i].str
	if slices.ContainsFunc(a.list, func(v attribute) bool { return v.key == other && v.str == text }) {
		a.bytes -= attributeSize + len(key) + len(text)
		a.list = slices.Delete(a.list, i, i+1)
	}
}

func (a *attributes) has(key string) bool {
	for i := range a.list {
		if a.list[i].key == key {
			return true
		}
	}
	return false
}

// set puts the attribute's value in its place.
func (v *attribute) set(to pcommon.Value) {
	switch v.kind {
	case ofStr:
		to.SetStr(v.str)
	case ofInt:
		to.SetInt(v.num)
	case ofFloat:
		to.SetDouble(math.Float64frombits(uint64(v.num)))
	case ofBool:
		to.SetBool(v.num != 0)
	case ofField:
		list := to.SetEmptySlice()
		list.EnsureCapacity(1)
		list.AppendEmpty().SetStr(v.str)
	case ofStrs:
		list := to.SetEmptySlice()
		list.EnsureCapacity(len(v.strs))
		for _, s := range v.strs {
			list.AppendEmpty().SetStr(s)
		}
	}
}

func (a *attributes) redact(key, value string) string {
	switch key {
	case semconv.URLFull:
		return a.redactor.URL(value)
	case semconv.URLQuery:
		return a.redactor.Query(value)
	}
	if name := fieldIn(key); name != "" {
		return a.redactor.Header(name, value)
	}
	return value
}

// fieldIn is the name of the field that a key like rpc.request.metadata.<name>
// stands for, or empty.
func fieldIn(key string) string {
	for i := strings.IndexByte(key, '.'); i > 0; {
		rest := key[i+1:]
		for _, place := range [...]string{"header.", "trailer.", "metadata."} {
			if name, ok := strings.CutPrefix(rest, place); ok {
				return name
			}
		}
		next := strings.IndexByte(rest, '.')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return ""
}
