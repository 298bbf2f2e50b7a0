// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v7"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

// dropReason says why finished records were dropped.
type dropReason int

const (
	dropQueueFull dropReason = iota // the next component has been slow for too long
	dropMemory                      // likewise, and the queue's memory is used up
	dropPermanent                   // the next component said that it can never take them
	dropExpired                     // retry_on_failure::max_elapsed_time is over
	dropDisabled                    // refused, and retry_on_failure is off
	dropShutdown                    // the time to shut down is over
	dropReasons
)

func (r dropReason) String() string {
	return [...]string{"queue_full", "memory", "permanent_error", "retries_expired", "retries_disabled", "shutdown"}[r]
}

// signal is what delivery has to know of one kind of pdata.
type signal[T any] struct {
	consume func(context.Context, T) error
	// rest gives what an error says was not taken, if it says so.
	rest  func(error) (T, bool)
	count func(T) int
	// join moves the records of one batch to the end of another.
	join func(into, more T)
	// begin and end report one operation to the collector's own telemetry.
	begin func(context.Context) context.Context
	end   func(context.Context, int, error)
}

// delivery hands the batches of one signal to the next component. A tap cannot
// push back on applications, so the queue is bounded, a refused batch is tried
// again for a bounded time, and what is dropped is counted with its reason.
type delivery[T any] struct {
	signal  signal[T]
	retry   configretry.BackOffConfig
	wait    bool // a full queue blocks put: the source can wait (capture files)
	queue   queue[T]
	dropped [dropReasons][telemetry.Classes]atomic.Uint64 // records

	busy     atomic.Pointer[item[T]] // what is being delivered
	done     chan struct{}           // closed when the queue is drained
	hurry    context.Context         // ends when Shutdown wants no more waiting
	hurryNow context.CancelFunc      // ends hurry
	cut      context.Context         // ends with Shutdown's deadline
	cutNow   context.CancelFunc
	unarm    func() bool
}

// newDelivery starts a delivery whose queue may hold so many bytes. A source that
// can wait is held back by that alone: it must not wait for what it holds itself.
func newDelivery[T any](s signal[T], cfg *Config, wait bool, memory *budget.Budget, bytes int) *delivery[T] {
	d := &delivery[T]{signal: s, retry: cfg.RetryOnFailure, wait: wait, done: make(chan struct{})}
	if wait {
		memory = nil
	}
	d.queue.init(queueLimits{cfg.Queue.Batches, bytes, batchSettings(cfg)}, memory, s.join, d.drop)
	d.hurry, d.hurryNow = context.WithCancel(context.Background()) //nolint:gosec // hasten ends it
	d.cut, d.cutNow = context.WithCancel(context.Background())     //nolint:gosec // finish ends it
	go d.run()
	return d
}

// put queues one batch of a size. It never blocks, unless the source can wait.
func (d *delivery[T]) put(class telemetry.Class, batch T, bytes int) {
	x := item[T]{class, batch, d.signal.count(batch), bytes}
	if !d.wait {
		d.queue.push(x)
		return
	}
	for !d.queue.offer(x) {
		select {
		case <-d.queue.room:
		case <-d.cut.Done():
			d.drop(dropShutdown, x)
			return
		}
	}
}

// hasten ends the pauses between tries, and all tries when ctx ends. It comes
// before the last put, so that a source that waits for room gets it.
func (d *delivery[T]) hasten(ctx context.Context) {
	d.hurryNow()
	d.unarm = context.AfterFunc(ctx, d.cutNow)
}

// finish hands on what is queued, until the time of hasten is over. There must be no
// put after it.
func (d *delivery[T]) finish() {
	d.queue.close()
	select {
	case <-d.done:
	case <-d.cut.Done():
		d.leave()
	}
	d.unarm()
	d.cutNow()
}

// reaction is how long the next component may take to heed that its context has ended.
const reaction = 500 * time.Millisecond

// leave waits a moment for run to end, which drops what is queued. A next component that
// does not return is left behind, with its batch counted as dropped.
func (d *delivery[T]) leave() {
	select {
	case <-d.done:
	case <-time.After(reaction):
		if x := d.busy.Swap(nil); x != nil {
			d.drop(dropShutdown, *x)
		}
		d.dropQueued()
	}
}

func (d *delivery[T]) run() {
	defer close(d.done)
	for d.cut.Err() == nil {
		next, ok := d.queue.pop()
		if !ok {
			return
		}
		d.deliver(next)
		d.queue.free(next)
	}
	d.dropQueued()
}

// dropQueued drops what waits. The queue must be closed, or become so.
func (d *delivery[T]) dropQueued() {
	for {
		x, ok := d.queue.pop()
		if !ok {
			return
		}
		d.drop(dropShutdown, x)
		d.queue.free(x)
	}
}

// deliver hands on one batch, again and again while it is refused.
func (d *delivery[T]) deliver(x item[T]) {
	d.busy.Store(&x)
	ctx := d.signal.begin(d.cut)
	err := d.signal.consume(ctx, x.batch)
	var refused refusal[T]
	if err != nil {
		refused, err = d.again(ctx, x, err)
	}
	if left := d.busy.Swap(nil) == nil; err != nil && !left {
		d.drop(refused.reason, refused.rest)
	}
	d.signal.end(ctx, x.records, err)
}

// refusal is what was not taken in the end, and why.
type refusal[T any] struct {
	reason dropReason
	rest   item[T]
}

// again retries a refused batch and returns what remains refused, and the error.
func (d *delivery[T]) again(ctx context.Context, x item[T], err error) (refusal[T], error) {
	pause := backoff.ExponentialBackOff{
		InitialInterval:     d.retry.InitialInterval,
		RandomizationFactor: d.retry.RandomizationFactor,
		Multiplier:          d.retry.Multiplier,
		MaxInterval:         d.retry.MaxInterval,
	}
	pause.Reset()
	start := time.Now()
	for {
		if rest, ok := d.signal.rest(err); ok {
			x.batch, x.records = rest, d.signal.count(rest)
		}
		switch {
		case consumererror.IsPermanent(err):
			return refusal[T]{dropPermanent, x}, err
		case !d.retry.Enabled:
			return refusal[T]{dropDisabled, x}, err
		case d.retry.MaxElapsedTime > 0 && time.Since(start) >= d.retry.MaxElapsedTime:
			return refusal[T]{dropExpired, x}, err
		}
		if !d.sleep(pause.NextBackOff()) {
			return refusal[T]{dropShutdown, x}, errors.Join(err, context.Canceled)
		}
		if err = d.signal.consume(ctx, x.batch); err == nil {
			return refusal[T]{}, nil
		}
	}
}

// hurried is the pause between tries while the receiver shuts down.
const hurried = 20 * time.Millisecond

// sleep waits before the next try and reports whether there may be one.
func (d *delivery[T]) sleep(pause time.Duration) bool {
	pause = max(pause, time.Millisecond)
	if d.hurry.Err() != nil {
		pause = min(pause, hurried)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.cut.Done():
	case <-d.untilHurry():
	}
	return d.cut.Err() == nil
}

// untilHurry wakes a sleeper once, when the shutdown begins.
func (d *delivery[T]) untilHurry() <-chan struct{} {
	if d.hurry.Err() != nil {
		return nil
	}
	return d.hurry.Done()
}

func (d *delivery[T]) drop(reason dropReason, x item[T]) {
	d.dropped[reason][x.class].Add(uint64(x.records))
}

// eachDrop calls f with the number of records dropped, of each class for each
// reason. It does nothing without a delivery.
func (d *delivery[T]) eachDrop(f func(reason dropReason, class telemetry.Class, n uint64)) {
	if d == nil {
		return
	}
	for reason := range dropReasons {
		for class := range telemetry.Classes {
			f(reason, class, d.dropped[reason][class].Load())
		}
	}
}

// drops is the number of records dropped.
func (d *delivery[T]) drops() (sum uint64) {
	d.eachDrop(func(_ dropReason, _ telemetry.Class, n uint64) { sum += n })
	return sum
}
