// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"slices"
	"sync"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

// item is a batch that waits.
type item[T any] struct {
	class   telemetry.Class
	batch   T
	records int
	bytes   int // of memory; taken from the budget while the item is queued or delivered
}

// queue holds the batches of a signal that wait for the next component. Urgent
// ones leave it first; within a class the order stays. It is bounded by number
// and by bytes. Where there is no room, an urgent batch gets that of the oldest
// ordinary ones, and any other newcomer is refused: so urgent records are kept
// longest, and among equals those that came first.
//
// The youngest batch that waits grows by those that come after it, up to the size
// of a batch. So a long wait does not fill the queue with small batches.
type queue[T any] struct {
	limits queueLimits
	memory *budget.Budget
	join   func(into, more T)
	drop   func(dropReason, item[T]) // what gives way

	mu      sync.Mutex
	filled  sync.Cond                    // something waits, or closed
	waiting [telemetry.Classes][]item[T] // oldest first
	bytes   int
	closed  bool

	room chan struct{} // has a token after room was made
}

// queueLimits bounds what waits.
type queueLimits struct {
	batches, bytes int
	batch          telemetry.Batch // up to which batches grow
}

func (q *queue[T]) init(limits queueLimits, memory *budget.Budget, join func(into, more T), drop func(dropReason, item[T])) {
	q.limits, q.memory, q.join, q.drop = limits, memory, join, drop
	q.filled.L = &q.mu
	q.room = make(chan struct{}, 1)
}

// push adds x, or drops what has to give way: x itself, or what is less urgent.
func (q *queue[T]) push(x item[T]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		reason, ok := q.add(x)
		if ok {
			return
		}
		if !q.sacrifice(reason, x.class) {
			q.drop(reason, x)
			return
		}
	}
}

// offer adds x if there is room. If not, room gets a token when there may be.
func (q *queue[T]) offer(x item[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, ok := q.add(x)
	if ok && q.count() < q.limits.batches {
		q.tellRoom()
	}
	return ok
}

// pop waits for the next batch. It reports false when the queue is closed and
// empty. The bytes of the batch stay taken until free.
func (q *queue[T]) pop() (x item[T], ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for _, class := range [...]telemetry.Class{telemetry.Urgent, telemetry.Ordinary} {
			if len(q.waiting[class]) > 0 {
				q.tellRoom()
				return q.shift(class), true
			}
		}
		if q.closed {
			return x, false
		}
		q.filled.Wait()
	}
}

// free gives back the bytes of a batch that was popped.
func (q *queue[T]) free(x item[T]) { q.memory.Give(x.bytes) }

// close lets pop end when nothing waits any more.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}

// size is the number of batches that wait.
func (q *queue[T]) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count()
}

// add adds x where nothing has to give way, or says what is exhausted.
func (q *queue[T]) add(x item[T]) (dropReason, bool) {
	list := q.waiting[x.class]
	last := len(list) - 1
	joins := last >= 0 && list[last].records+x.records <= q.limits.batch.Records && list[last].bytes+x.bytes <= q.limits.batch.Bytes
	if !joins && q.count() >= q.limits.batches {
		return dropQueueFull, false
	}
	if q.count() > 0 && q.bytes+x.bytes > q.limits.bytes || !q.memory.Take(x.bytes) {
		return dropMemory, false
	}
	q.bytes += x.bytes
	if joins {
		q.join(list[last].batch, x.batch)
		list[last].records += x.records
		list[last].bytes += x.bytes
		return 0, true
	}
	q.waiting[x.class] = append(list, x)
	q.filled.Signal()
	return 0, true
}

// sacrifice drops the oldest batch that is less urgent than a class, if there is
// one.
func (q *queue[T]) sacrifice(reason dropReason, newcomer telemetry.Class) bool {
	for class := range newcomer {
		if len(q.waiting[class]) > 0 {
			victim := q.shift(class)
			q.free(victim)
			q.drop(reason, victim)
			return true
		}
	}
	return false
}

// shift takes the oldest batch of a class out of the queue.
func (q *queue[T]) shift(class telemetry.Class) item[T] {
	x := q.waiting[class][0]
	q.waiting[class] = slices.Delete(q.waiting[class], 0, 1)
	q.bytes -= x.bytes
	return x
}

func (q *queue[T]) count() (n int) {
	for _, list := range q.waiting {
		n += len(list)
	}
	return n
}

func (q *queue[T]) tellRoom() {
	select {
	case q.room <- struct{}{}:
	default:
	}
}
