// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	pollInterval = 20 * time.Millisecond
	// maxStrangers bounds the addresses that are waited for no more, for as long as
	// strangerLife.
	maxStrangers = 4096
	strangerLife = time.Minute
)

// waits lets a batch wait until the address of a pod that is too new for the watch
// is known. A record waits until it has a certain age, so a stream of batches is
// late by that much at most, and not slower. The collector's queues hold what
// comes in the meantime.
type waits struct {
	timeout, syncTimeout time.Duration
	resolver             *resolver
	started              time.Time
	hopeless             atomic.Bool // there is no cluster
	resolved, expired    atomic.Int64

	stop    sync.Once
	stopped chan struct{}

	mu        sync.Mutex
	strangers map[netip.Addr]time.Time
}

func (w *waits) begin()  { w.started = time.Now() }
func (w *waits) giveUp() { w.hopeless.Store(true) }
func (w *waits) end()    { w.stop.Do(func() { close(w.stopped) }) }

// deadline gives until when a call waits whose peer is not known; the zero time
// if it does not.
func (w *waits) deadline(c *call, a *answer, now time.Time) time.Time {
	if c.known <= 0 || w.hopeless.Load() {
		return time.Time{}
	}
	address, ok := w.resolver.awaited(c, a)
	if !ok {
		return time.Time{}
	}
	until := time.Unix(0, c.known).Add(w.timeout)
	if now.Add(w.timeout).Before(until) { // a clock that is ahead
		until = now.Add(w.timeout)
	}
	if !w.resolver.Synced() {
		until = w.started.Add(w.syncTimeout)
	}
	if !until.After(now) || w.isStranger(address, now) {
		return time.Time{}
	}
	return until
}

// waitingCall is a call whose peer may yet become known.
type waitingCall struct {
	call
	until time.Time
}

// wait returns when the peers of all calls are known, or their time is over. It
// gives what is known of each.
func (w *waits) wait(ctx context.Context, calls []waitingCall) []answer {
	answers := make([]answer, len(calls))
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		left := 0
		now := time.Now()
		for i := range calls {
			if answers[i] = w.resolver.resolve(&calls[i].call); now.Before(calls[i].until) && !w.resolver.settled(&calls[i].call, &answers[i]) {
				left++
			}
		}
		if left == 0 {
			break
		}
		select {
		case <-poll.C:
			continue
		case <-ctx.Done():
		case <-w.stopped:
		}
		return answers
	}
	w.note(calls, answers)
	return answers
}

// note remembers whom waiting did not help.
func (w *waits) note(calls []waitingCall, answers []answer) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	found := true
	for i := range answers {
		address, ok := w.resolver.awaited(&calls[i].call, &answers[i])
		if !ok {
			continue
		}
		found = false
		if len(w.strangers) >= maxStrangers || w.strangers == nil {
			w.strangers = map[netip.Addr]time.Time{}
		}
		w.strangers[address] = now
	}
	if found {
		w.resolved.Add(1)
	} else {
		w.expired.Add(1)
	}
}

func (w *waits) isStranger(a netip.Addr, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	since, ok := w.strangers[a]
	return ok && now.Sub(since) < strangerLife
}
