// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"unsafe"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// owner is the process of a socket that has no open connection, of a UDP socket,
// or of Wirespan itself.
type owner struct {
	socket  uint64
	process *capture.Process
	node    node[owner]
}

// ownerCost is what one takes from the budget, with its map entry. The process is
// shared, and the source's.
const ownerCost = int(unsafe.Sizeof(owner{}))*9/8 + 32

// owners remembers owners until their sockets show themselves.
type owners struct {
	max    int
	ownPID int32
	budget *budget.Budget
	stats  *Stats

	bySocket map[uint64]*owner
	largest  int // length of bySocket
	queue    list[owner]
}

func newOwners(s *Settings, b *budget.Budget, stats *Stats) owners {
	return owners{max: s.MaxOwners, ownPID: s.OwnPID, budget: b, stats: stats, bySocket: map[uint64]*owner{}}
}

// put remembers the owner of a socket in place of an earlier one. The oldest makes room.
func (o *owners) put(socket uint64, p *capture.Process, now int64) {
	o.forget(socket)
	if p == nil {
		return
	}
	for o.queue.len >= o.max {
		o.forget(o.queue.oldest().socket)
		o.stats.OwnersEvicted.Add(1)
	}
	if !o.budget.Take(ownerCost) {
		o.stats.OwnersEvicted.Add(1)
		return
	}
	e := &owner{socket: socket, process: p}
	o.bySocket[socket] = e
	o.queue.push(&e.node, e, now)
}

func (o *owners) forget(socket uint64) {
	if e := o.bySocket[socket]; e != nil {
		e.node.remove()
		delete(o.bySocket, socket)
		o.budget.Give(ownerCost)
	}
}

func (o *owners) clear() {
	for e := o.queue.oldest(); e != nil; e = o.queue.oldest() {
		o.forget(e.socket)
	}
}

// compact gives back the memory of what was forgotten.
func (o *owners) compact() { compact(&o.bySocket, &o.largest) }

// own reports whether p is Wirespan.
func (o *owners) own(p *capture.Process) bool {
	return p != nil && o.ownPID != 0 && p.PID == o.ownPID
}

// isOwn reports whether a socket belongs to Wirespan.
func (o *owners) isOwn(socket uint64, now int64) bool {
	e := o.bySocket[socket]
	if e == nil || !o.own(e.process) {
		return false
	}
	o.queue.push(&e.node, e, now)
	return true
}

// take returns the owner of a socket that gets a connection. A TCP connection keeps
// it from then on; a UDP socket may have more of them.
func (o *owners) take(socket uint64, transport capture.Transport) *capture.Process {
	e := o.bySocket[socket]
	if e == nil {
		return nil
	}
	if transport == capture.TCP {
		o.forget(socket)
	}
	return e.process
}

// Owner says that a socket belongs to a process from now on.
func (t *Table) Owner(socket uint64, p *capture.Process) {
	t.step++
	c := t.sockets[socket]
	own := t.owners.own(p)
	if c == nil || own {
		t.owners.put(socket, p, t.now)
	}
	if c != nil {
		t.assign(c, p, own)
	}
	for c = t.users[socket]; c != nil; {
		next := c.table.userNext
		t.assign(c, p, own)
		c = next
	}
}

func (t *Table) assign(c *Conn, p *capture.Process, own bool) {
	if own {
		t.drop(c)
		return
	}
	c.Process = p
	c.table.owned = t.step
	if !c.PeerCaptured {
		return
	}
	if o := t.peer(c); o != nil {
		o.PeerProcess = p
	}
}

// drop closes a connection of Wirespan itself and delivers nothing more.
func (t *Table) drop(c *Conn) {
	for d := range c.table.halves {
		c.table.halves[d].discard = true
	}
	if c.PeerCaptured {
		if o := t.peer(c); o != nil {
			o.PeerCaptured = false
		}
	}
	t.close(c, c.LastActive, "")
}

// keepOwner remembers the owner of a closed connection where its socket may have
// another one: it was idle, or the owner came after the last segment and so for
// the connection that replaces this one.
func (t *Table) keepOwner(c *Conn, r Reason) {
	switch r {
	case ReasonIdle, ReasonEvicted:
		t.owners.put(c.Socket, c.Process, t.now)
	case ReasonReused:
		if c.table.owned > c.table.active {
			t.owners.put(c.Socket, c.Process, t.now)
		}
	}
}
