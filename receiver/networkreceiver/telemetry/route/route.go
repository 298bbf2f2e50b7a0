// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package route finds the templates of URL paths: /orders/{id} for /orders/4711.
//
// Three things make a template, in this order: the templates of the user, the form of
// a segment (numbers, UUIDs, hashes and the like are values at once), and what a server
// was seen to have in one place (a place with many names has values). A template has
// nothing of a path but such segments as look like words, so that it has no secrets.
//
// What is learned is bounded, whatever paths come: servers, segments of each, and names
// in one place.
package route // import "github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/route"

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wirespan/wirespan/internal/budget"
)

const (
	// MaxServers bounds the servers whose paths are learned apart; all others are
	// learned as if they were one.
	MaxServers = 256
	// MaxNodes bounds the segments that are known, of all servers together.
	MaxNodes = 16384
	// MaxServerNodes bounds those of one server.
	MaxServerNodes = 1024
	// MaxNames bounds the names in one place of a server's paths. One more makes all
	// that are not frequent values.
	MaxNames = 64
	// MaxDepth bounds the segments of a template. What follows is {path...}.
	MaxDepth = 16
	// maxServerName bounds the names of servers that are remembered.
	maxServerName = 255
	// serverBytes is what a server takes at most, besides its nodes.
	serverBytes = 256 + maxServerName
)

const (
	// idle is after how long without calls a server is forgotten, ns.
	idle   = int64(3600e9)
	minute = int64(60e9)
	// pause is how long nothing is tried again for which there was no room, ns.
	pause = int64(1e9)
)

// Settings says where templates come from.
type Settings struct {
	// Learn makes templates of the form of segments and of what was seen.
	Learn bool
	// Templates are those of the user. They must be valid (Check).
	Templates []string
	// Secret reports whether a segment says that what follows it is a secret. It is
	// called by one goroutine at a time. Nil: none does.
	Secret func(segment string) bool
}

// Server is whose paths are learned together, as both ends of a call name it.
type Server struct {
	Address string
	Port    int64
}

// Table finds templates and learns them, for all shards together. It is safe for
// concurrent use, and takes a lock only to learn something.
type Table struct {
	learn  bool
	secret func(string) bool
	memory *budget.Budget
	own    patterns

	servers atomic.Pointer[map[Server]*server] // others among them
	expired atomic.Int64                       // when was looked for those that are idle

	mu      sync.Mutex // of whoever changes servers and trees
	nodes   int        // of all servers
	blocked atomic.Int64
}

// others is all servers for which there is no room.
var others Server

// server is what is known of one server.
type server struct {
	root    node
	nodes   int          // guarded by Table.mu
	used    atomic.Int64 // when a call was last seen, to the minute
	blocked atomic.Int64 // until when nothing is learned, because there is no room
}

// New makes a Table that learns within memory, which may be nil.
func New(s Settings, memory *budget.Budget) *Table {
	t := &Table{learn: s.Learn, secret: s.Secret, memory: memory}
	if t.secret == nil {
		t.secret = func(string) bool { return false }
	}
	for _, template := range s.Templates {
		_ = t.own.add(template) // Check has looked at it
	}
	t.servers.Store(&map[Server]*server{})
	return t
}

// Of returns the template of a path that was asked of a server, or "" where it has
// none. served reports whether the server has something there: of other paths nothing
// is learned, and those that are not known have no template. now is the time of the
// capture, Unix ns.
func (t *Table) Of(s Server, path string, served bool, now int64) string {
	if t == nil || path == "" || path[0] != '/' {
		return ""
	}
	if template := t.own.match(s.Address, path); template != "" || !t.learn {
		return template
	}
	known := t.server(s, now)
	if known == nil {
		return ""
	}
	if n := known.root.find(path); n != nil {
		return n.template
	}
	if !served || now < known.blocked.Load() {
		return ""
	}
	return t.teach(known, path, now)
}

// Expire forgets the servers that had no calls for long.
func (t *Table) Expire(now int64) {
	if t == nil {
		return
	}
	if last := t.expired.Load(); now-last < minute || !t.expired.CompareAndSwap(last, now) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	all := maps.Clone(*t.servers.Load())
	maps.DeleteFunc(all, func(_ Server, s *server) bool {
		old := now-s.used.Load() > idle
		if old {
			t.release(s, s.root.size()-1)
			t.memory.Give(serverBytes)
		}
		return old
	})
	t.servers.Store(&all)
}

// server returns what is known of s, or of others, or nil if there is no memory for it.
func (t *Table) server(s Server, now int64) *server {
	all := *t.servers.Load()
	known := all[s]
	if known == nil {
		known = t.add(s, now)
	}
	if known == nil {
		known = all[others]
	}
	if known != nil && now-known.used.Load() > minute {
		known.used.Store(now)
	}
	return known
}

// add makes room for a server, and for all others with the first. It returns nil if there
// is none.
func (t *Table) add(s Server, now int64) *server {
	if len(s.Address) > maxServerName || now < t.blocked.Load() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	all := maps.Clone(*t.servers.Load())
	s.Address = strings.Clone(s.Address)
	for _, name := range [...]Server{others, s} {
		if all[name] != nil {
			continue
		}
		if len(all) > MaxServers || !t.memory.Take(serverBytes) {
			t.blocked.Store(now + pause)
			break
		}
		all[name] = &server{}
		all[name].used.Store(now)
	}
	t.servers.Store(&all)
	return all[s]
}

// teach makes the template of a path of which a part is not known.
func (t *Table) teach(s *server, path string, now int64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := &s.root
	for depth := 0; path != ""; depth++ {
		segment, rest := cut(path, depth)
		next := n.next(segment, depth)
		if next == nil {
			next = t.grow(s, n, segment, depth)
		}
		if next == nil {
			s.blocked.Store(now + pause)
			return ""
		}
		n, path = next, rest
	}
	return n.template
}

// grow adds a segment below n, or returns nil if there is no room.
func (t *Table) grow(s *server, n *node, segment string, depth int) *node {
	switch {
	case depth == MaxDepth:
		return t.value(s, n, "{path...}")
	case n.secret || n.crowded.Load() || isValue(segment):
		return t.value(s, n, "{id}")
	case n.names() >= MaxNames:
		t.release(s, n.crowd())
		return t.value(s, n, "{id}")
	}
	added := t.node(s, n, segment)
	if added != nil {
		added.secret = t.secret(segment)
		n.addName(added.template[len(n.template)+1:], added)
	}
	return added
}

// value returns the node of all values below n.
func (t *Table) value(s *server, n *node, name string) *node {
	if known := n.value.Load(); known != nil {
		return known
	}
	added := t.node(s, n, name)
	if added != nil {
		n.value.Store(added)
	}
	return added
}

// node makes a node below parent, or returns nil if there is no room.
func (t *Table) node(s *server, parent *node, segment string) *node {
	if len(parent.template)+1+len(segment) > maxTemplate || t.nodes >= MaxNodes || s.nodes >= MaxServerNodes || !t.memory.Take(nodeBytes) {
		return nil
	}
	t.nodes++
	s.nodes++
	return &node{template: parent.template + "/" + segment}
}

// release gives n nodes of a server back.
func (t *Table) release(s *server, n int) {
	t.nodes -= n
	s.nodes -= n
	t.memory.Give(n * nodeBytes)
}
