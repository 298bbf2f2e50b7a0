// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

// attributes is what the records of one end of a call have in common: worked out
// once, and then put into each of them. It takes a dissector's attributes and
// redacts them by key. The list is used again by the next call.
type attributes struct {
	list     []attribute
	redactor *redact.Redactor
}

// attribute is one key with a value of one kind.
type attribute struct {
	key  string
	kind pcommon.ValueType
	str  string
	num  int64 // also of a bool
	strs []string
}

var _ dissect.Attributes = (*attributes)(nil)

// reset empties the list and holds on to nothing.
func (a *attributes) reset() {
	clear(a.list)
	a.list = a.list[:0]
}

// Str implements dissect.Attributes.
func (a *attributes) Str(key, value string) { a.str(key, a.redact(key, value)) }

// Strs implements dissect.Attributes.
func (a *attributes) Strs(key string, values []string) {
	redacted := make([]string, len(values))
	for i, v := range values {
		redacted[i] = valid(a.redact(key, v))
	}
	a.list = append(a.list, attribute{key: key, kind: pcommon.ValueTypeSlice, strs: redacted})
}

// Int implements dissect.Attributes.
func (a *attributes) Int(key string, value int64) {
	a.list = append(a.list, attribute{key: key, kind: pcommon.ValueTypeInt, num: value})
}

// Bool implements dissect.Attributes.
func (a *attributes) Bool(key string, value bool) {
	v := attribute{key: key, kind: pcommon.ValueTypeBool}
	if value {
		v.num = 1
	}
	a.list = append(a.list, v)
}

// str adds a string that needs no redaction.
func (a *attributes) str(key, value string) {
	a.list = append(a.list, attribute{key: key, kind: pcommon.ValueTypeStr, str: valid(value)})
}

func (a *attributes) strIfAny(key, value string) {
	if value != "" {
		a.str(key, value)
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

// put puts all into a record's map. Of two with the same key the later one counts.
func (a *attributes) put(m pcommon.Map) {
	for i := range a.list {
		v := &a.list[i]
		switch v.kind {
		case pcommon.ValueTypeStr:
			m.PutStr(v.key, v.str)
		case pcommon.ValueTypeInt:
			m.PutInt(v.key, v.num)
		case pcommon.ValueTypeBool:
			m.PutBool(v.key, v.num != 0)
		default:
			putStrs(m.PutEmptySlice(v.key), v.strs)
		}
	}
}

func putStrs(list pcommon.Slice, values []string) {
	list.EnsureCapacity(len(values))
	for _, v := range values {
		list.AppendEmpty().SetStr(v)
	}
}

// size is about what the list takes in a record as OTLP.
func (a *attributes) size() (n int) {
	for i := range a.list {
		v := &a.list[i]
		n += attributeSize + len(v.key) + len(v.str)
		for _, s := range v.strs {
			n += len(s) + 8
		}
	}
	return n
}

func (a *attributes) redact(key, value string) string {
	switch key {
	case keyURLFull:
		return a.redactor.URL(value)
	case keyURLQuery:
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
