// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

// recordingSignal is a signal whose batches are lists of record numbers.
type recordingSignal struct {
	mu     sync.Mutex
	taken  []int
	answer func(batch []int) error
	ended  []error
}

var errPartly = errors.New("partly refused")

type partly struct{ rest []int }

func (partly) Error() string { return errPartly.Error() }

func (s *recordingSignal) signal() signal[*[]int] {
	return signal[*[]int]{
		consume: func(_ context.Context, batch *[]int) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if err := s.answer(*batch); err != nil {
				return err
			}
			s.taken = append(s.taken, *batch...)
			return nil
		},
		rest: func(err error) (*[]int, bool) {
			var p partly
			ok := errors.As(err, &p)
			return &p.rest, ok
		},
		count: func(batch *[]int) int { return len(*batch) },
		join:  func(into, more *[]int) { *into = append(*into, *more...) },
		begin: func(ctx context.Context) context.Context { return ctx },
		end:   func(_ context.Context, _ int, err error) { s.ended = append(s.ended, err) },
	}
}

func deliveryConfig(batches int) *Config {
	cfg := NewDefaultConfig()
	cfg.Queue.Batches = batches
	cfg.Batch.MaxRecords = 1 // what waits does not grow
	return cfg
}

func finish(d *delivery[*[]int], within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	d.hasten(ctx)
	d.finish()
}

func dropped(d *delivery[*[]int]) map[string]uint64 {
	out := map[string]uint64{}
	d.eachDrop(func(reason dropReason, _ telemetry.Class, n uint64) {
		if n > 0 {
			out[reason.String()] += n
		}
	})
	return out
}

func TestDelivery(t *testing.T) {
	refusals := func(n int) func([]int) error {
		return func([]int) error {
			if n > 0 {
				n--
				return errors.New("later")
			}
			return nil
		}
	}
	tests := []struct {
		name    string
		answer  func([]int) error
		retry   func(*configretry.BackOffConfig)
		pause   time.Duration // before the shutdown
		taken   []int
		dropped map[string]uint64
		failed  bool
	}{
		{name: "accepted", answer: refusals(0), taken: []int{1, 2, 3}},
		{name: "refused, then accepted", answer: refusals(3), pause: time.Minute, taken: []int{1, 2, 3}},
		{name: "refused until the shutdown begins", answer: refusals(3), taken: []int{1, 2, 3}},
		{
			name: "the rest is tried again", taken: []int{3}, pause: time.Minute,
			answer: func(batch []int) error {
				if len(batch) == 3 {
					return partly{rest: batch[2:]}
				}
				return nil
			},
		},
		{
			name:    "permanent",
			answer:  func([]int) error { return consumererror.NewPermanent(errors.New("never")) },
			dropped: map[string]uint64{"permanent_error": 3}, failed: true,
		},
		{
			name: "expired", answer: refusals(1 << 30), pause: time.Hour,
			dropped: map[string]uint64{"retries_expired": 3}, failed: true,
		},
		{
			name: "disabled", answer: refusals(1), pause: time.Minute,
			retry:   func(c *configretry.BackOffConfig) { c.Enabled = false },
			dropped: map[string]uint64{"retries_disabled": 3}, failed: true,
		},
		{
			name: "refused beyond the shutdown", answer: refusals(1 << 30),
			dropped: map[string]uint64{"shutdown": 3}, failed: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &recordingSignal{answer: tt.answer}
				cfg := deliveryConfig(4)
				if tt.retry != nil {
					tt.retry(&cfg.RetryOnFailure)
				}
				memory := budget.New(100)
				d := newDelivery(s.signal(), cfg, false, memory, 100)
				d.put(telemetry.Ordinary, &[]int{1, 2, 3}, 60)
				time.Sleep(tt.pause)
				finish(d, 5*time.Second)
				assert.Equal(t, tt.taken, s.taken)
				if tt.dropped == nil {
					tt.dropped = map[string]uint64{}
				}
				assert.Equal(t, tt.dropped, dropped(d))
				assert.Equal(t, tt.failed, s.ended[0] != nil)
				assert.Zero(t, memory.Used())
			})
		})
	}
}

func TestDeliveryNeverBlocksATap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &recordingSignal{answer: func([]int) error { <-release; return nil }}
		d := newDelivery(s.signal(), deliveryConfig(2), false, nil, 1000)
		for i := range 10 {
			d.put(telemetry.Ordinary, &[]int{i}, 10)
			synctest.Wait()
		}
		assert.Equal(t, map[string]uint64{"queue_full": 7}, dropped(d), "one is being consumed, two are queued")
		close(release)
		finish(d, time.Second)
		assert.Equal(t, []int{0, 1, 2}, s.taken)
	})
}

func TestDeliveryWaitsForFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recordingSignal{answer: func([]int) error { time.Sleep(time.Second); return nil }}
		d := newDelivery(s.signal(), deliveryConfig(1), true, budget.New(1), 1)
		for i := range 10 {
			d.put(telemetry.Ordinary, &[]int{i}, 10)
		}
		finish(d, time.Minute)
		assert.Empty(t, dropped(d))
		assert.Len(t, s.taken, 10)
	})
}

func TestDeliveryKeepsToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &recordingSignal{answer: func([]int) error { <-release; return nil }}
		memory := budget.New(25)
		d := newDelivery(s.signal(), deliveryConfig(10), false, memory, 100)
		for i := range 4 {
			d.put(telemetry.Ordinary, &[]int{i}, 10)
			synctest.Wait()
		}
		assert.Equal(t, map[string]uint64{"memory": 2}, dropped(d))
		assert.EqualValues(t, 20, memory.Used())
		close(release)
		finish(d, time.Second)
		assert.Equal(t, []int{0, 1}, s.taken)
		assert.Zero(t, memory.Used())
	})
}

// A next component that heeds no context must not keep the receiver from its end: what it
// holds and what waits for it is counted once, whatever becomes of it later.
func TestDeliveryLeavesAStuckConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &recordingSignal{answer: func([]int) error { <-release; return errors.New("too late") }}
		d := newDelivery(s.signal(), deliveryConfig(4), false, nil, 1000)
		for i := range 4 {
			d.put(telemetry.Ordinary, &[]int{i, -i}, 10)
			synctest.Wait()
		}
		start := time.Now()
		finish(d, 3*time.Second)
		assert.Equal(t, 3*time.Second+reaction, time.Since(start))
		assert.Equal(t, map[string]uint64{"shutdown": 8}, dropped(d))
		close(release)
		synctest.Wait()
		assert.Equal(t, map[string]uint64{"shutdown": 8}, dropped(d))
	})
}

// A slow one gets nothing more when the time is over.
func TestDeliveryLeavesASlowConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recordingSignal{answer: func([]int) error { time.Sleep(time.Second); return nil }}
		memory := budget.New(1000)
		d := newDelivery(s.signal(), deliveryConfig(100), false, memory, 1000)
		for i := range 100 {
			d.put(telemetry.Ordinary, &[]int{i}, 1)
		}
		start := time.Now()
		finish(d, 2900*time.Millisecond)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, []int{0, 1, 2}, s.taken)
		assert.Equal(t, map[string]uint64{"shutdown": 97}, dropped(d))
		assert.Zero(t, memory.Used())
	})
}
