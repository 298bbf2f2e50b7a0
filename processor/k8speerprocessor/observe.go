// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

// register makes the processor's counters readable until the function that it
// returns is called.
func (p *peerProcessor) register() (func(), error) {
	b, err := metadata.NewTelemetryBuilder(p.set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		b.RegisterProcessorK8sPeerRecordsCallback(p.read(p.tellRecords)),
		b.RegisterProcessorK8sPeerCacheSizeCallback(p.read(p.tellSizes)),
		b.RegisterProcessorK8sPeerWaitsCallback(p.read(func(say sayFunc) {
			say(p.waits.resolved.Load(), "outcome", "resolved")
			say(p.waits.expired.Load(), "outcome", "expired")
		})),
		b.RegisterProcessorK8sPeerExternalNamesRefusedCallback(p.read(func(say sayFunc) { say(p.writer.names.refused.Load()) })),
		b.RegisterProcessorK8sPeerAPIBytesCallback(p.read(func(say sayFunc) { say(p.traffic.Bytes()) })),
		b.RegisterProcessorK8sPeerAPIRequestsCallback(p.read(func(say sayFunc) {
			for r, n := range p.traffic.Requests() {
				say(n, "resource", r.Resource, "verb", r.Verb)
			}
		})),
		b.RegisterProcessorK8sPeerAPIFailuresCallback(p.read(func(say sayFunc) {
			for f, n := range p.health.Failures() {
				say(n, "resource", f.Resource, "reason", f.Reason)
			}
		})),
		b.RegisterProcessorK8sPeerWatchUpCallback(p.read(func(say sayFunc) {
			for resource, up := range p.health.Up() {
				n := int64(0)
				if up {
					n = 1
				}
				say(n, "resource", resource)
			}
		})),
	)
	err = errors.Join(err, p.source.register(b, p.read))
	if err != nil {
		b.Shutdown()
		return nil, err
	}
	return b.Shutdown, nil
}

// readFunc makes of a function that tells values what an instrument calls.
type readFunc func(func(sayFunc)) metric.Int64Callback

func (w *watched) register(b *metadata.TelemetryBuilder, read readFunc) error {
	if w.server == nil {
		return nil
	}
	return errors.Join(
		b.RegisterProcessorK8sPeerCacheAgentsCallback(read(func(say sayFunc) { agents, _, _ := w.server.Sizes(); say(int64(agents)) })),
		b.RegisterProcessorK8sPeerCacheSubscriptionsCallback(read(func(say sayFunc) { _, keys, _ := w.server.Sizes(); say(int64(keys)) })),
		b.RegisterProcessorK8sPeerCacheAnswersCallback(read(func(say sayFunc) { _, _, answers := w.server.Sizes(); say(answers) })),
	)
}

func (a *asked) register(b *metadata.TelemetryBuilder, read readFunc) error {
	return errors.Join(
		b.RegisterProcessorK8sPeerCacheAskedCallback(read(func(say sayFunc) { asked, _ := a.Counts(); say(asked) })),
		b.RegisterProcessorK8sPeerCacheAnswersCallback(read(func(say sayFunc) { _, answers := a.Counts(); say(answers) })),
		b.RegisterProcessorK8sPeerCacheEvictedCallback(read(func(say sayFunc) { _, evicted := a.Sizes(); say(evicted) })),
	)
}

// sayFunc takes a value, and names and values of attributes in turns.
type sayFunc func(n int64, labels ...string)

func (p *peerProcessor) read(tell func(sayFunc)) metric.Int64Callback {
	id := attribute.String("processor", p.set.ID.String())
	return func(_ context.Context, o metric.Int64Observer) error {
		tell(func(n int64, labels ...string) {
			attrs := []attribute.KeyValue{id}
			for i := 0; i+1 < len(labels); i += 2 {
				attrs = append(attrs, attribute.String(labels[i], labels[i+1]))
			}
			o.Observe(n, metric.WithAttributes(attrs...))
		})
		return nil
	}
}

func (p *peerProcessor) tellRecords(say sayFunc) {
	for kind := range p.records {
		say(p.records[kind].Load(), "kind", index.Kind(kind).String())
	}
}

func (p *peerProcessor) tellSizes(say sayFunc) {
	held := func(kind string, n int) { say(int64(n), "kind", kind) }
	p.source.sizes(held)
	held("names", p.writer.names.len())
}
