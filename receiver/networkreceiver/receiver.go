// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/lookup"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/route"
)

// networkReceiver runs one capture: a source, a pipeline for each of its shards,
// and the delivery of each signal.
type networkReceiver struct {
	cfg        *Config
	set        receiver.Settings
	newSource  sourceFunc
	dissectors []dissect.Dissector
	nextTraces consumer.Traces // nil if no pipeline wants traces
	nextLogs   consumer.Logs   // nil if no pipeline wants logs

	source  source
	shards  []*shardPipeline
	lookups *lookup.Table // nil if calls are not linked to lookups

	forwards *telemetry.Forwards
	routes   *route.Table
	traces   *delivery[ptrace.Traces]
	logs     *delivery[plog.Logs]
	stop     context.CancelFunc // ends the shards
	running  sync.WaitGroup     // the shards
	reading  sync.WaitGroup     // those that have not come to their end
	failed   error              // why the shards ended early; read after running
	observe  func() error       // unregisters the receiver's own metrics
	ended    chan struct{}      // closed when every shard has ended and flushed
	late     atomic.Bool        // the time to shut down is over
}

// Start acquires the source and runs its shards. On error nothing keeps running.
//
//nolint:contextcheck // the shards outlive the context of Start
func (r *networkReceiver) Start(ctx context.Context, _ component.Host, report func(*componentstatus.Event)) error {
	var err error
	if r.source, err = r.newSource(r.cfg, r.set); err != nil {
		return fmt.Errorf("configure capture: %w", err)
	}
	if r.dissectors == nil {
		options := r.cfg.Protocols.registryOptions()
		options.Keys = r.source.keys
		if r.dissectors, err = registry.New(options); err != nil {
			return fmt.Errorf("configure protocols: %w", errors.Join(err, r.source.Close()))
		}
	}
	if err := r.source.Start(ctx); err != nil {
		return fmt.Errorf("start capture: %w", err)
	}
	memory := budget.New(int64(r.cfg.Memory.Limit))
	if err := r.startDeliveries(memory); err != nil {
		return errors.Join(err, r.source.Close())
	}
	if set := &r.cfg.Lookups; set.Enabled {
		r.lookups = lookup.New(lookup.Settings{Age: set.MaxAge, Max: set.Max}, memory)
	}
	r.forwards = telemetry.NewForwards()
	r.routes = newRoutes(r.cfg, memory)
	r.shards = make([]*shardPipeline, r.source.Shards())
	for i := range r.shards {
		r.shards[i] = newShardPipeline(r, shardMemory(memory, &r.source))
	}
	if r.observe, err = r.register(r.shards, memory); err != nil {
		r.finishDeliveries(ctx)
		return errors.Join(fmt.Errorf("register metrics: %w", err), r.source.Close())
	}
	if r.source.attached != nil {
		if err := r.source.attached(); err != nil {
			r.set.Logger.Warn("capture keeps its privileges", zap.Error(err))
		}
	}
	run, stop := context.WithCancel(context.Background())
	r.stop, r.ended = stop, make(chan struct{})
	errs := make([]error, len(r.shards))
	for i, p := range r.shards {
		r.running.Go(func() { errs[i] = p.run(run, r.source, i) })
	}
	go r.await(run, errs, report)
	r.set.Logger.Info("capture started", zap.Int("workers", len(r.shards)), zap.Int("protocols", len(r.dissectors)))
	return nil
}

// await acts when all shards have ended: that is news unless it was wanted.
func (r *networkReceiver) await(run context.Context, errs []error, report func(*componentstatus.Event)) {
	defer close(r.ended)
	var progress sync.WaitGroup
	showing, stopShowing := context.WithCancel(run)
	if r.source.progress != nil {
		progress.Go(func() { showProgress(showing, r.source.progress) })
	}
	r.running.Wait()
	stopShowing()
	progress.Wait()
	r.failed = errors.Join(errs...)
	switch {
	case run.Err() != nil:
	case r.failed != nil && !r.source.finite:
		r.set.Logger.Error("capture ended", zap.Error(r.failed))
		report(componentstatus.NewPermanentErrorEvent(r.failed))
	default:
		r.finite(run, report)
	}
}

// finite acts on the end of the capture files.
func (r *networkReceiver) finite(run context.Context, report func(*componentstatus.Event)) {
	if r.failed != nil {
		r.set.Logger.Error("capture files ended", zap.Error(r.failed))
		report(componentstatus.NewRecoverableErrorEvent(r.failed))
	} else {
		r.set.Logger.Info("capture files ended")
	}
	if pcap := r.cfg.Capture.Pcap.Get(); pcap != nil && pcap.OnEnd == OnEndExit {
		exitCollector(r.set.Logger, run.Done())
	}
}

// Shutdown stops the intake, hands on everything that is in flight until ctx
// ends or, live, the time for it is over, and releases the source. It can be
// called without start. Its error is what could not be read of capture files or
// handed on, so that the collector's exit status says so.
//
// Half of the time is for what has been captured, so that there is some left to
// deliver it. What is not done in time is counted.
func (r *networkReceiver) Shutdown(ctx context.Context) error {
	if r.stop == nil {
		return nil
	}
	if !r.source.finite {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.cfg.ShutdownTimeout)
		defer cancel()
	}
	defer context.AfterFunc(ctx, func() { r.late.Store(true) })()
	if source, ok := r.source.Source.(capture.Abandoner); ok {
		intake, cancel := context.WithTimeout(ctx, r.cfg.ShutdownTimeout/2)
		defer cancel()
		defer context.AfterFunc(intake, source.Abandon)()
	}
	r.hasten(ctx)
	r.stop()
	<-r.ended
	r.finishDeliveries(ctx)
	err := errors.Join(r.observe(), r.source.Close())
	if r.source.finite {
		err = errors.Join(r.failed, r.undelivered(), err)
	}
	r.set.Logger.Info("capture stopped", r.totals()...)
	return err
}

// totals are what was built, and what of it and before it was lost: what the
// metrics say in detail, at a time when nobody can read them any more.
func (r *networkReceiver) totals() []zap.Field {
	var spans, records, abandoned, lost, lostBytes uint64
	for _, p := range r.shards {
		spans += p.stats.telemetry.Spans.Load()
		records += p.stats.telemetry.LogRecords.Load()
		abandoned += p.stats.telemetry.Abandoned.Load()
	}
	if r.source.lost != nil {
		r.source.lost(func(_ string, n uint64) { lost += n })
	}
	if r.source.lostBytes != nil {
		r.source.lostBytes(func(_ string, n uint64) { lostBytes += n })
	}
	return []zap.Field{
		zap.Uint64("spans", spans), zap.Uint64("log_records", records),
		zap.Uint64("dropped_spans", r.traces.drops()), zap.Uint64("dropped_log_records", r.logs.drops()),
		zap.Uint64("abandoned_calls", abandoned), zap.Uint64("lost_packets", lost), zap.Uint64("lost_bytes", lostBytes),
	}
}

// undelivered says how many records of capture files the next components did not
// take.
func (r *networkReceiver) undelivered() error {
	spans, records := r.traces.drops(), r.logs.drops()
	if spans+records == 0 {
		return nil
	}
	return fmt.Errorf("deliver calls of capture files: %d spans and %d log records were refused", spans, records)
}

// startDeliveries makes a delivery for each signal that a pipeline wants.
func (r *networkReceiver) startDeliveries(memory *budget.Budget) error {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: "network", LongLivedCtx: true, ReceiverCreateSettings: r.set,
	})
	if err != nil {
		return fmt.Errorf("create obsreport: %w", err)
	}
	share := int(memory.Limit()) / queueShare
	if r.nextTraces != nil && r.nextLogs != nil {
		share /= 2
	}
	if r.nextTraces != nil {
		r.traces = newDelivery(tracesSignal(r.nextTraces, report), r.cfg, r.source.finite, memory, share)
	}
	if r.nextLogs != nil {
		r.logs = newDelivery(logsSignal(r.nextLogs, report), r.cfg, r.source.finite, memory, share)
	}
	return nil
}

// queueShare is the part of the budget that the queues of all signals may take
// together, as 1/n: a next component that is stuck must not blind the capture.
const queueShare = 2

// hasten lets a shard that waits for room in a queue get it.
func (r *networkReceiver) hasten(ctx context.Context) {
	if r.traces != nil {
		r.traces.hasten(ctx)
	}
	if r.logs != nil {
		r.logs.hasten(ctx)
	}
}

// finishDeliveries drains both queues at once: each has ctx's time.
func (r *networkReceiver) finishDeliveries(ctx context.Context) {
	r.hasten(ctx)
	var both sync.WaitGroup
	if r.traces != nil {
		both.Go(r.traces.finish)
	}
	if r.logs != nil {
		both.Go(r.logs.finish)
	}
	both.Wait()
}
