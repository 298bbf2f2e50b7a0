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
)

// dropReason says why finished records were dropped.
type dropReason int

const (
	dropQueueFull dropReason = iota // the next component has been slow for too long
	dropMemory                      // likewise, and the memory budget is used up
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
	memory  *budget.Budget
	queue   chan sized[T]
	dropped [dropReasons]atomic.Uint64 // records

	done     chan struct{}      // closed when the queue is drained
	hurry    context.Context    // ends when Shutdown wants no more waiting
	hurryNow context.CancelFunc // ends hurry
	cut      context.Context    // ends with Shutdown's deadline
	cutNow   context.CancelFunc
	unarm    func() bool
}

// sized is a batch with the bytes that it has taken from the budget.
type sized[T any] struct {
	batch T
	bytes int
}

func newDelivery[T any](s signal[T], cfg *Config, wait bool, memory *budget.Budget) *delivery[T] {
	d := &delivery[T]{
		signal: s, retry: cfg.RetryOnFailure, wait: wait, memory: memory,
		queue: make(chan sized[T], cfg.Queue.Batches), done: make(chan struct{}),
	}
	d.hurry, d.hurryNow = context.WithCancel(context.Background()) //nolint:gosec // hasten ends it
	d.cut, d.cutNow = context.WithCancel(context.Background())     //nolint:gosec // finish ends it
	go d.run()
	return d
}

// put queues one batch of a size. It never blocks, unless the source can wait.
func (d *delivery[T]) put(batch T, bytes int) {
	if d.wait {
		// The source is held back, so the length of the queue bounds the memory.
		select {
		case d.queue <- sized[T]{batch, 0}:
		case <-d.cut.Done():
			d.drop(dropShutdown, batch)
		}
		return
	}
	if !d.memory.Take(bytes) {
		d.drop(dropMemory, batch)
		return
	}
	select {
	case d.queue <- sized[T]{batch, bytes}:
	default:
		d.memory.Give(bytes)
		d.drop(dropQueueFull, batch)
	}
}

// hasten ends the pauses between tries, and all tries when ctx ends. It comes
// before the last put, so that a source that waits for room gets it.
func (d *delivery[T]) hasten(ctx context.Context) {
	d.hurryNow()
	d.unarm = context.AfterFunc(ctx, d.cutNow)
}

// finish hands on what is queued. There must be no put after it.
func (d *delivery[T]) finish() {
	close(d.queue)
	<-d.done
	d.unarm()
	d.cutNow()
}

func (d *delivery[T]) run() {
	defer close(d.done)
	for next := range d.queue {
		d.deliver(next.batch)
		d.memory.Give(next.bytes)
	}
}

// deliver hands on one batch, again and again while it is refused.
func (d *delivery[T]) deliver(batch T) {
	n := d.signal.count(batch)
	ctx := d.signal.begin(d.cut)
	err := d.signal.consume(ctx, batch)
	if err != nil {
		err = d.again(ctx, batch, err)
	}
	d.signal.end(ctx, n, err)
}

// again retries a refused batch and gives the error that remains.
func (d *delivery[T]) again(ctx context.Context, batch T, err error) error {
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
			batch = rest
		}
		switch {
		case consumererror.IsPermanent(err):
			return d.dropWith(dropPermanent, batch, err)
		case !d.retry.Enabled:
			return d.dropWith(dropDisabled, batch, err)
		case d.retry.MaxElapsedTime > 0 && time.Since(start) >= d.retry.MaxElapsedTime:
			return d.dropWith(dropExpired, batch, err)
		}
		if !d.sleep(pause.NextBackOff()) {
			return d.dropWith(dropShutdown, batch, errors.Join(err, context.Canceled))
		}
		if err = d.signal.consume(ctx, batch); err == nil {
			return nil
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

func (d *delivery[T]) drop(reason dropReason, batch T) {
	d.dropped[reason].Add(uint64(d.signal.count(batch)))
}

func (d *delivery[T]) dropWith(reason dropReason, batch T, err error) error {
	d.drop(reason, batch)
	return err
}
