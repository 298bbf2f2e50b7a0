// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/wirespan/wirespan/exporter/consoleexporter/internal/metadata"
)

const (
	defaultMaxBody = 2048
	// defaultWait covers what the receiver's batches take, twice.
	defaultWait = 500 * time.Millisecond
)

// NewFactory makes the factory of the console exporter.
func NewFactory() exporter.Factory {
	f := &factory{consoles: map[*Config]*console{}}
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithTraces(f.createTraces, metadata.TracesStability),
		exporter.WithLogs(f.createLogs, metadata.LogsStability),
	)
}

func createDefaultConfig() component.Config {
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.NumConsumers = 1       // calls stay in order
	queue.BlockOnOverflow = true // a replay that is faster than the terminal loses nothing
	return &Config{
		Format:       FormatDetail,
		Color:        ColorAuto,
		Output:       OutputStdout,
		Sides:        SidesMerged,
		WaitDuration: defaultWait,
		Headers:      true,
		MaxBody:      defaultMaxBody,
		QueueConfig:  configoptional.Some(queue),
	}
}

// factory gives the two signals of one configured exporter one console, so that
// each call is printed once.
type factory struct {
	mu       sync.Mutex
	consoles map[*Config]*console
}

func (f *factory) createTraces(ctx context.Context, set exporter.Settings, config component.Config) (exporter.Traces, error) {
	cfg := config.(*Config)
	c := f.console(cfg)
	return exporterhelper.NewTraces(ctx, set, config, c.pushTraces, f.options(cfg, c)...)
}

func (f *factory) createLogs(ctx context.Context, set exporter.Settings, config component.Config) (exporter.Logs, error) {
	cfg := config.(*Config)
	c := f.console(cfg)
	c.hasLogs.Store(true)
	return exporterhelper.NewLogs(ctx, set, config, c.pushLogs, f.options(cfg, c)...)
}

func (f *factory) options(cfg *Config, c *console) []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithQueue(cfg.QueueConfig),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithStart(func(context.Context, component.Host) error {
			c.greet()
			return nil
		}),
		exporterhelper.WithShutdown(func(context.Context) error {
			f.forget(cfg)
			return c.close()
		}),
	}
}

func (f *factory) console(cfg *Config) *console {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.consoles[cfg]
	if !ok {
		c = newConsole(cfg, outputOf(cfg))
		f.consoles[cfg] = c
	}
	return c
}

// forget lets a component that is made again from the same configuration start
// afresh. Components that still hold the console go on using it.
func (f *factory) forget(cfg *Config) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.consoles, cfg)
}
