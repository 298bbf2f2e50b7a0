// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package conntrack knows where packets really go whose addresses the kernel
// translates on their way, as kube-proxy and container runtimes make it. A socket
// knows nothing of that where it is done in another network namespace than its own:
// the node's translates what pods send. The kernel tells of each connection that it
// begins to track, once; nothing is asked per packet, and nothing after the start
// needs a privilege.
//
// It bounds the connections that it remembers.
package conntrack // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture/conntrack"

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// maxEntries bounds what is remembered: two entries for each connection that is
// translated, 96 bytes each with their place in the map and in the queue. A connection
// is asked for when its first calls end.
const maxEntries = 1 << 16

// Stats counts what a Table was told.
type Stats struct {
	Tracked    atomic.Uint64 // connections that the kernel began to track
	Translated atomic.Uint64 // of them those whose addresses are translated
	Forgotten  atomic.Uint64 // entries that made room for others
	Overruns   atomic.Uint64 // times that the kernel told of more than could be read in time: some connections are missing
	Malformed  atomic.Uint64 // messages that could not be decoded
}

// Table has the connections whose addresses are translated. It is safe for
// concurrent use.
type Table struct {
	Stats Stats
	most  int

	mu      sync.RWMutex
	entries map[ends]endpoint
	queue   []ends // keys in the order in which they came, a ring once it is full
	oldest  int
}

// NewTable makes an empty table.
func NewTable() *Table {
	return &Table{most: maxEntries, entries: make(map[ends]endpoint)}
}

// endpoint is an address and port in a form that hashes fast and has no pointer.
type endpoint struct {
	addr [16]byte
	port uint16
}

// ends is a connection as the socket at its first end knows it.
type ends struct {
	local, remote endpoint
	transport     capture.Transport
}

// tracked is a connection as the kernel tracks it: the packets of its first direction,
// as they were before translation, and of its other one, likewise.
type tracked struct {
	transport                capture.Transport
	source, destination      endpoint
	replySource, replyTarget endpoint
}

// Translated gives the other end of what a local socket knows as a connection with
// remote, as it is behind all translation that this node does. It reports false where
// nothing is translated, or nothing is known of it.
func (t *Table) Translated(transport capture.Transport, local, remote netip.AddrPort) (netip.AddrPort, bool) {
	key := ends{endpointOf(local), endpointOf(remote), transport}
	t.mu.RLock()
	to, ok := t.entries[key]
	t.mu.RUnlock()
	return to.addrPort(), ok
}

// put remembers a connection from both of its ends: the one that opened it sends to an
// address that stands for another one, and the other one gets packets from such an
// address.
func (t *Table) put(c *tracked) {
	t.Stats.Tracked.Add(1)
	opener := ends{c.source, c.destination, c.transport}
	server := ends{c.replySource, c.replyTarget, c.transport}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(opener, c.replySource)
	t.set(server, c.source)
	if c.replySource != c.destination || c.source != c.replyTarget {
		t.Stats.Translated.Add(1)
	}
}

// set remembers that the other end is really to, or forgets what was known of an
// earlier connection with these ends.
func (t *Table) set(key ends, to endpoint) {
	_, known := t.entries[key]
	switch {
	case key.remote == to:
		if known {
			delete(t.entries, key) // its place in the queue stays
		}
		return
	case known:
	case len(t.queue) < t.most:
		t.queue = append(t.queue, key)
	default:
		if _, there := t.entries[t.queue[t.oldest]]; there {
			delete(t.entries, t.queue[t.oldest])
			t.Stats.Forgotten.Add(1)
		}
		t.queue[t.oldest] = key
		t.oldest = (t.oldest + 1) % t.most
	}
	t.entries[key] = to
}

func endpointOf(a netip.AddrPort) endpoint { return endpoint{a.Addr().As16(), a.Port()} }

func (e endpoint) addrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(e.addr).Unmap(), e.port)
}

// take puts what the messages in b tell of into the table, and says what ends them: an
// error, the end of a dump, or nothing special.
func (t *Table) take(b []byte) (last kind) {
	var c tracked
	for len(b) > 0 {
		var k kind
		k, b = next(b, &c)
		switch k {
		case kindTracked:
			t.put(&c)
		case kindDone, kindError:
			last = k
		case kindMalformed:
			t.Stats.Malformed.Add(1)
		}
	}
	return last
}
