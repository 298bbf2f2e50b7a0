// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Limits for one handshake.
const (
	maxEarlySegments = 8
	maxEarlyBytes    = 128 << 10
	maxSameRemote    = 8        // handshakes with one remote address and port
	maxEarlyAnswer   = 64 << 10 // what a server sends before the handshake is complete (RFC 7413)
)

// handshakeCost is what a handshake takes from the budget, without early bytes.
const handshakeCost = int(unsafe.Sizeof(handshake{})) + 128

// handshake is a connection that a listening socket has been asked for. Its
// segments bear the listener's cookie until the accepted socket exists, also the
// first bytes if they come with the last step.
type handshake struct {
	key           flow
	local, remote netip.AddrPort // of the SYN; or of the SYN-ACK, reversed
	started       int64
	established   int64
	isn           [2]uint32
	known         [2]bool
	early         []capture.Segment // segments with payload or FIN, copied
	cost          int
	next          *handshake // same remote
	node          node[handshake]
}

// handshakes are those whose accepted socket hasn't shown itself yet. They are
// found by the remote end, which translation of local addresses leaves alone.
type handshakes struct {
	max             int
	halfOpenTimeout time.Duration // until the handshake is complete
	silentTimeout   time.Duration // from then on until the accepted socket shows itself
	budget          *budget.Budget
	stats           *Stats

	byRemote map[flow]*handshake
	largest  int             // length of byRemote
	open     list[handshake] // not complete
	complete list[handshake] // the remote end has acknowledged the SYN-ACK
	reset    list[handshake] // not complete, and reset, unless the reset is forged
}

func newHandshakes(s *Settings, b *budget.Budget, stats *Stats) handshakes {
	return handshakes{
		max: s.MaxPending, halfOpenTimeout: s.HalfOpenTimeout, silentTimeout: s.TCPIdleTimeout, budget: b, stats: stats,
		byRemote: map[flow]*handshake{},
	}
}

// listen takes a segment of a listening socket.
func (t *Table) listen(seg *capture.Segment) {
	if seg.Socket != 0 && t.owners.isOwn(seg.Socket, t.now) {
		t.stats.OwnSegments.Add(1)
		return
	}
	t.handshakes.segment(seg, t.now)
}

// segment takes a segment of a listening socket.
func (hs *handshakes) segment(seg *capture.Segment, now int64) {
	d := onEgress(seg)
	h := hs.find(seg)
	isSYN := seg.Flags&capture.SYN != 0
	switch {
	case seg.Flags&capture.RST != 0:
		hs.resetBy(h, d, seg, now)
		return
	case h != nil && isSYN && h.known[d] && h.isn[d] != seg.Seq && d == In:
		hs.remove(h) // the port is used again
		h = nil
	case h == nil && !isSYN && seg.WireLen == 0:
		hs.stats.Unmatched.Add(1)
		return
	}
	if h == nil {
		if h = hs.add(seg, now); h == nil {
			return
		}
	}
	if h.learn(d, seg) {
		hs.complete.push(&h.node, h, now)
	}
	if seg.WireLen > 0 || seg.Flags&capture.FIN != 0 {
		hs.keep(h, seg)
	}
}

// learn takes what a segment says about the handshake. It reports whether the segment
// completes it.
func (h *handshake) learn(d Dir, seg *capture.Segment) bool {
	ack := seg.Flags&capture.ACK != 0
	if seg.Flags&capture.SYN != 0 {
		h.isn[d], h.known[d] = seg.Seq, true
		if ack && !h.known[d.Other()] {
			h.isn[d.Other()], h.known[d.Other()] = seg.Ack-1, true
		}
		return false
	}
	if d == In && ack && h.established == 0 && h.known[Out] && fits(h.isn[Out]+1, seg.Ack, maxEarlyAnswer) {
		h.established = seg.Time
		return true
	}
	return false
}

// keep copies a segment until the accepted socket shows itself.
func (hs *handshakes) keep(h *handshake, seg *capture.Segment) {
	n := len(seg.Payload) + int(unsafe.Sizeof(*seg))
	if len(h.early) >= maxEarlySegments || h.cost+n > maxEarlyBytes || !hs.budget.Take(n) {
		hs.stats.PendingDropped.Add(1)
		return
	}
	h.cost += n
	kept := *seg
	kept.Payload = slices.Clone(seg.Payload)
	h.early = append(h.early, kept)
}

// resetBy takes a reset of h, which is nil if none is known.
func (hs *handshakes) resetBy(h *handshake, d Dir, seg *capture.Segment, now int64) {
	switch {
	case h == nil:
		hs.stats.Unmatched.Add(1)
	case h.known[d] && !within(h.isn[d], seg.Seq, rstWindow):
		hs.stats.RSTIgnored.Add(1)
	default:
		hs.reset.push(&h.node, h, now)
	}
}

// join opens the connection of an accepted socket that shows itself with seg. It
// returns nil if no handshake is known.
func (t *Table) join(seg *capture.Segment) *Conn {
	h := t.handshakes.take(seg)
	if h == nil {
		return nil
	}
	c := t.open(h.conn(), seg)
	if c == nil {
		return nil
	}
	t.promote(c)
	for i := range h.early {
		t.follow(c, &h.early[i])
	}
	return c
}

// conn returns the connection that the handshake has made.
func (h *handshake) conn() *Conn {
	c := &Conn{
		Local: h.local, Remote: h.remote, Initiator: InitiatorRemote,
		Started: h.started, Established: h.established,
		Midway: !h.known[In] && !h.known[Out],
	}
	if c.Midway {
		c.Initiator = InitiatorUnknown
	}
	c.table.seen[In] = true
	for d, known := range h.known {
		if known {
			c.table.halves[d].start(h.isn[d])
		}
	}
	return c
}

// find returns the handshake of a segment of the listening or the accepted socket.
// The local address may be translated; then the sequence numbers must prove it.
func (hs *handshakes) find(seg *capture.Segment) *handshake {
	local, remote := ends(seg)
	for h := hs.byRemote[remoteFlow(remote, seg.NetNS)]; h != nil; h = h.next {
		if h.local == local && (seg.Listener || h.near(seg)) || h.proves(seg) {
			return h
		}
	}
	return nil
}

// near reports whether nothing speaks against seg being of h's connection.
func (h *handshake) near(seg *capture.Segment) bool {
	d := onEgress(seg)
	return !h.known[d] || fits(h.isn[d], seg.Seq, 64<<20)
}

// proves reports whether the sequence numbers of seg show that it is of h's
// connection.
func (h *handshake) proves(seg *capture.Segment) bool {
	d := onEgress(seg)
	if seg.Flags&capture.ACK == 0 || !h.known[d.Other()] || !fits(h.isn[d.Other()]+1, seg.Ack, rstWindow) {
		return false
	}
	return seg.Flags&capture.SYN != 0 || h.known[d] && fits(h.isn[d]+1, seg.Seq, rstWindow)
}

func remoteFlow(remote netip.AddrPort, netns uint32) flow {
	f := flowOf(0, remote)
	f.space = netns
	return f
}

// add remembers a new handshake. The oldest makes room for it, one that is not
// complete if there is one. It returns nil if there is no memory.
func (hs *handshakes) add(seg *capture.Segment, now int64) *handshake {
	local, remote := ends(seg)
	h := &handshake{
		key: remoteFlow(remote, seg.NetNS), local: local, remote: remote,
		started: seg.Time, cost: handshakeCost,
	}
	hs.crowd(h.key)
	for hs.len() >= hs.max {
		hs.evict()
	}
	if !hs.budget.Take(handshakeCost) {
		if hs.len() == 0 {
			hs.stats.PendingDropped.Add(1)
			return nil
		}
		hs.evict()
		if !hs.budget.Take(handshakeCost) {
			hs.stats.PendingDropped.Add(1)
			return nil
		}
	}
	h.next = hs.byRemote[h.key]
	hs.byRemote[h.key] = h
	hs.open.push(&h.node, h, now)
	hs.stats.Pending.Add(1)
	return h
}

// crowd removes the oldest handshake with a remote end that has too many.
func (hs *handshakes) crowd(key flow) {
	n := 0
	for h := hs.byRemote[key]; h != nil; h = h.next {
		if n++; n == maxSameRemote {
			hs.remove(h)
			hs.stats.PendingEvicted.Add(1)
			return
		}
	}
}

func (hs *handshakes) evict() {
	hs.remove(hs.oldest())
	hs.stats.PendingEvicted.Add(1)
}

func (hs *handshakes) oldest() *handshake {
	if h := hs.reset.oldest(); h != nil {
		return h
	}
	if h := hs.open.oldest(); h != nil {
		return h
	}
	return hs.complete.oldest()
}

func (hs *handshakes) len() int { return hs.open.len + hs.complete.len + hs.reset.len }

func (hs *handshakes) remove(h *handshake) {
	h.node.remove()
	first := hs.byRemote[h.key]
	switch {
	case first != h:
		for first.next != h {
			first = first.next
		}
		first.next = h.next
	case h.next != nil:
		hs.byRemote[h.key] = h.next
	default:
		delete(hs.byRemote, h.key)
	}
	hs.budget.Give(h.cost)
	hs.stats.Pending.Add(-1)
}

// take removes the handshake of a segment, and returns it. It is nil if none is known.
func (hs *handshakes) take(seg *capture.Segment) *handshake {
	h := hs.find(seg)
	if h != nil {
		hs.remove(h)
	}
	return h
}

// clear forgets all handshakes.
func (hs *handshakes) clear() {
	for h := hs.oldest(); h != nil; h = hs.oldest() {
		hs.remove(h)
	}
}

// compact gives back the memory of what was forgotten.
func (hs *handshakes) compact() { compact(&hs.byRemote, &hs.largest) }

// expire removes what was not completed in time, and what was complete but whose
// accepted socket stayed silent.
func (hs *handshakes) expire(now int64) {
	for h := hs.reset.expired(now, reorderTimeout); h != nil; h = hs.reset.expired(now, reorderTimeout) {
		hs.remove(h)
	}
	for h := hs.open.expired(now, hs.halfOpenTimeout); h != nil; h = hs.open.expired(now, hs.halfOpenTimeout) {
		hs.remove(h)
		hs.stats.PendingExpired.Add(1)
	}
	for h := hs.complete.expired(now, hs.silentTimeout); h != nil; h = hs.complete.expired(now, hs.silentTimeout) {
		hs.remove(h)
		hs.stats.PendingExpired.Add(1)
	}
}
