// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// clockRefresh is how often the offsets are measured again: the wall clock may
// be set, and its rate is disciplined.
const clockRefresh = time.Second

// clock turns the kernel's time stamps into Unix time. It belongs to one shard.
type clock struct {
	monotonic int64 // Unix time minus CLOCK_MONOTONIC, ns
	refreshed int64 // CLOCK_MONOTONIC, ns
}

// now is the Unix time by which ticks are given, in step with unix.
func (c *clock) now() int64 {
	t := readClock(unix.CLOCK_MONOTONIC)
	if c.monotonic == 0 || t-c.refreshed >= int64(clockRefresh) {
		c.monotonic = clockOffset(unix.CLOCK_MONOTONIC)
		c.refreshed = t
	}
	return t + c.monotonic
}

// unix is the Unix time of a monotonic time stamp.
func (c *clock) unix(monotonic uint64) int64 { return int64(monotonic) + c.monotonic }

func readClock(id int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0
	}
	return t.Nano()
}

// clockOffset is Unix time minus the time of another clock. The shortest of a
// few measurements is the one that was least disturbed.
func clockOffset(id int32) int64 {
	var offset int64
	shortest := int64(math.MaxInt64)
	for range 5 {
		before := readClock(unix.CLOCK_REALTIME)
		other := readClock(id)
		after := readClock(unix.CLOCK_REALTIME)
		if d := after - before; d >= 0 && d < shortest {
			shortest, offset = d, before+d/2-other
		}
	}
	return offset
}
