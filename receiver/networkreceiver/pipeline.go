// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
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
	reading *sync.WaitGroup // shards that may still learn of lookups
}

// stats are the counters of one shard's stages.
type stats struct {
	conn      conn.Stats
	engine    engine.Stats
	pair      pair.Stats
	telemetry telemetry.Stats
}

func newShardPipeline(r *networkReceiver, memory *budget.Budget) *shardPipeline {
	p := &shardPipeline{reading: &r.reading}
	p.reading.Add(1)
	p.builder = telemetry.New(telemetrySettings(r), memory, outlet{r}, &p.stats.telemetry)
	pairer := pair.New(pair.Settings{OpenAfter: r.cfg.Streams.OpenAfter.Nanoseconds()}, p.builder, &p.stats.pair)
	dissection := engine.New(engineSettings(r.cfg), r.dissectors, pairer, r.set.Logger, &p.stats.engine)
	table := connSettings(r.cfg)
	table.Trimmer, _ = r.source.Source.(capture.Trimmer)
	p.table = conn.NewTable(table, memory, dissection, &p.stats.conn)
	return p
}

// shardMemory is one shard's part of the budget. It may take all of it. What the queues
// and the reserve leave (budget.Scarce) is shared out equally: with no more than that, a
// shard need not let go of anything for the others.
//
// From a source that can wait, the queues have all of their share for themselves.
func shardMemory(memory *budget.Budget, src *source) *budget.Budget {
	limit := memory.Limit()
	most, rest := limit, limit-limit/queueShare
	if src.finite {
		most = rest
	}
	return memory.Part(most, (rest-limit/8)/int64(src.Shards()))
}

// run feeds the pipeline with one shard until ctx or the source ends, then flushes it.
// What is looked up in the end is waited for: a lookup and the call that it was for may be
// in different shards.
func (p *shardPipeline) run(ctx context.Context, src source, shard int) error {
	err := src.Run(ctx, shard, p.table)
	p.table.Shutdown(0) // in the capture's own time
	p.reading.Done()
	if err == nil {
		p.reading.Wait()
	}
	p.builder.Flush()
	return err
}

// outlet hands finished batches to the deliveries.
type outlet struct{ *networkReceiver }

func (o outlet) Traces(class telemetry.Class, batch ptrace.Traces, bytes int) {
	o.traces.put(class, batch, telemetry.Memory(batch.SpanCount(), bytes))
}

func (o outlet) Logs(class telemetry.Class, batch plog.Logs, bytes int) {
	o.logs.put(class, batch, telemetry.Memory(batch.LogRecordCount(), bytes))
}
