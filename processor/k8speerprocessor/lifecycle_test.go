// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/cluster"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

func TestWithoutACluster(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	b := start(t, connect, func(c *Config) { c.Wait = createDefaultConfig().(*Config).Wait })
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusPermanentError })
	assert.Empty(t, b.added(ptrace.SpanKindClient, to("10.1.1.6", 8080)))
	assert.Equal(t, map[string]any{"service.peer.name": "api.example.com", "wirespan.peer.kind": "external"},
		b.added(ptrace.SpanKindClient, with(to("198.51.100.7", 443), "server.address", "api.example.com")))
}

func TestConnectingIsTriedAgain(t *testing.T) {
	server := shop(t)
	tries := 0
	b := start(t, func(c *Config, traffic *cluster.Traffic) (cluster.Clients, error) {
		if tries++; tries == 1 {
			return cluster.Clients{}, assert.AnError
		}
		return connectTo(server)(c, traffic)
	}, nil)
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusRecoverableError })
	b.synced()
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusOK })
}

// Without a server what is known serves on, and all comes back with it.
func TestServerComesAndGoes(t *testing.T) {
	server := shop(t)
	server.Refuse(http.StatusServiceUnavailable)
	b := start(t, connectTo(server), nil)
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusRecoverableError })
	assert.Empty(t, b.added(ptrace.SpanKindClient, to("10.1.1.6", 8080)))
	server.Refuse(0)
	b.synced()
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusOK })
	server.Refuse(http.StatusForbidden)
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusRecoverableError })
	assert.Equal(t, "payment", b.added(ptrace.SpanKindClient, to("10.1.1.6", 8080))["service.peer.name"])
}

// Permission is taken away and given back: what came meanwhile is known then.
func TestPermissionComesAndGoes(t *testing.T) {
	server := shop(t)
	b := start(t, connectTo(server), nil)
	b.synced()
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusOK })
	server.RefuseResource("pods", http.StatusForbidden)
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusRecoverableError })
	server.Set("pods", clustertest.Pod("production", "late", "pqr", "v1", "10.1.0.99", "node-1"))
	assert.Equal(t, "payment", b.added(ptrace.SpanKindClient, to("10.1.1.6", 8080))["service.peer.name"])
	assert.Positive(t, counter(t, b, "api_failures", "pods"))
	server.RefuseResource("pods", 0)
	b.named("late", "10.1.0.99")
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusOK })
}

func TestMetrics(t *testing.T) {
	b := start(t, connectTo(shop(t)), func(c *Config) { c.External.MaxNames = 1 })
	b.synced()
	b.span(ptrace.SpanKindClient, time.Now(), to("10.1.1.6", 8080))
	for _, name := range []string{"a.example.com", "b.example.com", "a.example.com"} {
		out := b.span(ptrace.SpanKindClient, time.Now(), with(to("198.51.100.7", 443), "server.address", name))
		assert.Equal(t, name == "a.example.com", out["service.peer.name"] != nil, name)
	}
	values := map[string]int64{}
	for _, name := range []string{"records", "cache_size", "external_names_refused", "watch_up", "waits", "api_bytes"} {
		m, err := b.tel.GetMetric("otelcol_processor_k8s_peer_" + name)
		require.NoError(t, err, name)
		collect(m.Data, func(n int64, label string) { values[name+" "+label] = n })
	}
	assert.EqualValues(t, 1, values["records pod"])
	assert.EqualValues(t, 3, values["records external"])
	assert.EqualValues(t, 5, values["cache_size pods"])
	assert.EqualValues(t, 4, values["cache_size services"])
	assert.EqualValues(t, 1, values["cache_size names"])
	assert.EqualValues(t, 1, values["external_names_refused "])
	assert.EqualValues(t, 1, values["watch_up endpointslices"])
}

// What is given before the shutdown comes out before it.
func TestShutdownContract(t *testing.T) {
	processortest.VerifyShutdown(t, NewFactory(), NewFactory().CreateDefaultConfig())
}

// A configuration may be started, stopped and started again.
func TestStartedAgain(t *testing.T) {
	f := newFactory(connectTo(shop(t)))
	cfg := f.CreateDefaultConfig()
	for range 2 {
		p, err := f.CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), &statusHost{}))
		assert.True(t, p.Capabilities().MutatesData)
		require.NoError(t, p.Shutdown(t.Context()))
	}
}
