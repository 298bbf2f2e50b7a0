// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

// admit makes room for one more connection. It reports false if the budget is
// used up by others.
func (t *Table) admit() bool {
	for t.connections() >= t.settings.MaxConnections {
		t.evict()
	}
	if t.budget.Take(connCost) {
		return true
	}
	if t.connections() > 0 {
		t.evict()
		if t.budget.Take(connCost) {
			return true
		}
	}
	t.stats.Refused.Add(1)
	return false
}

func (t *Table) connections() (n int) {
	for q := range t.queues {
		n += t.queues[q].len
	}
	return n
}

// evict closes the oldest idle connection, a half-open one if there is one, so
// that a flood of handshakes can't push out what is in use.
func (t *Table) evict() {
	c := t.older(halfOpenTCP, halfOpenUDP)
	if c == nil {
		c = t.older(openTCP, openUDP)
	}
	if c != nil {
		t.close(c, t.now, ReasonEvicted)
	}
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
		halfOpenTCP: int64(s.HalfOpenTimeout), halfOpenUDP: int64(s.UDPIdleTimeout),
		openTCP: int64(s.TCPIdleTimeout), openUDP: int64(s.UDPIdleTimeout),
	}
	for q := range t.queues {
		for n := t.queues[q].front; n != nil && t.now-n.since >= idle[q]; n = t.queues[q].front {
			t.close(n.item, t.now, ReasonIdle)
		}
	}
}
