// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/wirespan/wirespan/internal/testkit"
)

// backend takes OTLP over HTTP, or does not, as the test wants it.
type backend struct {
	t *testing.T
	*httptest.Server

	mu      sync.Mutex
	answer  func() int // the status; it may block
	refused int        // requests
	spans   int
	records int
	calls   map[taken]int
}

// taken is an end of a call that the backend has taken.
type taken struct {
	id   string // of the request
	kind ptrace.SpanKind
}

func accept() int { return http.StatusOK }

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{t: t, answer: accept, calls: map[taken]int{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

// ServeHTTP implements [http.Handler].
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	answer := b.answer
	b.mu.Unlock()
	status := answer()
	b.mu.Lock()
	defer b.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(status)
	if status != http.StatusOK {
		b.refused++
		return
	}
	if r.URL.Path == "/v1/logs" {
		logs := plogotlp.NewExportRequest()
		assert.NoError(b.t, logs.UnmarshalProto(body))
		b.records += logs.Logs().LogRecordCount()
		return
	}
	traces := ptraceotlp.NewExportRequest()
	assert.NoError(b.t, traces.UnmarshalProto(body))
	b.take(traces.Traces())
}

func (b *backend) take(td ptrace.Traces) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				b.spans++
				b.calls[taken{requestID(span.Attributes()), span.Kind()}]++
			}
		}
	}
}

// requestID is the id in the query of a call's URL.
func requestID(attrs pcommon.Map) string {
	var query string
	if v, ok := attrs.Get("url.query"); ok {
		query = v.Str()
	} else if v, ok := attrs.Get("url.full"); ok {
		_, query, _ = strings.Cut(v.Str(), "?")
	}
	values, _ := url.ParseQuery(query)
	return values.Get("id")
}

// set changes how requests are answered from now on.
func (b *backend) set(answer func() int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

// status answers every request with one status.
func status(code int) func() int { return func() int { return code } }

// has waits until so many spans and log records were taken.
func (b *backend) has(spans int) {
	b.t.Helper()
	testkit.Eventually(b.t, strconv.Itoa(spans)+" spans and log records", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.spans >= spans && b.records >= spans
	})
}

// ends are the numbers of times that both ends of a call were taken.
func (b *backend) ends(id string) (atClient, atServer int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[taken{id, client}], b.calls[taken{id, server}]
}

// exporting starts a collector that captures what goes to s, and sends it to the
// backend without a queue between them, unless the exporter's settings have one.
func (b *backend) exporting(s *testkit.Server, network, exporter testkit.M, extensions testkit.M) *testkit.Collector {
	b.t.Helper()
	_, port, err := net.SplitHostPort(b.Listener.Addr().String())
	require.NoError(b.t, err)
	own, err := strconv.Atoi(port)
	require.NoError(b.t, err)
	settings := testkit.M{
		"endpoint":         b.URL,
		"compression":      "none",
		"timeout":          "60s",
		"sending_queue":    testkit.M{"enabled": false},
		"retry_on_failure": testkit.M{"enabled": false},
	}
	maps.Copy(settings, exporter)
	capturing := testkit.M{"capture": testkit.M{"ebpf": testkit.M{
		"include": testkit.M{"ports": []int{s.Port()}}, "exclude": testkit.M{"ports": []int{own}},
	}}}
	maps.Copy(capturing, network)
	return testkit.StartCollector(b.t, testkit.CollectorConfig{
		Network: capturing, NoFile: true, Exporters: testkit.M{"otlp_http": settings}, Extensions: extensions,
	})
}
