// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// batch names the peers of the records of one batch.
type batch struct {
	p       *peerProcessor
	now     time.Time
	counts  [index.Kinds]int64
	waiting []waitingCall
}

func (p *peerProcessor) batch() *batch { return &batch{p: p, now: time.Now()} }

// add names the peer of a record now, or puts it off to the end of the batch.
func (b *batch) add(attrs pcommon.Map, c *call) {
	if !c.read(attrs, b.p.cfg.External.NamesFrom) {
		return
	}
	if c.at <= 0 {
		c.at = b.now.UnixNano()
	}
	a := b.p.resolver.resolve(c)
	if until := b.p.waits.deadline(c, &a, b.now); !until.IsZero() {
		b.waiting = append(b.waiting, waitingCall{*c, until})
		return
	}
	b.write(c, &a)
}

func (b *batch) write(c *call, a *answer) {
	b.counts[a.kind]++
	b.p.writer.write(c, a)
}

// finish waits for those that were put off.
func (b *batch) finish(ctx context.Context) {
	if len(b.waiting) > 0 {
		for i, a := range b.p.waits.wait(ctx, b.waiting) {
			b.write(&b.waiting[i].call, &a)
		}
	}
	for kind, n := range b.counts {
		if n > 0 {
			b.p.records[kind].Add(n)
		}
	}
}

func (p *peerProcessor) processTraces(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	b := p.batch()
	for _, rs := range td.ResourceSpans().All() {
		namespace := b.resource(rs.Resource())
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				b.add(s.Attributes(), &call{
					side: sideOfKind(s.Kind()), namespace: namespace, at: int64(s.StartTimestamp()), known: int64(s.EndTimestamp()),
				})
			}
		}
	}
	b.finish(ctx)
	return td, nil
}

func (p *peerProcessor) processLogs(ctx context.Context, ld plog.Logs) (plog.Logs, error) {
	b := p.batch()
	for _, rl := range ld.ResourceLogs().All() {
		namespace := b.resource(rl.Resource())
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				b.add(r.Attributes(), &call{
					namespace: namespace, at: int64(r.Timestamp()), known: int64(max(r.Timestamp(), r.ObservedTimestamp())),
				})
			}
		}
	}
	b.finish(ctx)
	return ld, nil
}

// processMetrics names peers of data points. These are sums over a time, at whose
// end the peer is looked up; nothing waits.
func (p *peerProcessor) processMetrics(ctx context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
	b := p.batch()
	for _, rm := range md.ResourceMetrics().All() {
		namespace := b.resource(rm.Resource())
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				s := sideOfMetric(m.Name())
				eachPoint(m, func(attrs pcommon.Map, at pcommon.Timestamp) {
					b.add(attrs, &call{side: s, namespace: namespace, at: int64(at)})
				})
			}
		}
	}
	b.finish(ctx)
	return md, nil
}

// eachPoint calls f with each data point of a metric.
func eachPoint(m pmetric.Metric, f func(pcommon.Map, pcommon.Timestamp)) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, dp := range m.Gauge().DataPoints().All() {
			f(dp.Attributes(), dp.Timestamp())
		}
	case pmetric.MetricTypeSum:
		for _, dp := range m.Sum().DataPoints().All() {
			f(dp.Attributes(), dp.Timestamp())
		}
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			f(dp.Attributes(), dp.Timestamp())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, dp := range m.ExponentialHistogram().DataPoints().All() {
			f(dp.Attributes(), dp.Timestamp())
		}
	case pmetric.MetricTypeSummary:
		for _, dp := range m.Summary().DataPoints().All() {
			f(dp.Attributes(), dp.Timestamp())
		}
	case pmetric.MetricTypeEmpty:
	}
}

func sideOfKind(k ptrace.SpanKind) side {
	switch k {
	case ptrace.SpanKindClient, ptrace.SpanKindProducer:
		return clientSide
	case ptrace.SpanKindServer, ptrace.SpanKindConsumer:
		return serverSide
	}
	return unknownSide
}

// resource takes what is common to the records of a resource, which gets a name
// if it has none. It gives the namespace of the records' own end.
func (b *batch) resource(r pcommon.Resource) (namespace string) {
	if b.p.cfg.ServiceNameFallback == "process" {
		nameService(r)
	}
	return text(r.Attributes(), semconv.K8SNamespaceName)
}
