// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

// admit makes room for one more connection. It reports false if the budget is
// used up by others.
func (t *Table) admit() bool {
	for t.connections() >= t.settings.MaxConnections {
		t.evict()
	}
	if t.budget.Take(t.cost) {
		return true
	}
	if t.connections() > 0 {
		t.evict()
		if t.budget.Take(t.cost) {
			return true
		}
	}
	t.stats.Refused.Add(1)
	return false
}

// relieve evicts connections for as long as memory is scarce, so that those that are
// active do not run out of it. A call in the middle of something else must not do that.
func (t *Table) relieve() {
	for t.budget.Scarce() && t.connections() > 1 {
		t.evict()
	}
}

func (t *Table) connections() (n int) {
	for q := range t.queues {
		n += t.queues[q].len
	}
	return n
}

// evict closes the oldest idle connection: one that ends anyway, else of those that are half-open if they are many,
// so that a flood of handshakes can't push out what is in use, else of the others, so
// that idle ones can't keep out what is new.
func (t *Table) evict() {
	for _, q := range [...]queue{overTCP, resetTCP, closingTCP} {
		if n := t.queues[q].front; n != nil {
			t.close(n.item, t.now, ReasonEvicted)
			return
		}
	}
	c, open := t.older(halfOpenTCP, halfOpenUDP), t.older(openTCP, openUDP)
	if c == nil || open != nil && !t.flooded() {
		c = open
	}
	if c != nil {
		t.close(c, t.now, ReasonEvicted)
	}
}

// flooded reports whether more than an eighth of the connections are half-open.
func (t *Table) flooded() bool {
	return (t.queues[halfOpenTCP].len+t.queues[halfOpenUDP].len)*8 > t.connections()
}

// older is the oldest of two queues.
func (t *Table) older(a, b queue) *Conn {
	x, y := t.queues[a].front, t.queues[b].front
	switch {
	case x == nil && y == nil:
		return nil
	case y == nil || x != nil && x.since <= y.since:
		return x.item
	default:
		return y.item
	}
}

// expireConnections closes what has been idle for too long.
func (t *Table) expireConnections() {
	s := &t.settings
	idle := [queues]int64{
		halfOpenTCP: int64(s.HalfOpenTimeout), halfOpenUDP: int64(s.UDPIdleTimeout), overTCP: int64(overTimeout), resetTCP: int64(s.ClosedTimeout),
		closingTCP: int64(closingTimeout), openTCP: int64(s.TCPIdleTimeout), openUDP: int64(s.UDPIdleTimeout),
	}
	for q := range t.queues {
		for n := t.queues[q].front; n != nil && t.now-n.since >= idle[q]; n = t.queues[q].front {
			why := ReasonIdle
			if queue(q) == closingTCP {
				why = ReasonFIN
			}
			t.close(n.item, t.now, why)
		}
	}
}
