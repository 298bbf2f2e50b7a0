// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// clockRefresh is how often the system's clock is looked at.
	clockRefresh = time.Second
	// minStep is from which difference on the system's clock was set. A measurement
	// that is disturbed can be off by less.
	minStep = int64(time.Millisecond)
)

// clock turns the kernel's time stamps into Unix time. It runs as CLOCK_MONOTONIC
// does, so that neither durations nor ages change when the system's clock is set;
// how far it was set is told apart. All shards share it.
type clock struct {
	read      func(id int32) int64 // ns
	offset    int64                // Unix time minus CLOCK_MONOTONIC at the start, ns
	refreshed atomic.Int64         // CLOCK_MONOTONIC, ns
	step      atomic.Int64         // by which the system's clock was set since the start, ns
}

// start sets the clock by the system's.
func (c *clock) start(read func(id int32) int64) {
	c.read = read
	c.offset = clockOffset(read, unix.CLOCK_MONOTONIC)
	c.refreshed.Store(read(unix.CLOCK_MONOTONIC))
	c.step.Store(0)
}

// now is the time by which ticks are given, in step with unix.
func (c *clock) now() int64 {
	t := c.read(unix.CLOCK_MONOTONIC)
	if last := c.refreshed.Load(); t-last >= int64(clockRefresh) && c.refreshed.CompareAndSwap(last, t) {
		c.refresh()
	}
	return t + c.offset
}

// refresh finds out whether the system's clock was set.
func (c *clock) refresh() {
	step := clockOffset(c.read, unix.CLOCK_MONOTONIC) - c.offset
	if d := step - c.step.Load(); d >= minStep || d <= -minStep {
		c.step.Store(step)
	}
}

// unix is the time of a monotonic time stamp.
func (c *clock) unix(monotonic uint64) int64 { return int64(monotonic) + c.offset }

func readClock(id int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0
	}
	return t.Nano()
}

// clockOffset is Unix time minus the time of another clock. The shortest of a
// few measurements is the one that was least disturbed.
func clockOffset(read func(id int32) int64, id int32) int64 {
	var offset int64
	shortest := int64(math.MaxInt64)
	for range 5 {
		before := read(unix.CLOCK_REALTIME)
		other := read(id)
		after := read(unix.CLOCK_REALTIME)
		if d := after - before; d >= 0 && d < shortest {
			shortest, offset = d, before+d/2-other
		}
	}
	return offset
}
