// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package unimplementedfilterextension

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/wirespan/wirespan/extension/unimplementedfilterextension/internal/metadata"
	"github.com/wirespan/wirespan/extension/unimplementedfilterextension/internal/metadatatest"
)

// traceServer has a service for traces, which answers with err, and, like
// Jaeger, none for logs.
type traceServer struct {
	ptraceotlp.UnimplementedGRPCServer
	requests atomic.Int64
	err      error
}

func (s *traceServer) Export(context.Context, ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.requests.Add(1)
	return ptraceotlp.NewExportResponse(), s.err
}

// logServer is a service that is implemented once the server is upgraded.
type logServer struct {
	plogotlp.UnimplementedGRPCServer
	upgraded atomic.Bool
	requests atomic.Int64
}

func (s *logServer) Export(ctx context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.requests.Add(1)
	if !s.upgraded.Load() {
		return s.UnimplementedGRPCServer.Export(ctx, r)
	}
	return plogotlp.NewExportResponse(), nil
}

// serve starts a server, and returns its address.
func serve(t *testing.T, register func(*grpc.Server)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	register(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// client is a connection with a filter, whose clock the test sets.
type client struct {
	logs      plogotlp.GRPCClient
	traces    ptraceotlp.GRPCClient
	filter    *filter
	telemetry *componenttest.Telemetry
	log       *observer.ObservedLogs
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	core, log := observer.New(zap.DebugLevel)
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, telemetry.Shutdown(context.WithoutCancel(t.Context()))) })
	builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
	require.NoError(t, err)
	f := newFilter(zap.New(core), builder, time.Minute)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithChainUnaryInterceptor(f.intercept))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	return &client{
		logs: plogotlp.NewGRPCClient(conn), traces: ptraceotlp.NewGRPCClient(conn),
		filter: f, telemetry: telemetry, log: log,
	}
}

func (c *client) exportLogs(t *testing.T) error {
	t.Helper()
	_, err := c.logs.Export(t.Context(), plogotlp.NewExportRequest(), grpc.WaitForReady(true))
	return err
}

func (c *client) exportTraces(t *testing.T) error {
	t.Helper()
	_, err := c.traces.Export(t.Context(), ptraceotlp.NewExportRequest(), grpc.WaitForReady(true))
	return err
}

// later sets the filter's clock.
func (c *client) later(d time.Duration) {
	now := c.filter.now().Add(d)
	c.filter.now = func() time.Time { return now }
}

func (c *client) assertDropped(t *testing.T, n int64) {
	t.Helper()
	metadatatest.AssertEqualExtensionUnimplementedFilterDroppedRequests(t, c.telemetry, []metricdata.DataPoint[int64]{{
		Attributes: attribute.NewSet(attribute.String("service", "opentelemetry.proto.collector.logs.v1.LogsService")), Value: n,
	}}, metricdatatest.IgnoreTimestamp())
}

func TestUnimplementedSignalIsLoggedOnceAndDropped(t *testing.T) {
	traces := new(traceServer)
	address := serve(t, func(s *grpc.Server) { ptraceotlp.RegisterGRPCServer(s, traces) })
	c := dial(t, address)
	for range 5 {
		require.NoError(t, c.exportLogs(t))
		require.NoError(t, c.exportTraces(t))
	}
	assert.EqualValues(t, 5, traces.requests.Load(), "the signal that is implemented")
	c.assertDropped(t, 5)
	require.Equal(t, 1, c.log.Len())
	line := c.log.All()[0]
	assert.Equal(t, zap.WarnLevel, line.Level, "a level without a stack trace")
	assert.Equal(t, "logs", line.ContextMap()["signal"])
	assert.Equal(t, address, line.ContextMap()["endpoint"])
	assert.Contains(t, line.ContextMap()["answer"], "unknown service")
}

func TestRetryFindsThatTheSignalIsImplemented(t *testing.T) {
	logs := new(logServer)
	c := dial(t, serve(t, func(s *grpc.Server) { plogotlp.RegisterGRPCServer(s, logs) }))
	require.NoError(t, c.exportLogs(t))
	c.later(61 * time.Second)
	require.NoError(t, c.exportLogs(t))
	assert.EqualValues(t, 2, logs.requests.Load())
	assert.Equal(t, 1, c.log.Len(), "the answer is the same")

	logs.upgraded.Store(true)
	require.NoError(t, c.exportLogs(t))
	assert.EqualValues(t, 2, logs.requests.Load(), "too early")
	c.later(61 * time.Second)
	for range 3 {
		require.NoError(t, c.exportLogs(t))
	}
	assert.EqualValues(t, 5, logs.requests.Load())
	c.assertDropped(t, 3)
	require.Equal(t, 2, c.log.Len())
	assert.Equal(t, zap.InfoLevel, c.log.All()[1].Level)
}

func TestOtherErrorsAreTheExporters(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.InvalidArgument, codes.PermissionDenied} {
		traces := &traceServer{err: status.Error(code, "no")}
		address := serve(t, func(s *grpc.Server) { ptraceotlp.RegisterGRPCServer(s, traces) })
		c := dial(t, address)
		for range 2 {
			assert.Equal(t, code, status.Code(c.exportTraces(t)))
		}
		assert.EqualValues(t, 2, traces.requests.Load())
		assert.Zero(t, c.log.Len())
	}
}

func TestClientsHaveFiltersOfTheirOwn(t *testing.T) {
	factory := NewFactory()
	e, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig())
	require.NoError(t, err)
	without := serve(t, func(s *grpc.Server) { ptraceotlp.RegisterGRPCServer(s, new(traceServer)) })
	logs := new(logServer)
	logs.upgraded.Store(true)
	with := serve(t, func(s *grpc.Server) { plogotlp.RegisterGRPCServer(s, logs) })
	for _, address := range []string{without, with} {
		options, err := e.(*middleware).GetGRPCClientOptions(t.Context())
		require.NoError(t, err)
		conn, err := grpc.NewClient(address, append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		require.NoError(t, err)
		_, err = plogotlp.NewGRPCClient(conn).Export(t.Context(), plogotlp.NewExportRequest())
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	assert.EqualValues(t, 1, logs.requests.Load())
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestSignalOf(t *testing.T) {
	assert.Equal(t, "traces", signalOf("/opentelemetry.proto.collector.trace.v1.TraceService/Export"))
	assert.Equal(t, "logs", signalOf("/opentelemetry.proto.collector.logs.v1.LogsService/Export"))
	assert.Equal(t, "metrics", signalOf("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"))
	assert.Equal(t, "a.Service", signalOf("/a.Service/Method"))
}
