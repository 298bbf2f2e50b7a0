// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// end is one end of a call, as a span tells it.
type end struct {
	kind              ptrace.SpanKind
	request, response string // ids; empty where that side was not seen
	incomplete        bool
	sizes             [2]int // bytes of request and response, of a span
}

// backend takes what a collector exports over OTLP, and keeps what is compared.
type backend struct {
	ptraceotlp.UnimplementedGRPCServer
	addr string

	gate sync.RWMutex // held by hold
	mu   sync.Mutex
	ends []end
	logs []end
}

// logServer is the half of a backend that takes log records: both halves have a
// method of the same name.
type logServer struct {
	plogotlp.UnimplementedGRPCServer
	b *backend
}

func startBackend(t *testing.T) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &backend{addr: l.Addr().String()}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ptraceotlp.RegisterGRPCServer(s, b)
	plogotlp.RegisterGRPCServer(s, &logServer{b: b})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Stop()
		<-done
	})
	return b
}

// hold makes exports wait until release is called.
func (b *backend) hold() (release func()) {
	b.gate.Lock()
	return b.gate.Unlock
}

func (b *backend) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	b.gate.RLock()
	defer b.gate.RUnlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rs := range r.Traces().ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				b.ends = append(b.ends, endOf(span))
			}
		}
	}
	return ptraceotlp.NewExportResponse(), nil
}

func (s *logServer) Export(_ context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.b.gate.RLock()
	defer s.b.gate.RUnlock()
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	for _, rl := range r.Logs().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				s.b.logs = append(s.b.logs, endOfRecord(record))
			}
		}
	}
	return plogotlp.NewExportResponse(), nil
}

func (b *backend) counts() (spans, records int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ends), len(b.logs)
}

var sequence = strings.ToLower(truth.SequenceHeader)

func endOf(span ptrace.Span) end {
	a := span.Attributes()
	return end{
		kind:       span.Kind(),
		request:    first(a, "http.request.header."+sequence),
		response:   first(a, "http.response.header."+sequence),
		incomplete: incomplete(a),
		sizes:      [2]int{size(a, "wirespan.request.size"), size(a, "wirespan.response.size")},
	}
}

func endOfRecord(record plog.LogRecord) end {
	e := end{kind: ptrace.SpanKindServer, incomplete: incomplete(record.Attributes())}
	if side, ok := record.Attributes().Get("wirespan.side"); ok && side.Str() == "client" {
		e.kind = ptrace.SpanKindClient
	}
	e.request, e.response = idIn(record.Body(), "request"), idIn(record.Body(), "response")
	return e
}

func incomplete(a pcommon.Map) bool {
	v, ok := a.Get("wirespan.incomplete")
	return ok && v.Bool()
}

func size(a pcommon.Map, key string) int {
	v, ok := a.Get(key)
	if !ok {
		return 0
	}
	return int(v.Int())
}

// idIn is the id in the headers of one side of a log record's body.
func idIn(body pcommon.Value, side string) string {
	if body.Type() != pcommon.ValueTypeMap {
		return ""
	}
	message, ok := body.Map().Get(side)
	if !ok {
		return ""
	}
	headers, ok := message.Map().Get("headers")
	if !ok {
		return ""
	}
	return first(headers.Map(), sequence)
}

// first is the first element of a list in a map.
func first(m pcommon.Map, key string) string {
	list, ok := m.Get(key)
	if !ok || list.Type() != pcommon.ValueTypeSlice || list.Slice().Len() == 0 {
		return ""
	}
	return list.Slice().At(0).Str()
}
