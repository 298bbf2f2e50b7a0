// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // what the configuration compresses with

	"github.com/wirespan/wirespan/internal/testkit"
)

// backend counts what an OTLP endpoint without TLS gets.
type backend struct {
	ptraceotlp.UnimplementedGRPCServer
	spans, records atomic.Int64
}

func (b *backend) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	b.spans.Add(int64(r.Traces().SpanCount()))
	return ptraceotlp.NewExportResponse(), nil
}

// logBackend is the other service of the same endpoint.
type logBackend struct {
	plogotlp.UnimplementedGRPCServer
	*backend
}

func (b *logBackend) Export(_ context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	b.records.Add(int64(r.Logs().LogRecordCount()))
	return plogotlp.NewExportResponse(), nil
}

// The configuration for an OTLP endpoint reaches one, named as the README says,
// with a capture file in the place of live traffic.
func TestOTLPConfigurationReachesItsEndpoint(t *testing.T) {
	b := new(backend)
	address := serveOTLP(t, func(s *grpc.Server) {
		ptraceotlp.RegisterGRPCServer(s, b)
		plogotlp.RegisterGRPCServer(s, &logBackend{backend: b})
	})

	for _, scheme := range []string{"", "http://"} {
		b.spans.Store(0)
		b.records.Store(0)
		out := replayTo(t, scheme+address)
		assert.Positive(t, b.spans.Load(), "%s", out)
		assert.Equal(t, b.spans.Load(), b.records.Load(), "a span and a log record for each call")
	}
}

// A server without a service for logs, such as Jaeger, gets its spans, and of
// the log records there is one line.
func TestOTLPConfigurationWithoutLogs(t *testing.T) {
	b := new(backend)
	address := serveOTLP(t, func(s *grpc.Server) { ptraceotlp.RegisterGRPCServer(s, b) })
	out := replayTo(t, "http://"+address)
	assert.Positive(t, b.spans.Load(), "%s", out)
	assert.Equal(t, 1, strings.Count(out, "Unimplemented")+strings.Count(out, "server does not implement a signal"), "%s", out)
	assert.NotContains(t, out, "stacktrace")
	assert.NotContains(t, out, "\terror\t")
}

// serveOTLP starts a server, and returns its address.
func serveOTLP(t *testing.T, register func(*grpc.Server)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	register(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// replayTo sends the calls of a capture file to an endpoint, in batches so small
// that there are several, and returns what the collector prints.
func replayTo(t *testing.T, endpoint string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), "--config", "distributions/wirespan/config-otlp.yaml",
		"--config", "yaml:receivers::network::capture::pcap: {files: [receiver/networkreceiver/dissect/http/testdata/nginx.pcap], on_end: exit}",
		"--config", "yaml:receivers::network::batch::max_records: 2",
		"--config", "yaml:exporters::otlp_grpc::sending_queue::batch: {flush_timeout: 1ms, min_size: 1}",
		"--config", "yaml:service::telemetry::metrics::level: none")
	cmd.Dir = testkit.Root()
	cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}
