// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"net/netip"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Bounds of what is remembered to find connections that were captured twice.
const (
	maxHandshakes   = 1 << 16
	maxTranslations = 1 << 12
)

// translations finds connections of which each packet was captured twice, before and after
// its addresses were translated or it went into a tunnel, as on all interfaces of a router
// or a container's host. Both ends' initial sequence numbers tell: 64 bits that go through
// translation unchanged. Of such a connection the flow whose handshake was complete first
// is kept.
type translations struct {
	handshakes recent[uint32, handshake] // by the client's initial sequence number
	copies     recent[endpoints, uint32] // flows that are left out, with the client's number
}

// handshake is that of a flow, once the server has answered.
type handshake struct {
	server uint32 // its initial sequence number
	flow   endpoints
}

// endpoints are those of a connection, the lower one first.
type endpoints struct {
	a, b  netip.AddrPort
	scope uint32
}

func endpointsOf(seg *capture.Segment) endpoints {
	if seg.Source.Compare(seg.Destination) > 0 {
		return endpoints{seg.Destination, seg.Source, seg.Scope}
	}
	return endpoints{seg.Source, seg.Destination, seg.Scope}
}

// copied reports whether seg belongs to a flow that is left out.
func (t *translations) copied(seg *capture.Segment) bool {
	if seg.Transport != capture.TCP {
		return false
	}
	switch seg.Flags & (capture.SYN | capture.ACK) {
	case capture.SYN | capture.ACK:
		t.learn(seg)
	case capture.SYN:
		t.opens(seg)
	}
	if len(t.copies.values) == 0 {
		return false
	}
	_, copied := t.copies.values[endpointsOf(seg)]
	return copied
}

// opens takes a SYN. A packet passes all interfaces before it is answered, so one that comes
// after the answer opens a connection of its own, however alike the numbers are: some stacks
// and generators of captures use the same ones each time.
func (t *translations) opens(seg *capture.Segment) {
	flow := endpointsOf(seg)
	if first, known := t.handshakes.values[seg.Seq]; known && first.flow != flow {
		t.handshakes.forget(seg.Seq)
	}
	if len(t.copies.values) > 0 && t.copies.values[flow] != seg.Seq {
		t.copies.forget(flow)
	}
}

// learn takes the answer to a SYN: it has both initial sequence numbers.
func (t *translations) learn(seg *capture.Segment) {
	client, flow := seg.Ack-1, endpointsOf(seg)
	if first, known := t.handshakes.values[client]; known && first.server == seg.Seq && first.flow != flow {
		t.copies.put(flow, client, maxTranslations)
		return
	}
	t.handshakes.put(client, handshake{seg.Seq, flow}, maxHandshakes)
}

// recent is a map that forgets the oldest entries.
type recent[K comparable, V any] struct {
	values map[K]V
	order  []K // a ring, once it is full
	next   int
}

func (r *recent[K, V]) put(key K, value V, most int) {
	if r.values == nil {
		r.values = map[K]V{}
	}
	if _, known := r.values[key]; !known {
		if len(r.order) < most {
			r.order = append(r.order, key)
		} else {
			delete(r.values, r.order[r.next])
			r.order[r.next] = key
			r.next = (r.next + 1) % most
		}
	}
	r.values[key] = value
}

func (r *recent[K, V]) forget(key K) { delete(r.values, key) }
