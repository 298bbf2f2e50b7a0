// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import "github.com/wirespan/wirespan/receiver/networkreceiver/capture"

// open starts to follow a connection whose addresses are set. It gives nil if
// there is no memory for it.
func (t *Table) open(c *Conn, seg *capture.Segment) *Conn {
	if !t.admit() {
		return nil
	}
	c.Transport, c.Socket, c.NetNS, c.Cgroup = seg.Transport, seg.Socket, seg.NetNS, seg.Cgroup
	c.Live = seg.Socket != 0
	if c.Started == 0 {
		c.Started = seg.Time
	}
	c.LastActive = seg.Time
	c.Memory = t.budget.Account()
	for d := range c.table.halves {
		h := &c.table.halves[d]
		h.t, h.c, h.dir = t, c, Dir(d)
		h.stream.Charge(&c.Memory)
	}
	t.register(c, seg)
	c.table.half = true
	t.touch(c)

	t.stats.Open.Add(1)
	t.stats.HalfOpen.Add(1)
	t.stats.Opened.Add(1)
	if c.Midway {
		t.stats.OpenedMidway.Add(1)
	}
	if c.Live {
		c.Process = t.owners.take(c.Socket, c.Transport)
		t.meet(c)
	}
	t.sink.Open(c)
	if c.Live && len(t.early.pieces) > 0 {
		t.early.release(c.Socket, func(p *capture.Plain) { t.deliverPlain(c, p) })
	}
	return c
}

func (t *Table) register(c *Conn, seg *capture.Segment) {
	switch {
	case c.Transport == capture.UDP:
		t.datagrams[c.table.flow] = c
		if c.Live {
			t.addUser(c)
		}
	case c.Live:
		t.sockets[c.Socket] = c
	default:
		c.table.flow = flowBetween(seg.Source, seg.Destination, seg.Scope)
		t.flows[c.table.flow] = c
	}
}

// promote marks a connection as established.
func (t *Table) promote(c *Conn) {
	if c.table.half {
		c.table.half = false
		t.stats.HalfOpen.Add(-1)
		t.touch(c)
	}
}

// touch marks a connection as the least idle one of its queue.
func (t *Table) touch(c *Conn) {
	q := openTCP
	switch {
	case c.table.reset != nil && c.table.reset.decides(c):
		q = resetTCP
	case c.Transport == capture.UDP && c.table.half:
		q = halfOpenUDP
	case c.Transport == capture.UDP:
		q = openUDP
	case c.table.half:
		q = halfOpenTCP
	case c.Live && c.table.halves[Out].ended:
		q = closingTCP
	}
	t.queues[q].push(&c.table.node, c, t.now)
	c.table.active = t.step
}

// close ends a connection: what is held is delivered, End is called for each
// direction that is still open, then Close. Where plaintext may still come, that is
// later.
func (t *Table) close(c *Conn, now int64, r Reason) {
	t.release(c)
	if c.table.node.in == nil {
		return // closed by what was postponed
	}
	if c.table.over != "" {
		if !r.orderly() {
			t.closeOver(c)
		}
		return
	}
	t.forgetSYN(c)
	waits := r.orderly()
	now, r = t.settleReset(c, now, r)
	for d := range c.table.halves {
		t.end(&c.table.halves[d], now, r)
	}
	if c.AwaitsPlain && waits {
		t.linkOver(c, now, r)
		return
	}
	t.tellClose(c, now, r)
}

// tellClose lets go of a connection whose directions have ended.
func (t *Table) tellClose(c *Conn, now int64, r Reason) {
	t.payEnds(c)
	t.stats.closed(r, c.table.half).Add(1)
	t.stats.Open.Add(-1)
	if c.table.half {
		t.stats.HalfOpen.Add(-1)
	}
	t.remove(c)
	t.sink.Close(c, now, r)
	t.linger(c, r)
	t.budget.Give(t.cost)
}

// end ends one direction.
func (t *Table) end(h *half, now int64, r Reason) {
	if h.ended {
		return
	}
	h.ended = true
	if h.discard {
		t.assembler.Discard(&h.stream)
	} else {
		t.stats.HolesClosed.Add(uint64(t.assembler.Flush(&h.stream, now, h)))
	}
	h.hole.remove()
	h.soon.remove()
	h.untrim()
	if h.c.AwaitsPlain && r.orderly() {
		t.deferEnd(h, now, r)
		return
	}
	t.flushEnd(&h.c.table.halves[h.dir.Other()])
	t.sink.End(h.c, h.dir, now, r)
}

func (t *Table) remove(c *Conn) {
	c.table.node.remove()
	switch {
	case c.Transport == capture.UDP:
		delete(t.datagrams, c.table.flow)
		if c.table.alias != (flow{}) {
			delete(t.datagrams, c.table.alias)
		}
		if c.Live {
			t.removeUser(c)
		}
	case c.Live:
		delete(t.sockets, c.Socket)
	default:
		delete(t.flows, c.table.flow)
	}
	if c.Live {
		t.part(c)
	}
}

// linger remembers a closed connection, or its owner where the socket may go on.
func (t *Table) linger(c *Conn, r Reason) {
	if c.Transport != capture.TCP {
		return
	}
	switch {
	case r.orderly() && c.Live:
		t.closedLive.add(c.Socket, c, t.now)
	case r.orderly():
		t.closedFile.add(c.table.flow, c, t.now)
	case c.Live:
		t.keepOwner(c, r)
	}
}
