// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"context"
	"net"
	"os"
	"os/exec"
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
	program := binary(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b, server := new(backend), grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(server, b)
	plogotlp.RegisterGRPCServer(server, &logBackend{backend: b})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)

	for _, scheme := range []string{"", "http://"} {
		b.spans.Store(0)
		b.records.Store(0)
		cmd := exec.CommandContext(t.Context(), program, "--config", "distributions/wirespan/config-otlp.yaml",
			"--config", "yaml:receivers::network::capture::pcap: {files: [receiver/networkreceiver/dissect/http/testdata/nginx.pcap], on_end: exit}",
			"--config", "yaml:service::telemetry::metrics::level: none")
		cmd.Dir = testkit.Root()
		cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+scheme+listener.Addr().String())
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		assert.Positive(t, b.spans.Load(), "%s", out)
		assert.Equal(t, b.spans.Load(), b.records.Load(), "a span and a log record for each call")
	}
}
