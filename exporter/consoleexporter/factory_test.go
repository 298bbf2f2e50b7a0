// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/wirespan/wirespan/exporter/consoleexporter/internal/metadata"
)

// It can be started again, and shut down without having been started, or twice.
func TestRestart(t *testing.T) {
	f := NewFactory()
	cfg := f.CreateDefaultConfig()
	for range 2 {
		c, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
		require.NoError(t, err)
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, c.Shutdown(t.Context()))
		require.NoError(t, c.Shutdown(t.Context()))
	}
}

// With both signals connected a call is printed once, from its log record.
func TestEachCallOnce(t *testing.T) {
	f := &factory{consoles: map[*Config]*console{}}
	cfg := createDefaultConfig().(*Config)
	set := exportertest.NewNopSettings(metadata.Type)
	traces, err := f.createTraces(t.Context(), set, cfg)
	require.NoError(t, err)
	logs, err := f.createLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	var out bytes.Buffer
	f.console(cfg).out = &out

	for _, c := range []component.Component{traces, logs} {
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	}
	ld, td := checkout(clientSide)
	require.NoError(t, traces.ConsumeTraces(t.Context(), td))
	require.NoError(t, logs.ConsumeLogs(t.Context(), ld))
	for _, c := range []component.Component{traces, logs} {
		require.NoError(t, c.Shutdown(context.Background())) // drains the queues
	}
	assert.Equal(t, 1, bytes.Count(out.Bytes(), []byte("POST /api/v1/checkout")), out.String())
}

// A component that is not wired to log records prints spans again after a
// restart with another wiring.
func TestRestartForgetsTheWiring(t *testing.T) {
	f := &factory{consoles: map[*Config]*console{}}
	cfg := createDefaultConfig().(*Config)
	set := exportertest.NewNopSettings(metadata.Type)
	logs, err := f.createLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, logs.Shutdown(t.Context()))
	traces, err := f.createTraces(t.Context(), set, cfg)
	require.NoError(t, err)
	assert.False(t, f.console(cfg).hasLogs.Load())
	require.NoError(t, traces.Shutdown(t.Context()))
}
