// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/wirespan/wirespan/internal/sharedcomponent"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/cluster"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

// connectFunc makes clients for a configuration.
type connectFunc func(*Config, *cluster.Traffic) (cluster.Clients, error)

// NewFactory gives the factory of the processor.
func NewFactory() processor.Factory { return newFactory(connect) }

// factory makes instances. Those of one configuration share a watch and an index.
type factory struct {
	connect    connectFunc
	processors sharedcomponent.Map[*Config, *peerProcessor]
}

func newFactory(connect connectFunc) processor.Factory {
	f := &factory{connect: connect}
	return processor.NewFactory(metadata.Type, createDefaultConfig,
		processor.WithTraces(f.createTraces, metadata.TracesStability),
		processor.WithLogs(f.createLogs, metadata.LogsStability),
		processor.WithMetrics(f.createMetrics, metadata.MetricsStability),
	)
}

func (f *factory) createTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	p, options := f.instance(set, cfg)
	return processorhelper.NewTraces(ctx, set, cfg, next, p.processTraces, options...)
}

func (f *factory) createLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	p, options := f.instance(set, cfg)
	return processorhelper.NewLogs(ctx, set, cfg, next, p.processLogs, options...)
}

func (f *factory) createMetrics(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	p, options := f.instance(set, cfg)
	return processorhelper.NewMetrics(ctx, set, cfg, next, p.processMetrics, options...)
}

// instance returns the processor of a configuration, and what its instance for one
// signal does at the start and at the end.
func (f *factory) instance(set processor.Settings, cfg component.Config) (*peerProcessor, []processorhelper.Option) {
	c := cfg.(*Config)
	i := f.processors.Instance(c, func() *peerProcessor { return newProcessor(c, set, f.connect) })
	return i.Unwrap(), []processorhelper.Option{
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}),
		processorhelper.WithStart(i.Start),
		processorhelper.WithShutdown(i.Shutdown),
	}
}
