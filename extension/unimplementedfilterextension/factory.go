// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package unimplementedfilterextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"google.golang.org/grpc"

	"github.com/wirespan/wirespan/extension/unimplementedfilterextension/internal/metadata"
)

// NewFactory returns the factory of the extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	return &Config{RetryInterval: defaultRetryInterval}
}

func create(_ context.Context, set extension.Settings, config component.Config) (extension.Extension, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &middleware{config: config.(*Config), settings: set.TelemetrySettings, telemetry: telemetry}, nil
}

// middleware gives each gRPC client that names it a filter of its own.
type middleware struct {
	component.StartFunc

	config    *Config
	settings  component.TelemetrySettings
	telemetry *metadata.TelemetryBuilder
}

var (
	_ extension.Extension            = (*middleware)(nil)
	_ extensionmiddleware.GRPCClient = (*middleware)(nil)
)

// GetGRPCClientOptions returns the options of one client's connection.
func (m *middleware) GetGRPCClientOptions(context.Context) ([]grpc.DialOption, error) {
	f := newFilter(m.settings.Logger, m.telemetry, m.config.RetryInterval)
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(f.intercept)}, nil
}

// Shutdown ends the extension's telemetry.
func (m *middleware) Shutdown(context.Context) error {
	m.telemetry.Shutdown()
	return nil
}
