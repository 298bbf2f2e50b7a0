// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"reflect"
	"sync"
	"unsafe"

	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A map of pdata is a list of keys and values, and each value is a small object of its
// own: pdata's interface allocates it alone. Here the values of one map are allocated
// together, by kind: a slab is exactly as large as its map needs, so that who keeps a
// record keeps nothing of others.
//
// pdata's types are not exported. Those below are laid out like them, which is checked
// before the first use. Where anything differs, or where pdata puts values that it needs
// no more into pools of its own, its interface is used instead. `make test-processors` runs
// what comes after the receiver on such records.

// slabKeyValue, slabArray and slabMap are laid out like pdata's KeyValue, ArrayValue and
// pcommon.Map.
type (
	slabKeyValue struct {
		value any // of one of the kinds in slabKinds
		key   string
		_     int32
	}
	slabArray struct{ values []any }
	slabMap   struct {
		list  *[]slabKeyValue
		state unsafe.Pointer
	}
)

// slabValue is laid out like pcommon.Value.
type slabValue struct {
	value *any
	state unsafe.Pointer
}

// slabList is an array of one string, with all that belongs to it.
type slabList struct {
	pointer *slabArray // laid out like pdata's wrapper of an array
	array   slabArray
	first   [1]any
	text    string
}

// slabNode is a map that is a value, with the list that belongs to it.
type slabNode struct {
	pointer *slabEntries // laid out like pdata's wrapper of a map
	entries slabEntries
}

// slabEntries is laid out like pdata's KeyValueList.
type slabEntries struct{ list []slabKeyValue }

// slabWord is an interface's two words.
type slabWord struct{ kind, data unsafe.Pointer }

// slabKinds are the types of pdata's values.
type slabKinds struct {
	str, num, float, array, node unsafe.Pointer
	yes, no                      any // values of bools, which pdata never changes in place
}

// slabs returns pdata's types if maps can be built of slabs, or nil.
func slabs() *slabKinds {
	pooling := false
	featuregate.GlobalRegistry().VisitAll(func(g *featuregate.Gate) {
		pooling = pooling || g.ID() == "pdata.useProtoPooling" && g.IsEnabled()
	})
	if pooling {
		return nil
	}
	return checkedSlabs()
}

var checkedSlabs = sync.OnceValue(func() *slabKinds {
	array := pcommon.NewValueSlice()
	array.Slice().AppendEmpty().SetStr("")
	samples := [...]struct {
		value  pcommon.Value
		layout reflect.Type
	}{
		{pcommon.NewValueStr(""), reflect.TypeFor[struct{ v string }]()},
		{pcommon.NewValueInt(0), reflect.TypeFor[struct{ v int64 }]()},
		{pcommon.NewValueDouble(0), reflect.TypeFor[struct{ v float64 }]()},
		{pcommon.NewValueBool(true), reflect.TypeFor[struct{ v bool }]()},
		{array, reflect.TypeFor[struct{ v *slabArray }]()},
		{pcommon.NewValueMap(), reflect.TypeFor[struct{ v *slabEntries }]()},
	}
	if !sameLayout(reflect.TypeFor[slabMap](), reflect.TypeFor[pcommon.Map]()) ||
		!sameLayout(reflect.TypeFor[slabValue](), reflect.TypeFor[pcommon.Value]()) {
		return nil
	}
	var words [len(samples)]any
	for i := range samples {
		words[i] = *(*slabValue)(unsafe.Pointer(&samples[i].value)).value
		if t := reflect.TypeOf(words[i]); t == nil || t.Kind() != reflect.Pointer || !sameLayout(samples[i].layout, t.Elem()) {
			return nil
		}
	}
	kind := func(i int) unsafe.Pointer { return (*slabWord)(unsafe.Pointer(&words[i])).kind }
	k := &slabKinds{
		str: kind(0), num: kind(1), float: kind(2), array: kind(4), node: kind(5), yes: words[3],
		no: boolOf(pcommon.NewValueBool(false)),
	}
	if !k.works() {
		return nil
	}
	return k
})

func boolOf(v pcommon.Value) any { return *(*slabValue)(unsafe.Pointer(&v)).value }

// sameLayout reports whether two types have the same memory, pointers in the same places.
// A struct of one field is laid out like that field.
func sameLayout(a, b reflect.Type) bool {
	a, b = sole(a), sole(b)
	if a.Kind() == reflect.UnsafePointer || b.Kind() == reflect.UnsafePointer {
		return isPointer(a) && isPointer(b)
	}
	if a.Kind() != b.Kind() || a.Size() != b.Size() || a.Align() != b.Align() {
		return false
	}
	switch a.Kind() {
	case reflect.Struct:
		if a.NumField() != b.NumField() {
			return false
		}
		for i := range a.NumField() {
			if a.Field(i).Offset != b.Field(i).Offset || !sameLayout(a.Field(i).Type, b.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Pointer, reflect.Slice:
		return sameLayout(a.Elem(), b.Elem())
	case reflect.Interface:
		return a.NumMethod() == 0 && b.NumMethod() == 0
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Float64:
		return true
	}
	return false
}

func sole(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Struct && t.NumField() == 1 {
		t = t.Field(0).Type
	}
	return t
}

func isPointer(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.UnsafePointer
}

// works builds a map with a value of each kind both ways, and compares.
func (k *slabKinds) works() bool {
	list := []attribute{
		{key: "str", kind: ofStr, str: "text"},
		{key: "int", kind: ofInt, num: -1},
		{key: "float", kind: ofFloat, num: 0x3ff8000000000000},
		{key: "yes", kind: ofBool, num: 1},
		{key: "no", kind: ofBool},
		{key: "field", kind: ofField, str: "value"},
		{key: "strs", kind: ofStrs, strs: []string{"a", "b"}},
	}
	got, want := pcommon.NewMap(), pcommon.NewMap()
	k.put(got, list)
	putEach(want, list)
	headers := k.body(got.PutEmpty("body"), [2]slabPart{{key: "a", there: true, headers: true, text: "text"}, {key: "b", there: true}})
	k.put(headers[0], list)
	body := want.PutEmptyMap("body")
	a := body.PutEmptyMap("a")
	putEach(a.PutEmptyMap(bodyHeaders), list)
	a.PutStr(bodyBody, "text")
	body.PutEmptyMap("b")
	return got.Equal(want) && reflect.DeepEqual(got.AsRaw(), want.AsRaw())
}

// put fills an empty map with attributes whose keys are all different.
func (k *slabKinds) put(m pcommon.Map, list []attribute) {
	var strs, nums, lists int
	for i := range list {
		switch list[i].kind {
		case ofStr:
			strs++
		case ofInt, ofFloat:
			nums++
		case ofField:
			lists++
		case ofStrs, ofBool:
		}
	}
	texts, numbers, cells := make([]string, strs), make([]int64, nums), make([]slabList, lists)
	entries := make([]slabKeyValue, len(list))
	to := (*slabMap)(unsafe.Pointer(&m))
	for i := range list {
		v, entry := &list[i], &entries[i]
		entry.key = v.key
		word := (*slabWord)(unsafe.Pointer(&entry.value))
		switch v.kind {
		case ofStr:
			texts[0] = v.str
			*word = slabWord{k.str, unsafe.Pointer(&texts[0])}
			texts = texts[1:]
		case ofInt, ofFloat:
			numbers[0] = v.num
			*word = slabWord{k.num, unsafe.Pointer(&numbers[0])}
			if v.kind == ofFloat {
				word.kind = k.float
			}
			numbers = numbers[1:]
		case ofField:
			*word = slabWord{k.array, unsafe.Pointer(cells[0].set(k, v.str))}
			cells = cells[1:]
		case ofBool:
			if entry.value = k.no; v.num != 0 {
				entry.value = k.yes
			}
		case ofStrs:
			value := slabValue{&entry.value, to.state}
			v.set(*(*pcommon.Value)(unsafe.Pointer(&value)))
		}
	}
	*to.list = entries
}

// set makes the list one of a text. Who appends to it gets memory of its own.
func (l *slabList) set(k *slabKinds, text string) *slabList {
	l.text = text
	*(*slabWord)(unsafe.Pointer(&l.first[0])) = slabWord{k.str, unsafe.Pointer(&l.text)}
	l.array.values = l.first[:]
	l.pointer = &l.array
	return l
}

// slabBody is a log record's body: the maps of both messages, and all that is in them but
// their header fields.
type slabBody struct {
	root              slabNode
	messages, headers [2]slabNode
	list              [2]slabKeyValue    // of root
	lists             [2][2]slabKeyValue // of messages
	texts             [2]string
}

// slabPart is what a log record's body has of a message.
type slabPart struct {
	key            string
	there, headers bool
	text           string // may be empty
}

// body makes an empty value a log record's body, and returns the empty maps of its header
// fields.
func (k *slabKinds) body(to pcommon.Value, parts [2]slabPart) (headers [2]pcommon.Map) {
	b, value, n := &slabBody{}, (*slabValue)(unsafe.Pointer(&to)), 0
	for i := range parts {
		part := &parts[i]
		if !part.there {
			continue
		}
		list := b.lists[i][:0]
		if part.headers {
			list = append(list, slabKeyValue{key: bodyHeaders})
			k.setMap(&list[0].value, &b.headers[i])
			m := slabMap{&b.headers[i].entries.list, value.state}
			headers[i] = *(*pcommon.Map)(unsafe.Pointer(&m))
		}
		if part.text != "" {
			b.texts[i] = part.text
			list = append(list, slabKeyValue{key: bodyBody})
			*(*slabWord)(unsafe.Pointer(&list[len(list)-1].value)) = slabWord{k.str, unsafe.Pointer(&b.texts[i])}
		}
		b.messages[i].entries.list = list[:len(list):len(list)]
		b.list[n].key = part.key
		k.setMap(&b.list[n].value, &b.messages[i])
		n++
	}
	b.root.entries.list = b.list[:n:n]
	k.setMap(value.value, &b.root)
	return headers
}

// setMap makes a value a map.
func (k *slabKinds) setMap(value *any, node *slabNode) {
	node.pointer = &node.entries
	*(*slabWord)(unsafe.Pointer(value)) = slabWord{k.node, unsafe.Pointer(node)}
}
