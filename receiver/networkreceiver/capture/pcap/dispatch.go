// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// batchesAhead bounds what is read ahead: so many batches wait for each shard, while
// one is being filled and one is being worked on.
const batchesAhead = 2

// dealer reads for several shards at once: one goroutine decodes, and deals what it
// finds in batches. It waits for the slowest shard, so that what is held is bounded
// and nothing is dropped.
type dealer struct {
	source      *Source
	shardQueues []*shardQueue
	start       sync.Once
	cancel      context.CancelFunc
	running     atomic.Int32  // shards that have not left
	ended       chan struct{} // closed when nothing is read any more
	err         error         // of reading; set before the shardQueues are closed
}

func newDealer(s *Source) *dealer {
	d := &dealer{source: s, ended: make(chan struct{})}
	d.running.Store(int32(s.Shards()))
	for range s.Shards() {
		d.shardQueues = append(d.shardQueues, &shardQueue{
			full: make(chan *batch, batchesAhead),
			used: make(chan *batch, batchesAhead+2), // room for all that there are
			open: new(batch),
		})
	}
	return d
}

// run delivers to h what is dealt to a shard.
func (d *dealer) run(ctx context.Context, shard int, h capture.Handler) error {
	d.start.Do(func() { d.begin(ctx) })
	shardQueue := d.shardQueues[shard]
	defer d.leave(shardQueue)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case b, ok := <-shardQueue.full:
			if !ok {
				return d.result(shard)
			}
			b.deliver(h)
			shardQueue.used <- b
		}
	}
	return nil
}

// result is what a shard returns at the end of all files: the first one tells of
// errors.
func (d *dealer) result(shard int) error {
	if shard == 0 {
		return d.err
	}
	return nil
}

// begin starts the reading. It ends with the last shard, not with the first.
func (d *dealer) begin(ctx context.Context) {
	ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, shardQueue := range d.shardQueues {
		wanted, leave := context.WithCancel(ctx)
		shardQueue.unwanted, shardQueue.leave = wanted.Done(), leave
	}
	go d.read(ctx)
}

func (d *dealer) read(ctx context.Context) {
	defer close(d.ended)
	shards := make([]capture.Handler, len(d.shardQueues))
	for i, shardQueue := range d.shardQueues {
		shards[i] = shardQueue
	}
	d.err = d.source.readAll(ctx, newReader(d.source, shards...))
	for _, shardQueue := range d.shardQueues {
		shardQueue.dispatch()
		close(shardQueue.full)
	}
}

// leave says that a shard takes nothing more. The last one ends the reading.
func (d *dealer) leave(shardQueue *shardQueue) {
	shardQueue.leave()
	if d.running.Add(-1) == 0 {
		d.stop()
	}
}

// stop ends the reading, and waits until it has ended.
func (d *dealer) stop() {
	d.start.Do(func() { d.cancel = func() {}; close(d.ended) }) // it never began
	d.cancel()
	<-d.ended
}

// shardQueue collects what a shard's handler will be called with. It is itself a handler,
// that of the reader.
type shardQueue struct {
	full, used chan *batch
	open       *batch
	unwanted   <-chan struct{} // closed when the shard takes nothing more
	leave      context.CancelFunc
}

// Segment implements capture.Handler.
func (d *shardQueue) Segment(seg *capture.Segment) {
	if !d.open.fits(seg) {
		d.dispatch()
	}
	d.open.segment(seg)
}

// Tick implements capture.Handler.
func (d *shardQueue) Tick(now int64) {
	d.add(event{kind: ticked, segment: capture.Segment{Time: now}})
}

// Lost implements capture.Handler.
func (d *shardQueue) Lost(n uint64, reason capture.LossReason) {
	d.add(event{kind: lost, n: n, reason: reason})
}

// Owner implements capture.Handler: a capture file knows no process.
func (*shardQueue) Owner(uint64, *capture.Process) {}

func (d *shardQueue) add(e event) {
	if len(d.open.events) == batchEvents {
		d.dispatch()
	}
	d.open.events = append(d.open.events, e)
}

// dispatch hands over the open batch and opens another one.
func (d *shardQueue) dispatch() {
	select {
	case d.full <- d.open:
	case <-d.unwanted:
		d.open.reset()
		return
	}
	select {
	case d.open = <-d.used:
		d.open.reset()
	default:
		d.open = new(batch)
	}
}
