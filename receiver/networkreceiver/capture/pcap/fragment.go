// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"cmp"
	"container/list"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/packet"
)

// Bounds of reassembly, per shard.
const (
	maxDatagrams     = 1024
	maxFragments     = 256 // of one datagram; 64 KiB at the least IPv4 MTU of common links take 120
	maxFragmentBytes = 4 << 20
	maxDatagramLen   = 65535
	fragmentTimeout  = int64(30 * time.Second) // capture time; what Linux waits
)

// fragments puts IP datagrams together again (RFC 791, section 3.2; RFC 8200,
// section 4.5). A datagram whose fragments overlap is given up, as RFC 5722 wants
// for IPv6 and Linux does for both: there is no telling which bytes the receiver
// took.
type fragments struct {
	datagrams map[fragmentKey]*datagram
	order     list.List // of *datagram, by arrival of the first fragment
	bytes     int       // held in all datagrams
	packet    []byte    // the last one that was put together
	lost      uint64    // datagrams given up, until taken
}

// fragmentKey tells datagrams apart.
type fragmentKey struct {
	source, destination netip.Addr
	id, scope           uint32
	protocol            uint8 // IPv4 only: for IPv6 only the first fragment's counts
}

// datagram is what came of one datagram.
type datagram struct {
	key      fragmentKey
	place    *list.Element
	started  int64
	parts    []part // by offset, not overlapping
	covered  int    // bytes on the wire in parts
	held     int    // bytes in parts
	total    int    // length of the whole; 0 until the last fragment came
	protocol uint8  // of the first fragment
	dead     bool   // given up and counted: what still comes of it is ignored
}

// part is one fragment.
type part struct {
	offset, wire int
	data         []byte // less than wire if the capture cut it
}

// add takes the fragment at c with header h. If it completes its datagram, c is
// moved to the whole packet, which is borrowed until the next call. Otherwise it
// gives errFragment.
func (f *fragments) add(c *cursor, h *packet.Header, now int64) error {
	p := part{offset: h.FragmentOffset, wire: c.wire - h.Len, data: c.b[min(h.Len, len(c.b)):]}
	switch {
	case p.wire <= 0, h.MoreFragments && p.wire%8 != 0, p.offset+p.wire > maxDatagramLen:
		return errMalformed
	}
	f.expire(now)
	d := f.datagram(c, h, now)
	if d.dead {
		return errFragment
	}
	held := d.held
	if !d.insert(p, h) {
		f.giveUp(d)
		return errFragment
	}
	f.bytes += d.held - held
	if d.covered != d.total {
		return errFragment
	}
	f.join(d, h)
	f.remove(d)
	c.b, c.wire, c.next = f.packet, h.Len+d.total, ipPacket
	return nil
}

// datagram finds the datagram of a fragment, or makes room for a new one.
func (f *fragments) datagram(c *cursor, h *packet.Header, now int64) *datagram {
	key := fragmentKey{source: h.Source, destination: h.Destination, id: h.ID, scope: c.scope}
	if h.Source.Is4() {
		key.protocol = h.Protocol
	}
	if d := f.datagrams[key]; d != nil {
		return d
	}
	for len(f.datagrams) >= maxDatagrams || f.bytes > maxFragmentBytes {
		f.drop(f.oldest())
	}
	if f.datagrams == nil {
		f.datagrams = make(map[fragmentKey]*datagram)
	}
	d := &datagram{key: key, started: now}
	f.datagrams[key] = d
	d.place = f.order.PushBack(d)
	return d
}

// insert adds p, and reports whether it fits what came before. A fragment that
// came twice does.
func (d *datagram) insert(p part, h *packet.Header) bool {
	end := p.offset + p.wire
	i, found := slices.BinarySearchFunc(d.parts, p.offset, func(q part, offset int) int { return cmp.Compare(q.offset, offset) })
	if found && d.parts[i].wire == p.wire {
		return true
	}
	switch {
	case found, len(d.parts) == maxFragments,
		i > 0 && d.parts[i-1].offset+d.parts[i-1].wire > p.offset,
		i < len(d.parts) && end > d.parts[i].offset,
		d.total != 0 && end > d.total,
		!h.MoreFragments && (d.total != 0 || i < len(d.parts)):
		return false
	}
	if !h.MoreFragments {
		d.total = end
	}
	if p.offset == 0 {
		d.protocol = h.Protocol
	}
	p.data = slices.Clone(p.data)
	d.parts = slices.Insert(d.parts, i, p)
	d.covered += p.wire
	d.held += len(p.data)
	return true
}

// join writes the whole packet of d, as far as it was captured without a hole,
// behind a minimal header, and makes that header h.
func (f *fragments) join(d *datagram, h *packet.Header) {
	f.packet = appendHeader(f.packet[:0], h, d)
	h.Len = len(f.packet)
	for _, p := range d.parts {
		f.packet = append(f.packet, p.data...)
		if len(p.data) < p.wire {
			break
		}
	}
}

// appendHeader writes an IP header for the whole of d. A length that the header
// can't hold is left open.
func appendHeader(b []byte, h *packet.Header, d *datagram) []byte {
	source, destination := h.Source.AsSlice(), h.Destination.AsSlice()
	if h.Source.Is4() {
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, fieldLen(20+d.total))
		b = append(b, 0, 0, 0, 0, 64, d.protocol, 0, 0)
	} else {
		b = append(b, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, fieldLen(d.total))
		b = append(b, d.protocol, 64)
	}
	return append(append(b, source...), destination...)
}

func fieldLen(n int) uint16 {
	if n > maxDatagramLen {
		return 0
	}
	return uint16(n)
}

// expire gives up what has waited too long.
func (f *fragments) expire(now int64) {
	for d := f.oldest(); d != nil && now-d.started >= fragmentTimeout; d = f.oldest() {
		f.drop(d)
	}
}

// flush gives up all.
func (f *fragments) flush() {
	for d := f.oldest(); d != nil; d = f.oldest() {
		f.drop(d)
	}
}

// oldest is the datagram that has waited longest; nil if there is none.
func (f *fragments) oldest() *datagram {
	if e := f.order.Front(); e != nil {
		return e.Value.(*datagram)
	}
	return nil
}

// drop gives up d, and forgets it.
func (f *fragments) drop(d *datagram) {
	if !d.dead {
		f.lost++
	}
	f.remove(d)
}

// giveUp counts d as lost, and keeps it without its bytes to know its siblings.
func (f *fragments) giveUp(d *datagram) {
	f.lost++
	f.bytes -= d.held
	d.dead, d.parts, d.held = true, nil, 0
}

func (f *fragments) remove(d *datagram) {
	f.bytes -= d.held
	delete(f.datagrams, d.key)
	f.order.Remove(d.place)
}

// takeLost is the number of datagrams given up since the last call.
func (f *fragments) takeLost() uint64 {
	n := f.lost
	f.lost = 0
	return n
}
