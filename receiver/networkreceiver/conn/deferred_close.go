// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import "time"

// A process reads what it received later than that came, and a library's function tells
// what it was given only when it returns, by which time the other end may have answered
// and closed. So ends wait for plaintext.
const (
	readTimeout = time.Second            // since the last plaintext, where one end is still open
	overTimeout = 500 * time.Millisecond // likewise, where none is
)

// deferEnd notes an end that is told later.
func (t *Table) deferEnd(h *half, now int64, r Reason) {
	h.owedAt, h.owedFor = now, r
	t.owed.push(&h.owed, h, max(t.now, now))
}

// flushEnd tells the end of a direction that was not told yet.
func (t *Table) flushEnd(h *half) {
	if h.owed.in != nil {
		h.owed.remove()
		t.sink.End(h.c, h.dir, h.owedAt, h.owedFor)
	}
}

// payEnds tells those of both directions, in the order in which they came.
func (t *Table) payEnds(c *Conn) {
	out, in := &c.table.halves[Out], &c.table.halves[In]
	if in.owedAt < out.owedAt {
		t.flushEnd(in)
	}
	t.flushEnd(out)
	t.flushEnd(in)
}

func (t *Table) expireOwed() {
	for h := t.owed.expired(t.now, readTimeout); h != nil; h = t.owed.expired(t.now, readTimeout) {
		t.flushEnd(h)
	}
}

// linkOver lets a connection that has ended wait for plaintext.
func (t *Table) linkOver(c *Conn, now int64, r Reason) {
	c.table.over, c.table.overAt = r, now
	t.queues[overTCP].push(&c.table.node, c, max(t.now, now))
}

// closeOver ends that wait.
func (t *Table) closeOver(c *Conn) { t.tellClose(c, c.table.overAt, c.table.over) }

// stay lets ends wait longer, because there was plaintext.
func (t *Table) stay(c *Conn, now int64) {
	now = max(t.now, now)
	for d := range c.table.halves {
		if h := &c.table.halves[d]; h.owed.in != nil {
			t.owed.push(&h.owed, h, now)
		}
	}
	if c.table.over != "" {
		t.queues[overTCP].push(&c.table.node, c, now)
	}
}
