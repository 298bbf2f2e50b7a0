// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"bytes"
	"slices"
	"time"
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

var _ capture.PlainHandler = (*Table)(nil)

// Bounds of plaintext whose connection is not there yet: what a library hands over
// may overtake the segments that open the connection.
const (
	plainTimeout   = time.Second
	maxPlainPieces = 256
)

// earlyPlain holds such plaintext, oldest first.
type earlyPlain struct {
	pieces []plainPiece
}

type plainPiece struct {
	capture.Plain       // with a payload of its own
	held          int64 // since when
}

func (p *plainPiece) cost() int { return int(unsafe.Sizeof(*p)) + len(p.Payload) }

// Plain implements capture.PlainHandler.
func (t *Table) Plain(p *capture.Plain) {
	t.stats.Plain.Add(1)
	if c := t.sockets[p.Socket]; c != nil {
		t.deliverPlain(c, p)
		return
	}
	switch {
	case t.owners.isOwn(p.Socket, t.now):
		t.stats.OwnSegments.Add(1)
	case t.closedLive.byKey[p.Socket] != nil:
		t.stats.PlainLate.Add(1)
	default:
		t.holdPlain(p)
	}
}

func (t *Table) deliverPlain(c *Conn, p *capture.Plain) {
	d := Out
	if p.Direction == capture.Ingress {
		d = In
	}
	c.AwaitsPlain = true
	t.stay(c, p.Time)
	c.LastActive = max(c.LastActive, p.Time)
	t.sink.Plain(c, d, Mark{Time: p.Time, Offset: p.Offset}, p.Payload)
}

func (t *Table) holdPlain(p *capture.Plain) {
	e := &t.early
	piece := plainPiece{*p, t.now}
	if len(e.pieces) >= maxPlainPieces || !t.budget.Take(piece.cost()) {
		t.stats.PlainDropped.Add(1)
		return
	}
	piece.Payload = bytes.Clone(p.Payload)
	e.pieces = append(e.pieces, piece)
}

// releasePlain hands over what was held of a connection that is open now.
func (t *Table) releasePlain(c *Conn) {
	t.early.pieces = slices.DeleteFunc(t.early.pieces, func(p plainPiece) bool {
		if p.Socket != c.Socket {
			return false
		}
		t.deliverPlain(c, &p.Plain)
		t.budget.Give(p.cost())
		return true
	})
}

// expirePlain gives up what was held for too long.
func (t *Table) expirePlain() {
	n := 0
	for n < len(t.early.pieces) && t.now-t.early.pieces[n].held > int64(plainTimeout) {
		n++
	}
	t.dropPlain(n)
}

// dropPlain gives up the oldest n pieces that are held.
func (t *Table) dropPlain(n int) {
	for i := range t.early.pieces[:n] {
		t.budget.Give(t.early.pieces[i].cost())
	}
	t.stats.PlainDropped.Add(uint64(n))
	t.early.pieces = slices.Delete(t.early.pieces, 0, n)
	if len(t.early.pieces) == 0 {
		t.early.pieces = nil
	}
}
