// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	corev1 "k8s.io/api/core/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/cluster"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

// BenchmarkSpan is all that is done to a span of a call to a pod: attributes are
// read, the peer is looked up, eleven attributes are written.
func BenchmarkSpan(b *testing.B) {
	p := clustertest.Pod("production", "payment", "def", "y1", "10.1.1.6", "node-2")
	s := clustertest.Service("production", "pay", corev1.ServiceTypeClusterIP, "10.96.0.7")
	objects := []kruntime.Object{p, s, clustertest.Slice(s, p)}
	f := newFactory(func(*Config, *cluster.Traffic) (cluster.Clients, error) {
		return cluster.Clients{Objects: fake.NewClientset(objects...)}, nil
	})
	cfg := createDefaultConfig().(*Config)
	traces, err := f.CreateTraces(b.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(b, err)
	require.NoError(b, traces.Start(b.Context(), &statusHost{}))
	defer func() { require.NoError(b, traces.Shutdown(b.Context())) }()
	template := ptrace.NewTraces()
	spans := template.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	const batch = 100
	for range batch {
		span := spans.AppendEmpty()
		span.SetKind(ptrace.SpanKindClient)
		span.SetStartTimestamp(2_000_000_000_000_000_000)
		span.SetEndTimestamp(span.StartTimestamp())
		require.NoError(b, span.Attributes().FromRaw(map[string]any{
			"network.transport": "tcp", "network.protocol.name": "http", "network.peer.address": "10.96.0.7",
			"network.peer.port": 80, "network.local.address": "10.1.0.5", "network.local.port": 40000, "client.address": "10.1.0.5",
			"client.port": 40000, "server.address": "pay.production", "http.request.method": "GET", "url.full": "http://pay.production/x",
			"http.response.status_code": 200, "http.request.body.size": 0, "http.response.body.size": 17,
		}))
	}
	first := ptrace.NewTraces()
	template.CopyTo(first)
	require.NoError(b, traces.ConsumeTraces(b.Context(), first)) // waits until the peer is known
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		td := ptrace.NewTraces()
		template.CopyTo(td)
		b.StartTimer()
		_ = traces.ConsumeTraces(b.Context(), td)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/span")
}

var _ component.Host = (*statusHost)(nil)
