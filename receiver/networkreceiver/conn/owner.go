// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"unsafe"

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
	bySocket map[uint64]*owner
	queue    list[owner]
}

func (o *owners) put(t *Table, socket uint64, p *capture.Process) {
	o.forget(t, socket)
	if p == nil {
		return
	}
	for o.queue.len >= t.settings.MaxOwners {
		o.forget(t, o.queue.oldest().socket)
		t.stats.OwnersEvicted.Add(1)
	}
	if !t.budget.Take(ownerCost) {
		t.stats.OwnersEvicted.Add(1)
		return
	}
	e := &owner{socket: socket, process: p}
	o.bySocket[socket] = e
	o.queue.push(&e.node, e, t.now)
}

func (o *owners) forget(t *Table, socket uint64) {
	if e := o.bySocket[socket]; e != nil {
		e.node.remove()
		delete(o.bySocket, socket)
		t.budget.Give(ownerCost)
	}
}

func (o *owners) clear(t *Table) {
	for e := o.queue.oldest(); e != nil; e = o.queue.oldest() {
		o.forget(t, e.socket)
	}
}

// take gives the owner of a socket that gets a connection. A TCP connection keeps
// it from then on; a UDP socket may have more of them.
func (o *owners) take(t *Table, socket uint64, transport capture.Transport) *capture.Process {
	e := o.bySocket[socket]
	if e == nil {
		return nil
	}
	if transport == capture.TCP {
		o.forget(t, socket)
	}
	return e.process
}

// Owner says that a socket belongs to a process from now on.
func (t *Table) Owner(socket uint64, p *capture.Process) {
	t.step++
	c := t.sockets[socket]
	own := t.own(p)
	if c == nil || own {
		t.owners.put(t, socket, p)
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

// own reports whether p is Wirespan.
func (t *Table) own(p *capture.Process) bool {
	return p != nil && t.settings.OwnPID != 0 && p.PID == t.settings.OwnPID
}

// isOwn reports whether a socket belongs to Wirespan.
func (t *Table) isOwn(socket uint64) bool {
	e := t.owners.bySocket[socket]
	if e == nil || !t.own(e.process) {
		return false
	}
	t.owners.queue.push(&e.node, e, t.now)
	return true
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
		t.owners.put(t, c.Socket, c.Process)
	case ReasonReused:
		if c.table.owned > c.table.active {
			t.owners.put(t, c.Socket, c.Process)
		}
	}
}
