// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import "go.opentelemetry.io/collector/pdata/pcommon"

const (
	maxShapes    = 64
	maxShapeKeys = 320
	maxShapeKey  = 128 // bytes of a key
)

// shapes remembers the keys of usual maps. Most records have the same keys in the
// same order, and pdata searches a map for each key that is put into it: to copy
// a map that has the keys already, and then to set its values one after another,
// needs no search. It holds a bounded number of shapes.
type shapes [maxShapes]shape

// shape is the keys of one map, each once, with empty values.
type shape struct {
	hash    uint64
	learned bool
	keys    pcommon.Map
}

// put puts attributes into an empty map.
func (s *shapes) put(m pcommon.Map, list []attribute) {
	if len(list) == 0 {
		return
	}
	hash := hashKeys(list)
	known := &s[hash%maxShapes]
	if known.hash == hash && known.learned && known.fill(m, list) {
		return
	}
	putEach(m, list)
	switch {
	case known.hash != hash:
		*known = shape{hash: hash} // to be learned if it comes again
	case !known.learned && m.Len() == len(list):
		known.learn(list)
	}
}

// fill reports whether the shape is that of list. If not, m stays empty.
func (s *shape) fill(m pcommon.Map, list []attribute) bool {
	if s.keys.Len() != len(list) {
		return false
	}
	s.keys.CopyTo(m)
	i := 0
	for key, value := range m.All() {
		if key != list[i].key {
			m.Clear()
			return false
		}
		list[i].set(value)
		i++
	}
	return true
}

// learn takes the keys of list, which are all different.
func (s *shape) learn(list []attribute) {
	if len(list) > maxShapeKeys {
		return
	}
	keys := pcommon.NewMap()
	keys.EnsureCapacity(len(list))
	for i := range list {
		if len(list[i].key) > maxShapeKey {
			return
		}
		keys.PutEmpty(list[i].key)
	}
	s.keys, s.learned = keys, true
}

// hashKeys is the same for lists with the same keys, and nearly always another
// for others.
func hashKeys(list []attribute) uint64 {
	const prime = 1099511628211 // FNV-1
	h := uint64(len(list))
	for i := range list {
		key := list[i].key
		h = h*prime + uint64(len(key))
		if key != "" {
			h = h*prime + uint64(key[len(key)-1]) + uint64(key[len(key)/2])<<8
		}
	}
	return h ^ h>>32
}

// putEach puts attributes into a map one by one. Of two with the same key the later
// one counts; fields of the same name become one list.
func putEach(m pcommon.Map, list []attribute) {
	m.EnsureCapacity(len(list))
	for i := range list {
		v := &list[i]
		value, there := m.GetOrPutEmpty(v.key)
		switch {
		case !there || v.kind != ofField:
			v.set(value)
		case value.Type() == pcommon.ValueTypeSlice:
			value.Slice().AppendEmpty().SetStr(v.str)
		} // else the dissector has described the field itself
	}
}
