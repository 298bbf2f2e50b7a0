// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

// register makes the receiver's own metrics readable: each is the sum of the
// shards' counters at the time of reading, so counting costs the shards nothing
// more. The function that it returns ends that.
func (r *networkReceiver) register(pipelines []*shardPipeline, memory *budget.Budget) (func() error, error) {
	b, err := metadata.NewTelemetryBuilder(r.set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create telemetry builder: %w", err)
	}
	read := r.read
	// each reads every shard's counters.
	each := func(tell func(s *stats, say func(n int64, labels ...string))) metric.Int64Callback {
		return read(func(say func(int64, ...string)) {
			for _, p := range pipelines {
				tell(&p.stats, say)
			}
		})
	}
	err = errors.Join(
		b.RegisterReceiverNetworkMemoryUsedCallback(read(func(say func(int64, ...string)) { say(memory.Used()) })),
		b.RegisterReceiverNetworkMemoryLimitCallback(read(func(say func(int64, ...string)) { say(memory.Limit()) })),
		b.RegisterReceiverNetworkCaptureEventsCallback(read(r.tellCapture)),
		b.RegisterReceiverNetworkProgramConnectionsCallback(read(r.tellPrograms)),
		b.RegisterReceiverNetworkCapturedBytesCallback(read(r.tellBytes)),
		b.RegisterReceiverNetworkLostRecordsCallback(read(r.tellLost)),
		b.RegisterReceiverNetworkLostBytesCallback(read(r.tellLostBytes)),
		b.RegisterReceiverNetworkDroppedRecordsCallback(read(r.tellDropped)),
		b.RegisterReceiverNetworkQueueSizeCallback(read(r.tellQueueSize)),
		b.RegisterReceiverNetworkQueueCapacityCallback(read(r.tellQueueCapacity)),
		b.RegisterReceiverNetworkSegmentsCallback(each(func(s *stats, say func(int64, ...string)) { say(int64(s.conn.Segments.Load())) })),
		b.RegisterReceiverNetworkConnectionsOpenedCallback(each(func(s *stats, say func(int64, ...string)) { say(int64(s.conn.Opened.Load())) })),
		b.RegisterReceiverNetworkConnectionsClosedCallback(each(tellClosed)),
		b.RegisterReceiverNetworkConnectionsCallback(each(tellStates)),
		b.RegisterReceiverNetworkTrackedConnectionsCallback(each(tellPhases)),
		b.RegisterReceiverNetworkTransportEventsCallback(each(tellTransport)),
		b.RegisterReceiverNetworkGapBytesCallback(each(func(s *stats, say func(int64, ...string)) { say(int64(s.conn.GapBytes.Load())) })),
		b.RegisterReceiverNetworkMessagesCallback(each(tellMessages)),
		b.RegisterReceiverNetworkDissectBytesCallback(each(tellDissectBytes)),
		b.RegisterReceiverNetworkDissectEventsCallback(each(tellDissection)),
		b.RegisterReceiverNetworkLimitsCallback(each(tellLimits)),
		b.RegisterReceiverNetworkExchangesCallback(each(tellExchanges)),
		b.RegisterReceiverNetworkBuildEventsCallback(each(tellBuilding)),
		b.RegisterReceiverNetworkTraceIdsCallback(each(tellTraceIDs)),
		b.RegisterReceiverNetworkRecordsCallback(each(tellRecords)),
		b.RegisterReceiverNetworkBatchesCallback(each(func(s *stats, say func(int64, ...string)) { say(int64(s.telemetry.Batches.Load())) })),
	)
	if err != nil {
		b.Shutdown()
		return nil, err
	}
	return func() error { b.Shutdown(); return nil }, nil
}

// read makes a callback of a function that tells values by label.
func (r *networkReceiver) read(tell func(say func(n int64, labels ...string))) metric.Int64Callback {
	receiver := attribute.String("receiver", r.set.ID.String())
	return func(_ context.Context, o metric.Int64Observer) error {
		sums := map[[6]string]int64{}
		tell(func(n int64, labels ...string) {
			var key [6]string
			copy(key[:], labels)
			sums[key] += n
		})
		for key, n := range sums {
			attrs := []attribute.KeyValue{receiver}
			for i := 0; i+1 < len(key) && key[i] != ""; i += 2 {
				attrs = append(attrs, attribute.String(key[i], key[i+1]))
			}
			o.Observe(n, metric.WithAttributes(attrs...))
		}
		return nil
	}
}

func (r *networkReceiver) tellCapture(say func(int64, ...string)) {
	if r.source.observe != nil {
		r.source.observe(func(kind string, n uint64) { say(int64(n), "kind", kind) })
	}
}

func (r *networkReceiver) tellPrograms(say func(int64, ...string)) {
	if r.source.programs != nil {
		r.source.programs(func(program, outcome string, n uint64) { say(int64(n), "program", program, "outcome", outcome) })
	}
}

func (r *networkReceiver) tellBytes(say func(int64, ...string)) {
	if r.source.bytes != nil {
		say(int64(r.source.bytes()))
	}
}

func (r *networkReceiver) tellLost(say func(int64, ...string)) {
	if r.source.lost != nil {
		r.source.lost(func(reason string, n uint64) { say(int64(n), "reason", reason) })
	}
}

func (r *networkReceiver) tellLostBytes(say func(int64, ...string)) {
	if r.source.lostBytes != nil {
		r.source.lostBytes(func(reason string, n uint64) { say(int64(n), "reason", reason) })
	}
}

func (r *networkReceiver) tellDropped(say func(int64, ...string)) {
	of := func(signal string) func(dropReason, telemetry.Class, uint64) {
		return func(reason dropReason, class telemetry.Class, n uint64) {
			say(int64(n), "signal", signal, "reason", reason.String(), "class", class.String())
		}
	}
	r.traces.eachDrop(of("traces"))
	r.logs.eachDrop(of("logs"))
}

func (r *networkReceiver) tellQueueSize(say func(int64, ...string)) {
	if r.traces != nil {
		say(int64(r.traces.queue.size()), "signal", "traces")
	}
	if r.logs != nil {
		say(int64(r.logs.queue.size()), "signal", "logs")
	}
}

func (r *networkReceiver) tellQueueCapacity(say func(int64, ...string)) {
	if r.traces != nil {
		say(int64(r.traces.queue.limits.batches), "signal", "traces")
	}
	if r.logs != nil {
		say(int64(r.logs.queue.limits.batches), "signal", "logs")
	}
}

func tellClosed(s *stats, say func(int64, ...string)) {
	s.conn.EachClosed(func(reason string, n uint64) { say(int64(n), "reason", reason) })
}

func tellTransport(s *stats, say func(int64, ...string)) {
	s.conn.EachEvent(func(kind string, n uint64) { say(int64(n), "kind", kind) })
	say(int64(s.conn.Records.Load()), "kind", "record_lost")
}

// tellPhases reads two counters of a running table: the difference can be off by
// a moment, but not below zero.
func tellPhases(s *stats, say func(int64, ...string)) {
	half := s.conn.HalfOpen.Load()
	say(max(0, s.conn.Open.Load()-half), "phase", "established")
	say(half, "phase", "half_open")
	say(s.conn.Pending.Load(), "phase", "handshake")
}

// tellEngine tells one of the engine's metrics by the labels that it has.
func tellEngine(s *stats, metric string, say func(protocol, reason string, n int64)) {
	s.engine.Each(func(name, protocol, reason string, value int64) {
		if name == metric {
			say(protocol, reason, value)
		}
	})
}

func tellStates(s *stats, say func(int64, ...string)) {
	tellEngine(s, engine.MetricConnections, func(_, state string, n int64) { say(n, "state", state) })
}

func tellMessages(s *stats, say func(int64, ...string)) {
	tellEngine(s, engine.MetricMessages, func(protocol, kind string, n int64) { say(n, "protocol", protocol, "kind", kind) })
}

func tellLimits(s *stats, say func(int64, ...string)) {
	tellEngine(s, engine.MetricLimits, func(protocol, limit string, n int64) { say(n, "protocol", protocol, "limit", limit) })
}

func tellDissectBytes(s *stats, say func(int64, ...string)) {
	say(int64(s.engine.GapBytes.Load()), "kind", "gap")
	say(int64(s.engine.SkippedBytes.Load()), "kind", "skipped")
	say(int64(s.engine.SparedBytes.Load()), "kind", "spared")
	say(int64(s.engine.Unreleased.Load()), "kind", "unreleased")
}

// tellDissection tells everything of the engine that has no metric of its own.
func tellDissection(s *stats, say func(int64, ...string)) {
	s.engine.Each(func(name, protocol, reason string, value int64) {
		switch name {
		case engine.MetricConnections, engine.MetricMessages, engine.MetricLimits,
			engine.MetricGapBytes, engine.MetricSkippedBytes, engine.MetricSparedBytes, engine.MetricUnreleased:
			return
		}
		if reason != "" {
			name += "_" + reason
		}
		if protocol == "" {
			say(value, "kind", name)
			return
		}
		say(value, "protocol", protocol, "kind", name)
	})
}

func tellExchanges(s *stats, say func(int64, ...string)) {
	say(int64(s.pair.Paired.Load()), "outcome", "paired")
	say(int64(s.pair.OneWay.Load()), "outcome", "one_way")
	say(int64(s.pair.Events.Load()), "outcome", "event")
	say(int64(s.pair.Open.Load()), "outcome", "open")
	say(int64(s.pair.RequestMissing.Load()), "outcome", "request_missing")
	say(int64(s.pair.ResponseMissing.Load()), "outcome", "response_missing")
	say(int64(s.pair.Uncertain.Load()), "outcome", "uncertain")
	say(int64(s.pair.TimedOut.Load()), "outcome", "timed_out")
	say(int64(s.pair.OverLimit.Load()), "outcome", "over_limit")
}

func tellBuilding(s *stats, say func(int64, ...string)) {
	say(int64(s.telemetry.Exchanges.Load()), "kind", "exchange")
	say(int64(s.telemetry.Abandoned.Load()), "kind", "abandoned")
	say(int64(s.telemetry.Incomplete.Load()), "kind", "incomplete")
	say(int64(s.telemetry.BodiesCut.Load()), "kind", "body_cut")
	say(int64(s.telemetry.HeadersDropped.Load()), "kind", "header_dropped")
	say(int64(s.telemetry.Redactions.Load()), "kind", "redaction")
	say(int64(s.telemetry.Lookups.Load()), "kind", "lookup")
	say(int64(s.telemetry.LookupsDropped.Load()), "kind", "lookup_dropped")
	say(int64(s.telemetry.LookupsLinked.Load()), "kind", "lookup_linked")
	say(int64(s.telemetry.LookupsLate.Load()), "kind", "lookup_late")
	say(int64(s.telemetry.Translated.Load()), "kind", "translated")
	say(int64(s.telemetry.Forwarded.Load()), "kind", "forwarded")
}

func tellTraceIDs(s *stats, say func(int64, ...string)) {
	say(int64(s.telemetry.TraceExtracted.Load()), "source", "headers")
	say(int64(s.telemetry.TraceDerived.Load()), "source", "sequence")
	say(int64(s.telemetry.TraceLocal.Load()), "source", "local")
}

func tellRecords(s *stats, say func(int64, ...string)) {
	say(int64(s.telemetry.Spans.Load()), "signal", "traces")
	say(int64(s.telemetry.LogRecords.Load()), "signal", "logs")
}
