// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"
)

// fakeClocks are the system's clocks. Reading takes a while.
type fakeClocks struct{ monotonic, realtime int64 }

func (f *fakeClocks) read(id int32) int64 {
	f.pass(50)
	if id == unix.CLOCK_REALTIME {
		return f.realtime
	}
	return f.monotonic
}

func (f *fakeClocks) pass(d time.Duration) {
	f.monotonic += int64(d)
	f.realtime += int64(d)
}

// TestClockSteps sets the system's clock while a capture runs.
func TestClockSteps(t *testing.T) {
	system := &fakeClocks{monotonic: int64(time.Hour), realtime: 1_700_000_000e9}
	var c clock
	c.start(system.read)
	assert.InDelta(t, system.realtime, c.now(), 1000)
	for _, step := range []time.Duration{time.Hour, -3 * time.Hour, 24 * time.Hour, 2 * time.Second, -22 * time.Hour} {
		before := c.now()
		sent := uint64(system.monotonic)
		system.realtime += int64(step)
		system.pass(clockRefresh)
		after := c.now()
		assert.InDelta(t, clockRefresh, after-before, 1000, "no time is lost or made up")
		assert.InDelta(t, before, c.unix(sent), 1000, "a packet from before is where it was")
		assert.InDelta(t, system.realtime, after+c.step.Load(), 10_000, "with the step it is the system's time")
	}
	assert.InDelta(t, 2*time.Second, c.step.Load(), 10_000, "the sum of the steps")
}

// TestClockNoise measures the system's clock while the machine is busy: what is
// within the error of measurement is no step.
func TestClockNoise(t *testing.T) {
	system := &fakeClocks{monotonic: int64(time.Hour), realtime: 1_700_000_000e9}
	var c clock
	c.start(system.read)
	for i := range 100 {
		system.realtime += int64(i%3-1) * 100_000
		system.pass(clockRefresh)
		c.now()
		assert.Zero(t, c.step.Load())
	}
}
