// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
)

// flooded is a source with a backlog that takes longer to hand over than there is time.
type flooded struct {
	*fakeSource
	abandoned  atomic.Bool
	handedOver int
}

func (f *flooded) Abandon() { f.abandoned.Store(true) }

func (f *flooded) Run(ctx context.Context, _ int, h capture.Handler) error {
	for seg := range f.segments {
		if ctx.Err() != nil && f.abandoned.Load() {
			h.Lost(uint64(len(f.segments)+1), capture.LossShutdown)
			break
		}
		h.Segment(seg)
		f.handedOver++
		time.Sleep(time.Second)
	}
	return nil
}

// A capture with more behind it than it can hand over, and a next component that is stuck,
// stops within its time.
func TestShutdownUnderFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flooded{fakeSource: newFakeSource()}
		for range 1000 {
			f.send(idPrefix + "a")
		}
		factory := newFactory(func(*Config, receiver.Settings) (source, error) {
			return source{Source: f}, nil
		}, []dissect.Dissector{idDissector{}})
		release := make(chan struct{})
		stuck, err := consumer.NewTraces(func(context.Context, ptrace.Traces) error { <-release; return nil })
		require.NoError(t, err)
		cfg := testConfig()
		cfg.ShutdownTimeout = 10 * time.Second
		traces, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, stuck)
		require.NoError(t, err)
		require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
		time.Sleep(1500 * time.Millisecond)
		start := time.Now()
		require.NoError(t, traces.Shutdown(t.Context()))
		assert.Equal(t, cfg.ShutdownTimeout+reaction, time.Since(start))
		assert.Equal(t, 7, f.handedOver, "two before the shutdown, and those of half of its time")
		close(release)
	})
}
