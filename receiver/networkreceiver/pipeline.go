// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

// shardPipeline is stages 2 to 5 of one shard. One goroutine owns it.
type shardPipeline struct {
	table   *conn.Table
	builder *telemetry.Builder
	stats   stats
}

// stats are the counters of one shard's stages.
type stats struct {
	conn      conn.Stats
	engine    engine.Stats
	pair      pair.Stats
	telemetry telemetry.Stats
}

func newShardPipeline(r *networkReceiver, memory *budget.Budget) *shardPipeline {
	p := &shardPipeline{}
	p.builder = telemetry.New(telemetrySettings(r), memory, outlet{r}, &p.stats.telemetry)
	pairer := pair.New(pair.Settings{}, p.builder, &p.stats.pair)
	dissection := engine.New(engineSettings(r.cfg), r.dissectors, memory, pairer, r.set.Logger, &p.stats.engine)
	p.table = conn.NewTable(connSettings(r.cfg), memory, dissection, &p.stats.conn)
	return p
}

// run feeds the pipeline with one shard until ctx or the source ends, then
// flushes it.
func (p *shardPipeline) run(ctx context.Context, src source, shard int) error {
	err := src.Run(ctx, shard, p.table)
	now := time.Now().UnixNano()
	if src.finite {
		now = 0 // the end of the files, in their own time
	}
	p.table.Shutdown(now)
	p.builder.Flush()
	return err
}

// outlet hands finished batches to the deliveries.
type outlet struct{ *networkReceiver }

func (o outlet) Traces(batch ptrace.Traces, bytes int) { o.traces.put(batch, bytes) }
func (o outlet) Logs(batch plog.Logs, bytes int)       { o.logs.put(batch, bytes) }
