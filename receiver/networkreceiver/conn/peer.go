// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

// maxSameWire bounds connections with equal addresses in different networks.
const maxSameWire = 8

// meet looks for the other end of a live connection on this machine, and makes c
// known to it.
func (t *Table) meet(c *Conn) {
	s := &c.table
	s.wireLocal, s.wireOther = c.Local, c.Remote
	s.wire = wireFlow(c.Local, c.Remote, c.NetNS)
	n := 0
	for o := t.wires[s.wire]; o != nil; o = o.table.wireNext {
		n++
	}
	if n >= maxSameWire {
		return
	}
	if o := t.peer(c); o != nil {
		c.PeerCaptured, o.PeerCaptured = true, true
		c.PeerProcess, o.PeerProcess = o.Process, c.Process
	}
	s.wireNext = t.wires[s.wire]
	t.wires[s.wire] = c
}

// part undoes meet.
func (t *Table) part(c *Conn) {
	first := t.wires[c.table.wire]
	if first == c {
		if c.table.wireNext == nil {
			delete(t.wires, c.table.wire)
		} else {
			t.wires[c.table.wire] = c.table.wireNext
		}
		return
	}
	for o := first; o != nil; o = o.table.wireNext {
		if o.table.wireNext == c {
			o.table.wireNext = c.table.wireNext
			return
		}
	}
}

// peer gives the other end of c, or nil.
func (t *Table) peer(c *Conn) *Conn {
	for o := t.wires[c.table.wire]; o != nil; o = o.table.wireNext {
		if o.Socket != c.Socket && o.Transport == c.Transport &&
			o.table.wireLocal == c.table.wireOther && o.table.wireOther == c.table.wireLocal &&
			sameISN(&o.table.halves[Out], &c.table.halves[In]) &&
			sameISN(&o.table.halves[In], &c.table.halves[Out]) {
			return o
		}
	}
	return nil
}

// sameISN reports whether two views of one direction do not contradict each other.
func sameISN(a, b *half) bool { return !a.hasISN || !b.hasISN || a.isn == b.isn }
