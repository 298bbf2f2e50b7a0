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
	if err != nil {
		b.Shutdown()
		return nil, err
	}
	return b.Shutdown, nil
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
	pods, services, slices, nodes := p.model.Sizes()
	keys, past := p.index.Sizes()
	for _, s := range []struct {
		kind string
		n    int
	}{
		{"pods", pods},
		{"services", services},
		{"endpoint_slices", slices},
		{"nodes", nodes},
		{"keys", keys},
		{"past", past},
		{"names", p.writer.names.len()},
	} {
		say(int64(s.n), "kind", s.kind)
	}
}
