// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"reflect"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/wirespan/wirespan/internal/semconv"
)

// TestSlabsAreUsed fails where a new pdata is laid out in another way: then slab.go has
// to follow it.
func TestSlabsAreUsed(t *testing.T) { require.NotNil(t, slabs()) }

// TestNoSlabsWithPools: pdata puts the values that a map needs no more into pools.
func TestNoSlabsWithPools(t *testing.T) {
	const gate = "pdata.useProtoPooling"
	require.NoError(t, featuregate.GlobalRegistry().Set(gate, true))
	defer func() { require.NoError(t, featuregate.GlobalRegistry().Set(gate, false)) }()
	assert.Nil(t, slabs())
	c := build(t, get())
	assert.Equal(t, "shop.example", c.attrs[semconv.ServerAddress])
}

// slabMapOf is a map of slabs with values of all kinds.
func slabMapOf(t *testing.T, text string) (m pcommon.Map, want map[string]any) {
	t.Helper()
	k := slabs()
	require.NotNil(t, k)
	m = pcommon.NewMap()
	k.put(m, []attribute{
		{key: "a", kind: ofStr, str: text},
		{key: "b", kind: ofStr, str: "b"},
		{key: "n", kind: ofInt, num: 7},
		{key: "f", kind: ofFloat, num: 0x3ff8000000000000},
		{key: "yes", kind: ofBool, num: 1},
		{key: "no", kind: ofBool},
		{key: "h1", kind: ofField, str: text},
		{key: "h2", kind: ofField, str: "h2"},
		{key: "list", kind: ofStrs, strs: []string{"x", "y"}},
	})
	return m, map[string]any{
		"a": text, "b": "b", "n": int64(7), "f": 1.5, "yes": true, "no": false,
		"h1": []any{text}, "h2": []any{"h2"}, "list": []any{"x", "y"},
	}
}

// TestSlabsBelongToOneMap changes each value of a map in all ways, and wants all others
// to stay as they are.
func TestSlabsBelongToOneMap(t *testing.T) {
	other, unchanged := slabMapOf(t, "other")
	for key := range unchanged {
		for name, change := range map[string]func(pcommon.Map, pcommon.Value) any{
			"string": func(_ pcommon.Map, v pcommon.Value) any { v.SetStr("changed"); return "changed" },
			"int":    func(_ pcommon.Map, v pcommon.Value) any { v.SetInt(9); return int64(9) },
			"bool":   func(_ pcommon.Map, v pcommon.Value) any { v.SetBool(true); return true },
			"list": func(_ pcommon.Map, v pcommon.Value) any {
				if v.Type() != pcommon.ValueTypeSlice {
					v.SetEmptySlice()
				}
				v.Slice().AppendEmpty().SetStr("more")
				return v.Slice().AsRaw()
			},
			"first": func(_ pcommon.Map, v pcommon.Value) any {
				if v.Type() != pcommon.ValueTypeSlice {
					v.SetEmptySlice().AppendEmpty()
				}
				v.Slice().At(0).SetStr("first")
				return v.Slice().AsRaw()
			},
			"append": func(m pcommon.Map, v pcommon.Value) any {
				for _, k := range []string{"new1", "new2", "new3"} {
					m.PutStr(k, "new")
					m.Remove(k)
				}
				return v.AsRaw()
			},
			"move": func(_ pcommon.Map, v pcommon.Value) any {
				to := pcommon.NewValueEmpty()
				raw := v.AsRaw()
				v.MoveTo(to)
				assert.Equal(t, raw, to.AsRaw())
				to.CopyTo(v)
				return raw
			},
		} {
			t.Run(key+" "+name, func(t *testing.T) {
				m, want := slabMapOf(t, "text")
				v, ok := m.Get(key)
				require.True(t, ok)
				want[key] = change(m, v)
				assert.Equal(t, want, m.AsRaw())
				assert.Equal(t, unchanged, other.AsRaw())
			})
		}
	}
}

// TestSlabsAsOTLP encodes and decodes a map of slabs, and copies and moves it.
func TestSlabsAsOTLP(t *testing.T) {
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	m, want := slabMapOf(t, "text")
	m.CopyTo(record.Attributes())
	assert.Equal(t, want, record.Attributes().AsRaw())
	m.MoveTo(record.Attributes())
	assert.Zero(t, m.Len())
	encoded, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	decoded, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(encoded)
	require.NoError(t, err)
	assert.Equal(t, want, decoded.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw())
}

// TestSlabsAreKept has values that outlive what they were made from, whatever is
// collected.
func TestSlabsAreKept(t *testing.T) {
	var values []pcommon.Value
	for i := range 1000 {
		m, _ := slabMapOf(t, string([]byte{byte('a' + i%26), 'x'}))
		v, _ := m.Get("h1")
		values = append(values, v)
	}
	runtime.GC()
	garbage := make([][]byte, 1000)
	for i := range garbage {
		garbage[i] = make([]byte, 64)
	}
	runtime.GC()
	for i, v := range values {
		require.Equal(t, string([]byte{byte('a' + i%26), 'x'}), v.Slice().At(0).Str())
	}
}

// TestSameLayout tells types of other memory apart.
func TestSameLayout(t *testing.T) {
	pair := reflect.TypeFor[struct {
		a string
		b int64
	}]()
	assert.True(t, sameLayout(pair, reflect.TypeFor[struct {
		x string
		y struct{ z int64 }
	}]()))
	for _, other := range []reflect.Type{
		reflect.TypeFor[struct {
			b int64
			a string
		}](),
		reflect.TypeFor[struct {
			a []byte
			b int64
		}](),
		reflect.TypeFor[struct {
			a string
			b float64
		}](),
		reflect.TypeFor[struct {
			a string
			b int32
		}](),
		reflect.TypeFor[struct{ a string }](),
		reflect.TypeFor[unsafe.Pointer](),
		reflect.TypeFor[error](),
	} {
		assert.False(t, sameLayout(pair, other), "%v", other)
	}
	assert.False(t, sameLayout(reflect.TypeFor[any](), reflect.TypeFor[error]()))
}

func BenchmarkSlab(b *testing.B) {
	list := make([]attribute, 0, 40)
	for i := range cap(list) {
		list = append(list, attribute{key: string(rune('a' + i)), kind: ofStr, str: "value"})
	}
	for name, s := range map[string]*shapes{"slab": {kinds: slabs()}, "pdata": {}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.put(pcommon.NewMap(), list)
			}
		})
	}
}

// TestSlabBody changes a log record's body in all its maps, as processors may.
func TestSlabBody(t *testing.T) {
	k := slabs()
	require.NotNil(t, k)
	v := pcommon.NewValueEmpty()
	headers := k.body(v, [2]slabPart{{bodyRequest, true, true, "hello"}, {bodyResponse, true, false, ""}})
	k.put(headers[0], []attribute{{key: "host", kind: ofField, str: "h"}})
	want := map[string]any{
		bodyRequest:  map[string]any{bodyHeaders: map[string]any{"host": []any{"h"}}, bodyBody: "hello"},
		bodyResponse: map[string]any{},
	}
	require.Equal(t, want, v.Map().AsRaw())

	request, _ := v.Map().Get(bodyRequest)
	response, _ := v.Map().Get(bodyResponse)
	response.Map().PutStr("more", "1")
	request.Map().PutStr("more", "2")
	fields, _ := request.Map().Get(bodyHeaders)
	fields.Map().PutInt("more", 3)
	v.Map().PutBool("more", true)
	assert.Equal(t, map[string]any{
		bodyRequest:  map[string]any{bodyHeaders: map[string]any{"host": []any{"h"}, "more": int64(3)}, bodyBody: "hello", "more": "2"},
		bodyResponse: map[string]any{"more": "1"}, "more": true,
	}, v.Map().AsRaw())
	v.Map().Remove(bodyRequest)
	assert.Equal(t, map[string]any{bodyResponse: map[string]any{"more": "1"}, "more": true}, v.Map().AsRaw())

	empty := pcommon.NewValueEmpty()
	k.body(empty, [2]slabPart{})
	assert.Equal(t, map[string]any{}, empty.Map().AsRaw())
}
