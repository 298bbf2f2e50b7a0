// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	shapeBits    = 6
	maxShapes    = 1 << shapeBits
	maxShapeKeys = 320
	maxShapeKey  = 128 // bytes of a key
)

// shapes remembers the keys of usual maps. Most records have the same keys in the
// same order, and pdata searches a map for each key that is put into it: of keys that
// are known to be different no search is needed. It holds a bounded number of shapes.
type shapes struct {
	kinds *slabKinds // nil where maps can't be built of slabs
	known [maxShapes]shape
}

// shape is the keys of one map, each once.
type shape struct {
	hash    uint64
	learned bool
	keys    []string
}

// put puts attributes into an empty map.
func (s *shapes) put(m pcommon.Map, list []attribute) {
	if len(list) == 0 {
		return
	}
	hash := hashKeys(list)
	known := s.of(hash)
	if s.kinds != nil && known.hash == hash && known.learned && known.is(list) {
		s.kinds.put(m, list)
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

// of returns the place of a shape, its own or one that it may have: of the two that its
// hash has, one that was not learned, else the second.
func (s *shapes) of(hash uint64) *shape {
	first := hash * 0x9e3779b97f4a7c15 >> (64 - shapeBits)
	a, b := &s.known[first], &s.known[first^1]
	if a.hash == hash || b.hash != hash && !a.learned {
		return a
	}
	return b
}

// is reports whether the keys are those of list.
func (s *shape) is(list []attribute) bool {
	if len(s.keys) != len(list) {
		return false
	}
	for i := range list {
		if list[i].key != s.keys[i] {
			return false
		}
	}
	return true
}

// learn takes the keys of list, which are all different.
func (s *shape) learn(list []attribute) {
	if len(list) > maxShapeKeys {
		return
	}
	keys := make([]string, len(list))
	for i := range list {
		if len(list[i].key) > maxShapeKey {
			return
		}
		keys[i] = strings.Clone(list[i].key)
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
