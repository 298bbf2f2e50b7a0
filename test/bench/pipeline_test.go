// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/lookup"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/route"
)

// shard is stages 2 to 5 of one shard, with the receiver's default settings but
// room for more connections.
type shard struct {
	capture.Handler
	builder *telemetry.Builder
	conn    conn.Stats
	engine  engine.Stats
	pair    pair.Stats
	records telemetry.Stats

	// reached is called at the start of frame number at.
	at, frames int
	reached    func()
}

// discard is the next component.
type discard struct{}

func (discard) Traces(telemetry.Class, ptrace.Traces, int) {}
func (discard) Logs(telemetry.Class, plog.Logs, int)       {}

func newShard() *shard { return newShardTo(discard{}) }

func newShardTo(next telemetry.Sink) *shard {
	memory := budget.New(4 << 30)
	s := &shard{at: -1}
	settings := telemetry.DefaultSettings()
	settings.Version, settings.HostName = "0.0.0", "node-1"
	settings.Lookups = lookup.New(lookup.Settings{Age: 2 * time.Minute, Max: 8192}, memory)
	settings.Routes = route.New(route.Settings{Learn: true}, memory)
	s.builder = telemetry.New(settings, memory, next, &s.records)
	pairer := pair.New(pair.Settings{}, s.builder, &s.pair)
	dissection := engine.New(engine.Settings{}, registry.All(), pairer, zap.NewNop(), &s.engine)
	s.Handler = conn.NewTable(conn.Settings{MaxConnections: 1 << 20}, memory, dissection, &s.conn)
	return s
}

// Segment implements capture.Handler.
func (s *shard) Segment(seg *capture.Segment) {
	if s.frames == s.at {
		s.reached()
	}
	s.frames++
	s.Handler.Segment(seg)
}

// wirespan reads a capture file with a number of shards and gives the number of
// calls that became a span and a log record.
func wirespan(tb testing.TB, f *file, shards ...*shard) (calls int) {
	tb.Helper()
	replay(tb, f, shards...)
	for _, s := range shards {
		require.Equal(tb, s.pair.Paired.Load(), s.records.LogRecords.Load())
		calls += int(s.pair.Paired.Load())
	}
	return calls
}

// replay reads a capture file with a number of shards. Each call becomes a span and is
// complete.
func replay(tb testing.TB, f *file, shards ...*shard) {
	tb.Helper()
	ctx := context.Background()
	source := pcap.New(pcap.Settings{Files: []string{f.path}, Shards: len(shards)}, zap.NewNop(), &pcap.Stats{})
	require.NoError(tb, source.Start(ctx))
	errs := make([]error, len(shards))
	var wg sync.WaitGroup
	for i, s := range shards {
		wg.Go(func() {
			errs[i] = source.Run(ctx, i, s)
			s.Handler.(*conn.Table).Shutdown(0)
			s.builder.Flush()
		})
	}
	wg.Wait()
	require.NoError(tb, source.Close())
	for i, s := range shards {
		require.NoError(tb, errs[i])
		require.Equal(tb, s.pair.Paired.Load(), s.records.Spans.Load())
		require.Zero(tb, s.records.Incomplete.Load())
	}
}
