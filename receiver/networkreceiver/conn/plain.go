// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"bytes"
	"slices"
	"time"
	"unsafe"

	"github.com/wirespan/wirespan/internal/budget"
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
	budget *budget.Budget
	stats  *Stats
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
		t.early.hold(p, t.now)
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

// hold copies a piece until its connection opens.
func (e *earlyPlain) hold(p *capture.Plain, now int64) {
	piece := plainPiece{*p, now}
	if len(e.pieces) >= maxPlainPieces || !e.budget.Take(piece.cost()) {
		e.stats.PlainDropped.Add(1)
		return
	}
	piece.Payload = bytes.Clone(p.Payload)
	e.pieces = append(e.pieces, piece)
}

// release calls deliver with what is held of a socket, and holds it no longer.
func (e *earlyPlain) release(socket uint64, deliver func(*capture.Plain)) {
	e.pieces = slices.DeleteFunc(e.pieces, func(p plainPiece) bool {
		if p.Socket != socket {
			return false
		}
		deliver(&p.Plain)
		e.budget.Give(p.cost())
		return true
	})
}

// expire gives up what was held for too long.
func (e *earlyPlain) expire(now int64) {
	n := 0
	for n < len(e.pieces) && now-e.pieces[n].held > int64(plainTimeout) {
		n++
	}
	e.drop(n)
}

// clear gives up all that is held.
func (e *earlyPlain) clear() { e.drop(len(e.pieces)) }

// drop gives up the oldest n pieces that are held.
func (e *earlyPlain) drop(n int) {
	for i := range e.pieces[:n] {
		e.budget.Give(e.pieces[i].cost())
	}
	e.stats.PlainDropped.Add(uint64(n))
	e.pieces = slices.Delete(e.pieces, 0, n)
	if len(e.pieces) == 0 {
		e.pieces = nil
	}
}
