// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/wirespan/wirespan/internal/sharedcomponent"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
)

// NewFactory returns the factory of the network receiver.
func NewFactory() receiver.Factory {
	return newFactory(newSource, nil)
}

// newFactory takes dissectors that replace those of the configuration; nil for none.
func newFactory(source sourceFunc, dissectors []dissect.Dissector) receiver.Factory {
	// There is one capture, whatever it feeds.
	receivers := sharedcomponent.Map[*Config, *networkReceiver]{StopsWithFirst: true}
	of := func(cfg component.Config, set receiver.Settings) *sharedcomponent.Instance[*networkReceiver] {
		c := cfg.(*Config)
		return receivers.Instance(c, func() *networkReceiver {
			return &networkReceiver{cfg: c, set: set, newSource: source, dissectors: dissectors}
		})
	}
	return receiver.NewFactory(
		metadata.Type,
		func() component.Config { return NewDefaultConfig() },
		receiver.WithTraces(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
			s := of(cfg, set)
			s.Unwrap().nextTraces = next
			return s, nil
		}, metadata.TracesStability),
		receiver.WithLogs(func(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			s := of(cfg, set)
			s.Unwrap().nextLogs = next
			return s, nil
		}, metadata.LogsStability),
	)
}
