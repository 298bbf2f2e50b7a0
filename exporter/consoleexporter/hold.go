// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"container/heap"
	"time"
)

// What is held at a time. Beyond, entries are printed before their time is over.
const (
	maxHeld      = 4096
	maxHeldBytes = 16 << 20
)

// hold keeps entries for a while: the other end of a call, and calls that were over before
// it, may come a little later, from another worker or in another batch.
type hold struct {
	wait    time.Duration
	byTime  heldByTime // all of them, the earliest first
	arrived []*held    // in the order in which they came; some may be gone
	open    map[match][]*held
	bytes   int
	count   uint64 // of all that ever came
}

// held is an entry that waits.
type held struct {
	entry
	due   time.Time
	size  int
	order uint64 // of its coming
	index int    // in byTime; -1: gone
}

// add takes an entry. If it is the other end of one that waits, the two become one.
func (h *hold) add(x *entry, now time.Time) {
	if other := h.otherEnd(x); other != nil {
		h.meet(other, x)
		return
	}
	h.count++
	e := &held{entry: *x, due: now.Add(h.wait), size: x.bytes(), order: h.count}
	heap.Push(&h.byTime, e)
	h.arrived = append(h.arrived, e)
	h.bytes += e.size
	if x.match == "" {
		return
	}
	if h.open == nil {
		h.open = make(map[match][]*held)
	}
	h.open[x.match] = append(h.open[x.match], e)
}

// otherEnd is the entry of the other end of the same call, or nil.
func (h *hold) otherEnd(x *entry) *held {
	if x.match == "" {
		return nil
	}
	for _, e := range h.open[x.match] {
		if e.side != x.side && e.side != bothSides {
			return e
		}
	}
	return nil
}

func (h *hold) meet(e *held, x *entry) {
	h.close(e)
	client, server := &e.entry, x
	if x.side == clientSide {
		client, server = x, &e.entry
	}
	e.entry = merge(client, server)
	h.bytes -= e.size
	e.size = e.entry.bytes()
	h.bytes += e.size
	heap.Fix(&h.byTime, e.index)
}

// close makes an entry wait for no other end.
func (h *hold) close(e *held) {
	waiting := h.open[e.match]
	for i, w := range waiting {
		if w != e {
			continue
		}
		if len(waiting) == 1 {
			delete(h.open, e.match)
		} else {
			h.open[e.match] = append(waiting[:i:i], waiting[i+1:]...)
		}
		return
	}
}

// release hands over, in the order of time, what has waited for long enough, and what
// happened before that.
func (h *hold) release(now time.Time, emit func(*entry) error) error {
	for len(h.arrived) > 0 && (h.full() || !now.Before(h.arrived[0].due)) {
		if err := h.releaseUpTo(h.arrived[0], emit); err != nil {
			return err
		}
	}
	return nil
}

// releaseAll hands over everything.
func (h *hold) releaseAll(emit func(*entry) error) error {
	for len(h.arrived) > 0 {
		if err := h.releaseUpTo(h.arrived[len(h.arrived)-1], emit); err != nil {
			return err
		}
	}
	return nil
}

// releaseUpTo hands over an entry and all that happened before it.
func (h *hold) releaseUpTo(last *held, emit func(*entry) error) error {
	for last.index >= 0 {
		e := heap.Pop(&h.byTime).(*held)
		h.close(e)
		h.bytes -= e.size
		if err := emit(&e.entry); err != nil {
			return err
		}
	}
	h.forgetGone()
	return nil
}

func (h *hold) forgetGone() {
	for len(h.arrived) > 0 && h.arrived[0].index < 0 {
		h.arrived[0] = nil
		h.arrived = h.arrived[1:]
	}
	for n := len(h.arrived); n > 0 && h.arrived[n-1].index < 0; n-- {
		h.arrived = h.arrived[:n-1]
	}
}

func (h *hold) full() bool { return len(h.byTime) > maxHeld || h.bytes > maxHeldBytes }

// next is how long it is until something has to be released; ok is false if nothing waits.
func (h *hold) next(now time.Time) (d time.Duration, ok bool) {
	if len(h.arrived) == 0 {
		return 0, false
	}
	return max(h.arrived[0].due.Sub(now), 0), true
}

// bytes is about what an entry holds in memory.
func (x *entry) bytes() int {
	const room = 1 << 10 // of an entry with short names
	n := room + len(x.match) + len(x.operation) + len(x.status) + len(x.stream.body.text)
	for _, m := range [...]*message{&x.request, &x.response} {
		n += len(m.body.text)
		for _, list := range [...][]header{m.headers, m.trailers} {
			for _, h := range list {
				n += len(h.name) + len(h.value) + 32
			}
		}
	}
	for _, f := range x.facts {
		n += len(f.text)
	}
	return n
}

// heldByTime implements heap.Interface.
type heldByTime []*held

func (h heldByTime) Len() int { return len(h) }

// Less keeps the order in which entries of the same time came.
func (h heldByTime) Less(i, j int) bool {
	if c := h[i].end.Compare(h[j].end); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}

func (h heldByTime) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *heldByTime) Push(x any) {
	e := x.(*held)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *heldByTime) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}
