// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"maps"
	"strings"
	"sync/atomic"
)

const (
	// maxTemplate bounds a template's text.
	maxTemplate = 256
	// nodeBytes is what a node takes at most: itself, its template, and its place in the
	// map of its parent.
	nodeBytes = 256 + maxTemplate
)

// node is one place in the paths of a server. Readers need no lock: what changes is
// replaced.
type node struct {
	template string // of the path up to here
	secret   bool   // what follows is a secret: always a value
	calls    atomic.Uint32

	children atomic.Pointer[map[string]*node] // by name
	value    atomic.Pointer[node]             // for all segments that are values
	crowded  atomic.Bool                      // names that are not among the children are values
}

// cut returns a path's first segment, without parameters of its own (RFC 3986, section
// 3.3), and what follows it. Behind the deepest place everything is one segment.
func cut(path string, depth int) (segment, rest string) {
	path = path[1:]
	if depth == MaxDepth {
		return path, ""
	}
	segment = path
	if i := strings.IndexByte(path, '/'); i >= 0 {
		segment, rest = path[:i], path[i:]
	}
	if i := strings.IndexByte(segment, ';'); i >= 0 {
		segment = segment[:i]
	}
	return segment, rest
}

// find returns the node of a path, or nil if it is not known.
func (n *node) find(path string) *node {
	for depth := 0; path != ""; depth++ {
		segment, rest := cut(path, depth)
		if n = n.next(segment, depth); n == nil {
			return nil
		}
		path = rest
	}
	return n
}

// next returns the node of a segment below n, or nil if it is not known.
func (n *node) next(segment string, depth int) *node {
	if n.secret || depth == MaxDepth {
		return n.value.Load()
	}
	if children := n.children.Load(); children != nil {
		if child := (*children)[segment]; child != nil {
			child.count()
			return child
		}
	}
	if n.crowded.Load() || isValue(segment) {
		return n.value.Load()
	}
	return nil
}

// maxCount is as far as calls are counted, so that frequent names are only read.
const maxCount = 1 << 12

func (n *node) count() {
	if n.calls.Load() < maxCount {
		n.calls.Add(1)
	}
}

// names is the number of names below n.
func (n *node) names() int {
	if children := n.children.Load(); children != nil {
		return len(*children)
	}
	return 0
}

// addName adds a child. The caller holds the table's lock.
func (n *node) addName(name string, child *node) {
	children := map[string]*node{name: child}
	if known := n.children.Load(); known != nil {
		maps.Copy(children, *known)
	}
	n.children.Store(&children)
}

// frequent is how many calls a name has had at least that stays one in a crowd.
const frequent = 32

// crowd makes n a place of values. Only frequent names stay: those of a 64th of the
// calls and more. It returns the number of nodes that are no more needed.
func (n *node) crowd() (dropped int) {
	all := 0
	for _, child := range *n.children.Load() {
		all += int(child.calls.Load())
	}
	kept := make(map[string]*node)
	for name, child := range *n.children.Load() {
		if calls := int(child.calls.Load()); calls >= frequent && calls >= all/MaxNames {
			kept[name] = child
		} else {
			dropped += child.size()
		}
	}
	n.children.Store(&kept)
	n.crowded.Store(true)
	return dropped
}

// size is the number of nodes from n on.
func (n *node) size() int {
	size := 1
	if children := n.children.Load(); children != nil {
		for _, child := range *children {
			size += child.size()
		}
	}
	if value := n.value.Load(); value != nil {
		size += value.size()
	}
	return size
}
