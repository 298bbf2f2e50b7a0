// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/cluster"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

// bench is a processor of all signals at an API server.
type bench struct {
	t         *testing.T
	traces    processor.Traces
	logs      processor.Logs
	metrics   processor.Metrics
	host      *statusHost
	outT      consumertest.TracesSink
	outL      consumertest.LogsSink
	outM      consumertest.MetricsSink
	processor *peerProcessor
	tel       *componenttest.Telemetry
}

// statusHost remembers what was reported.
type statusHost struct {
	mu     sync.Mutex
	events []*componentstatus.Event
}

func (h *statusHost) GetExtensions() map[component.ID]component.Component { return nil }

func (h *statusHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *statusHost) last() componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.StatusNone
	}
	return h.events[len(h.events)-1].Status()
}

func connectTo(server *clustertest.Server) connectFunc {
	return func(*Config, *cluster.Traffic) (cluster.Clients, error) {
		conf := server.Config()
		conf.QPS = -1
		client, err := rest.HTTPClientFor(conf)
		if err != nil {
			return cluster.Clients{}, err
		}
		objects, err := kubernetes.NewForConfigAndClient(conf, client)
		return cluster.Clients{Objects: objects, Close: client.CloseIdleConnections}, err
	}
}

func start(t *testing.T, connect connectFunc, change func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, host: &statusHost{}, tel: componenttest.NewTelemetry()}
	f := &factory{connect: connect}
	cfg := createDefaultConfig().(*Config)
	cfg.Wait = WaitConfig{}
	if change != nil {
		change(cfg)
	}
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = b.tel.NewTelemetrySettings()
	var err error
	b.traces, err = f.createTraces(t.Context(), set, cfg, &b.outT)
	require.NoError(t, err)
	b.logs, err = f.createLogs(t.Context(), set, cfg, &b.outL)
	require.NoError(t, err)
	b.metrics, err = f.createMetrics(t.Context(), set, cfg, &b.outM)
	require.NoError(t, err)
	b.processor = f.processors.Instance(cfg, func() *peerProcessor {
		t.Error("all signals have one watch")
		return nil
	}).Unwrap()
	ctx, cancel := context.WithCancel(t.Context())
	for _, c := range []component.Component{b.traces, b.logs, b.metrics} {
		require.NoError(t, c.Start(ctx, b.host))
		t.Cleanup(func() {
			require.NoError(t, c.Shutdown(context.Background()))
			require.NoError(t, c.Shutdown(context.Background()))
		})
	}
	cancel() // the context of Start is for the start only
	return b
}

func (b *bench) eventually(f func() bool) {
	b.t.Helper()
	require.Eventually(b.t, f, 30*time.Second, 5*time.Millisecond)
}

func (b *bench) synced() { b.t.Helper(); b.eventually(b.processor.source.Synced) }

// span sends one span, and gives its attributes as they come out.
func (b *bench) span(kind ptrace.SpanKind, at time.Time, attrs map[string]any) map[string]any {
	b.t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("k8s.namespace.name", "production")
	s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetKind(kind)
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(at))
	require.NoError(b.t, s.Attributes().FromRaw(attrs))
	b.outT.Reset()
	require.NoError(b.t, b.traces.ConsumeTraces(b.t.Context(), td))
	return b.outT.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().AsRaw()
}

// added gives what a span has after the processor and had not before.
func (b *bench) added(kind ptrace.SpanKind, attrs map[string]any) map[string]any {
	b.t.Helper()
	out := b.span(kind, time.Now(), attrs)
	for k, v := range attrs {
		assert.Equal(b.t, v, out[k], k)
		delete(out, k)
	}
	return out
}

func to(address string, port int64) map[string]any {
	return map[string]any{"network.peer.address": address, "network.peer.port": port, "network.transport": "tcp"}
}

func with(m map[string]any, more ...string) map[string]any {
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

const containerID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// shop is a small cluster with something of each kind.
func shop(t *testing.T) *clustertest.Server {
	t.Helper()
	s := clustertest.NewServer(t)
	s.Set("nodes", clustertest.Node("node-1", "172.16.0.1", "10.1.0.0/24"))
	s.Set("nodes", clustertest.Node("node-2", "172.16.0.2", "10.1.1.0/24"))
	front := clustertest.Pod("production", "frontend", "abc", "x1", "10.1.0.5", "node-1")
	s.Set("pods", front)
	pay := clustertest.Pod("production", "payment", "def", "y1", "10.1.1.6", "node-2")
	pay.Status.PodIPs = append(pay.Status.PodIPs, corev1.PodIP{IP: "fd00::6"})
	s.Set("pods", pay)
	pair := []*corev1.Pod{
		clustertest.Pod("production", "stock", "ghi", "z1", "10.1.1.7", "node-2"), clustertest.Pod("production", "stock", "ghi", "z2", "10.1.1.8", "node-2"),
	}
	agent := clustertest.Pod("kube-system", "agent", "jkl", "a1", "172.16.0.2", "node-2")
	agent.Spec.HostNetwork, agent.Status.HostIP = true, "172.16.0.2"
	agent.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 9100}}
	agent.Status.ContainerStatuses[0].ContainerID = "containerd://" + containerID
	s.Set("pods", agent)
	one := clustertest.Service("production", "pay", corev1.ServiceTypeNodePort, "10.96.0.7")
	one.Spec.Ports[0].NodePort = 30080
	one.Spec.ClusterIPs = append(one.Spec.ClusterIPs, "fd00:96::7")
	two := clustertest.Service("production", "stock", corev1.ServiceTypeLoadBalancer, "10.96.0.8")
	two.Spec.ExternalIPs = []string{"192.0.2.8"}
	two.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.8"}}
	headless := clustertest.Service("production", "stock-peers", corev1.ServiceTypeClusterIP, corev1.ClusterIPNone)
	outside := clustertest.Service("production", "billing", corev1.ServiceTypeExternalName, "")
	for _, o := range []*corev1.Service{one, two, headless, outside} {
		s.Set("services", o)
	}
	s.Set("endpointslices", clustertest.Slice(one, pay))
	s.Set("endpointslices", clustertest.Slice(two, pair...))
	s.Set("endpointslices", clustertest.Slice(headless, pair...))
	for _, p := range pair {
		s.Set("pods", p)
	}
	return s
}
