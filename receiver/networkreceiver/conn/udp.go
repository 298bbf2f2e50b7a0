// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import "github.com/wirespan/wirespan/receiver/networkreceiver/capture"

// datagram takes a UDP datagram. A socket has a connection with each of its peers.
func (t *Table) datagram(seg *capture.Segment) {
	c := t.findUDP(seg)
	if c == nil {
		if seg.Socket != 0 && t.owners.isOwn(seg.Socket, t.now) {
			t.stats.OwnSegments.Add(1)
			return
		}
		if c = t.openUDP(seg); c == nil {
			return
		}
	}
	d := c.direction(seg)
	c.LastActive = seg.Time
	c.table.seen[d] = true
	t.touch(c)
	if c.table.seen[d.Other()] {
		t.promote(c)
	}
	h := &c.table.halves[d]
	m := Mark{Time: seg.Time, Offset: h.offset}
	if n := len(seg.Payload); n > 0 {
		h.offset += uint64(n)
		t.sink.Data(c, d, m, seg.Payload)
	}
	if n := uint64(seg.WireLen - len(seg.Payload)); n > 0 {
		m.Offset = h.offset
		h.offset += n
		t.stats.Gaps.Add(1)
		t.stats.GapBytes.Add(n)
		t.sink.Gap(c, d, m, n)
	}
}

func (t *Table) findUDP(seg *capture.Segment) *Conn {
	key := udpFlow(seg)
	if c := t.datagrams[key]; c != nil {
		return c
	}
	if seg.Direction != capture.Ingress || seg.Socket == 0 {
		return nil
	}
	c := t.users[seg.Socket]
	if c == nil || !c.table.answeredBy(c, seg) {
		return nil
	}
	c.RemoteNAT, c.Remote, c.Local = c.Remote, seg.Source, seg.Destination
	c.table.alias = key
	t.datagrams[key] = c
	return c
}

// answeredBy reports whether seg answers c though it comes from another address
// than c was sent to. That is address translation if the socket has an ephemeral
// port, one peer, and no answer yet.
func (s *tableState) answeredBy(c *Conn, seg *capture.Segment) bool {
	const firstEphemeral = 32768 // Linux ip_local_port_range
	return s.userNext == nil && !s.seen[In] && s.seen[Out] && s.alias == (flow{}) &&
		c.Local.Port() >= firstEphemeral && seg.Destination.Port() == c.Local.Port()
}

func (t *Table) openUDP(seg *capture.Segment) *Conn {
	c := &Conn{Local: seg.Source, Remote: seg.Destination}
	if seg.Socket != 0 {
		c.Local, c.Remote = ends(seg)
	}
	c.table.flow = udpFlow(seg)
	return t.open(c, seg)
}

func udpFlow(seg *capture.Segment) flow {
	if seg.Socket == 0 {
		return flowBetween(seg.Source, seg.Destination, seg.Scope)
	}
	_, remote := ends(seg)
	return flowOf(seg.Socket, remote)
}

// addUser puts c in front of the connections of its socket.
func (t *Table) addUser(c *Conn) {
	first := t.users[c.Socket]
	c.table.userNext = first
	if first != nil {
		first.table.userPrev = c
	}
	t.users[c.Socket] = c
}

func (t *Table) removeUser(c *Conn) {
	prev, next := c.table.userPrev, c.table.userNext
	if next != nil {
		next.table.userPrev = prev
	}
	switch {
	case prev != nil:
		prev.table.userNext = next
	case next != nil:
		t.users[c.Socket] = next
	default:
		delete(t.users, c.Socket)
	}
}
