// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // what exporters compress with
	"google.golang.org/grpc/metadata"
)

// backend takes OTLP by gRPC and by HTTP and counts what comes.
type backend struct {
	grpc, http    string // addresses
	spans, logs   atomic.Int64
	authorization atomic.Value // the last header of that name
	userAgent     atomic.Value // likewise
}

func startBackend(t *testing.T) *backend {
	t.Helper()
	b := new(backend)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(server, &traceServer{backend: b})
	plogotlp.RegisterGRPCServer(server, &logServer{backend: b})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	b.grpc = listener.Addr().String()

	routes := http.NewServeMux()
	routes.HandleFunc("POST /otlp/v1/traces", b.takeTraces)
	routes.HandleFunc("POST /otlp/v1/logs", b.takeLogs)
	web := httptest.NewServer(routes)
	t.Cleanup(web.Close)
	b.http = web.URL + "/otlp"
	return b
}

// sender remembers what a request says of who sends it.
func (b *backend) sender(authorization, userAgent []string) {
	if len(authorization) > 0 {
		b.authorization.Store(authorization[0])
	}
	if len(userAgent) > 0 {
		b.userAgent.Store(userAgent[0])
	}
}

type traceServer struct {
	ptraceotlp.UnimplementedGRPCServer
	*backend
}

func (s *traceServer) Export(ctx context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.sender(metadata.ValueFromIncomingContext(ctx, "authorization"), metadata.ValueFromIncomingContext(ctx, "user-agent"))
	s.spans.Add(int64(r.Traces().SpanCount()))
	return ptraceotlp.NewExportResponse(), nil
}

type logServer struct {
	plogotlp.UnimplementedGRPCServer
	*backend
}

func (s *logServer) Export(_ context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.logs.Add(int64(r.Logs().LogRecordCount()))
	return plogotlp.NewExportResponse(), nil
}

func (b *backend) takeTraces(w http.ResponseWriter, r *http.Request) {
	b.sender(r.Header["Authorization"], r.Header["User-Agent"])
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body(r)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.spans.Add(int64(request.Traces().SpanCount()))
}

func (b *backend) takeLogs(w http.ResponseWriter, r *http.Request) {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(body(r)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.logs.Add(int64(request.Logs().LogRecordCount()))
}

// body is what was sent, without gzip.
func body(r *http.Request) []byte {
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil
		}
		in = z
	}
	b, _ := io.ReadAll(in)
	return b
}
