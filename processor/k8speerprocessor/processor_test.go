// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"maps"
	"net/http"
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
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
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
	t       *testing.T
	traces  processor.Traces
	logs    processor.Logs
	metrics processor.Metrics
	host    *statusHost
	outT    consumertest.TracesSink
	outL    consumertest.LogsSink
	outM    consumertest.MetricsSink
	shared  *shared
	tel     *componenttest.Telemetry
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
	f := &factory{connect: connect, shared: map[*Config]*shared{}}
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
	require.Len(t, f.shared, 1, "all signals have one watch")
	b.shared = f.shared[cfg]
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

func (b *bench) synced() { b.t.Helper(); b.eventually(b.shared.processor.source.Synced) }

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

// The same is known here and by asking another collector.
func TestPeers(t *testing.T) {
	for name, how := range map[string]func(*testing.T, *clustertest.Server) *bench{
		"watched": func(t *testing.T, s *clustertest.Server) *bench { return start(t, connectTo(s), nil) },
		"asked": func(t *testing.T, s *clustertest.Server) *bench {
			return ask(t, serve(t, connectTo(s), "localhost:0", nil), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := how(t, shop(t))
			b.synced()
			testPeers(t, b)
		})
	}
}

func testPeers(t *testing.T, b *bench) {
	uid := func(pod, ip string) string { return string(clustertest.UID("production", pod, ip)) }
	payment := map[string]any{
		"destination.k8s.namespace.name": "production", "destination.k8s.pod.name": "payment-def-y1",
		"destination.k8s.pod.uid": uid("payment-def-y1", "10.1.1.6"), "destination.k8s.node.name": "node-2",
		"destination.k8s.deployment.name": "payment", "destination.k8s.service.name": "pay",
		"service.peer.name": "payment", "service.peer.namespace": "production",
	}
	kind := func(m map[string]any, kind string) map[string]any {
		out := maps.Clone(m)
		out["wirespan.peer.kind"] = kind
		return out
	}
	stock := map[string]any{
		"destination.k8s.namespace.name": "production", "destination.k8s.deployment.name": "stock", "destination.k8s.service.name": "stock",
		"service.peer.name": "stock", "service.peer.namespace": "production",
	}
	pod := func(suffix, ip, service string) map[string]any {
		m := kind(stock, "pod")
		m["destination.k8s.pod.name"], m["destination.k8s.pod.uid"] = "stock-ghi-"+suffix, uid("stock-ghi-"+suffix, ip)
		m["destination.k8s.node.name"] = "node-2"
		if delete(m, "destination.k8s.service.name"); service != "" {
			m["destination.k8s.service.name"] = service
		}
		return m
	}
	agent := map[string]any{
		"destination.k8s.namespace.name": "kube-system", "destination.k8s.pod.name": "agent-jkl-a1", "destination.k8s.node.name": "node-2",
		"destination.k8s.pod.uid": string(clustertest.UID("kube-system", "agent-jkl-a1", "172.16.0.2")), "destination.k8s.deployment.name": "agent",
		"service.peer.name": "agent", "service.peer.namespace": "kube-system", "wirespan.peer.kind": "pod",
	}
	for name, c := range map[string]struct {
		in, want map[string]any
	}{
		"pod":                       {to("10.1.1.6", 8080), kind(payment, "pod")},
		"cluster IP, one endpoint":  {to("10.96.0.7", 80), kind(payment, "cluster_ip")},
		"node port, one endpoint":   {to("172.16.0.1", 30080), kind(payment, "node_port")},
		"cluster IP, two endpoints": {to("10.96.0.8", 80), kind(stock, "cluster_ip")},
		"cluster IP, not its port":  {to("10.96.0.8", 81), kind(stock, "cluster_ip")},
		"load balancer":             {to("203.0.113.8", 80), kind(stock, "load_balancer")},
		"cluster IP, after NAT": {
			with(to("10.96.0.8", 80), "wirespan.peer.nat.address", "10.1.1.8"),
			kind(pod("z2", "10.1.1.8", "stock"), "cluster_ip"),
		},
		"node port, after NAT": {
			with(to("172.16.0.1", 30080), "wirespan.peer.nat.address", "10.1.1.6"), kind(payment, "node_port"),
		},
		"load balancer, after NAT": {
			with(to("203.0.113.8", 80), "wirespan.peer.nat.address", "10.1.1.7"),
			kind(pod("z1", "10.1.1.7", "stock"), "load_balancer"),
		},
		"external IP":               {to("192.0.2.8", 80), kind(stock, "external_ip")},
		"external IP, after NAT":    {with(to("192.0.2.8", 80), "wirespan.peer.nat.address", "10.1.1.8"), kind(pod("z2", "10.1.1.8", "stock"), "external_ip")},
		"unknown VIP, after NAT":    {with(to("198.51.100.9", 80), "wirespan.peer.nat.address", "10.1.1.6"), kind(payment, "pod")},
		"dual stack, second one":    {to("fd00::6", 8080), kind(payment, "pod")},
		"dual stack, its service":   {to("fd00:96::7", 80), kind(payment, "cluster_ip")},
		"pod of two services":       {to("10.1.1.7", 8080), pod("z1", "10.1.1.7", "")},
		"pod of two, one is called": {with(to("10.1.1.7", 8080), "server.address", "stock.production.svc.cluster.local"), pod("z1", "10.1.1.7", "stock")},
		"headless": {
			with(to("10.1.1.7", 8080), "wirespan.peer.dns.name", "z1.stock-peers.production.svc"),
			kind(pod("z1", "10.1.1.7", "stock-peers"), "headless"),
		},
		"host network, by port":       {to("172.16.0.2", 9100), agent},
		"host network, by container":  {with(to("172.16.0.2", 45678), "wirespan.peer.container.id", containerID), agent},
		"node":                        {to("172.16.0.2", 10250), map[string]any{"destination.k8s.node.name": "node-2", "wirespan.peer.kind": "node"}},
		"external":                    {to("198.51.100.7", 443), map[string]any{"wirespan.peer.kind": "external"}},
		"external, by Host or SNI":    {with(to("198.51.100.7", 443), "server.address", "API.example.com."), map[string]any{"wirespan.peer.kind": "external", "service.peer.name": "api.example.com"}},
		"external, by DNS":            {with(to("198.51.100.7", 443), "server.address", "198.51.100.7", "wirespan.peer.dns.name", "db.example.com"), map[string]any{"wirespan.peer.kind": "external", "service.peer.name": "db.example.com"}},
		"external, no name of a host": {with(to("198.51.100.7", 443), "server.address", "<b>"), map[string]any{"wirespan.peer.kind": "external"}},
		"external, name of the cluster": {
			with(to("198.51.100.7", 443), "server.address", "gone.production.svc.cluster.local"),
			map[string]any{"wirespan.peer.kind": "external"},
		},
		"external name": {
			with(to("198.51.100.7", 443), "server.address", "billing"),
			map[string]any{
				"wirespan.peer.kind": "external_name", "service.peer.name": "billing", "service.peer.namespace": "production",
				"destination.k8s.service.name": "billing", "destination.k8s.namespace.name": "production",
			},
		},
		"loopback":         {to("127.0.0.1", 80), map[string]any{"wirespan.peer.kind": "loopback"}},
		"mapped address":   {to("::ffff:10.1.1.6", 8080), kind(payment, "pod")},
		"nobody's address": {to("10.1.0.77", 80), map[string]any{}},
		"no address":       {map[string]any{"server.address": "x.example.com"}, map[string]any{}},
		"junk":             {to("peer", 80), map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			deadline := time.Now().Add(30 * time.Second)
			got := b.added(ptrace.SpanKindClient, c.in)
			for !maps.Equal(c.want, got) && time.Now().Before(deadline) { // what is asked for takes its time
				time.Sleep(time.Millisecond)
				got = b.added(ptrace.SpanKindClient, c.in)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// A client is not reached by a service, and its port means nothing.
func TestClientsOfAServer(t *testing.T) {
	b := start(t, connectTo(shop(t)), func(c *Config) { c.PeerService = true })
	b.synced()
	assert.Equal(t, map[string]any{
		"source.k8s.namespace.name": "production", "source.k8s.pod.name": "frontend-abc-x1", "source.k8s.node.name": "node-1",
		"source.k8s.pod.uid":         string(clustertest.UID("production", "frontend-abc-x1", "10.1.0.5")),
		"source.k8s.deployment.name": "frontend", "wirespan.peer.kind": "pod",
		"service.peer.name": "frontend", "service.peer.namespace": "production", "peer.service": "frontend",
	}, b.added(ptrace.SpanKindServer, to("10.1.0.5", 45678)))
	assert.Equal(t, map[string]any{"source.k8s.node.name": "node-2", "wirespan.peer.kind": "node"},
		b.added(ptrace.SpanKindServer, to("172.16.0.2", 9100)))
	assert.Equal(t, map[string]any{"wirespan.peer.kind": "external"},
		b.added(ptrace.SpanKindServer, with(to("198.51.100.7", 443), "server.address", "shop.example.com")), "the server's name is not the client's")
	assert.Equal(t, "node", b.added(ptrace.SpanKindServer, to("10.1.0.1", 43210))["wirespan.peer.kind"], "the bridge of a node")
}

func TestWhatIsThereStays(t *testing.T) {
	b := start(t, connectTo(shop(t)), nil)
	b.synced()
	there := with(to("10.1.1.6", 8080), "service.peer.name", "mine", "destination.k8s.pod.name", "mine", "wirespan.peer.kind", "mine")
	out := b.added(ptrace.SpanKindClient, there)
	assert.Equal(t, "payment", out["destination.k8s.deployment.name"])
}

func TestSettings(t *testing.T) {
	server := shop(t)
	pay := clustertest.Pod("production", "payment", "def", "y1", "10.1.1.6", "node-2")
	pay.Labels["version"] = "7"
	server.Set("pods", pay)
	node := clustertest.Node("node-2", "172.16.0.2", "10.1.1.0/24")
	node.Labels = map[string]string{"zone": "b"}
	server.Set("nodes", node)
	one := clustertest.Service("production", "pay", corev1.ServiceTypeNodePort, "10.96.0.7")
	one.Labels = map[string]string{"team": "money"}
	server.Set("services", one)
	b := start(t, connectTo(server), func(c *Config) {
		c.Prefix.Destination = "k8s.dst."
		c.Extract.Metadata = []string{"k8s.service.type", "k8s.replicaset.name"}
		c.Extract.Labels = LabelsConfig{Pod: []string{"version"}, Service: []string{"team"}, Node: []string{"zone"}}
	})
	b.synced()
	assert.Equal(t, map[string]any{
		"k8s.dst.k8s.service.type": "NodePort", "k8s.dst.k8s.replicaset.name": "payment-def", "k8s.dst.k8s.pod.label.version": "7",
		"k8s.dst.k8s.service.label.team": "money", "k8s.dst.k8s.node.label.zone": "b",
		"service.peer.name": "payment", "service.peer.namespace": "production", "wirespan.peer.kind": "cluster_ip",
	}, b.added(ptrace.SpanKindClient, to("10.96.0.7", 80)))
}

// A call that ended before its peer's address became another's.
func TestPeersOfThePast(t *testing.T) {
	server := shop(t)
	b := start(t, connectTo(server), nil)
	b.synced()
	then := time.Now()
	old := clustertest.Pod("production", "payment", "def", "y1", "10.1.1.6", "node-2")
	server.Delete("pods", old)
	next := clustertest.Pod("production", "reports", "mno", "w1", "10.1.1.6", "node-2")
	next.Status = clustertest.Running("10.1.1.6", time.Now().Add(10*time.Second))
	server.Set("pods", next)
	b.eventually(func() bool {
		return b.span(ptrace.SpanKindClient, then.Add(time.Minute), to("10.1.1.6", 8080))["service.peer.name"] == "reports"
	})
	assert.Equal(t, "payment", b.span(ptrace.SpanKindClient, then, to("10.1.1.6", 8080))["service.peer.name"])
}

func TestLogRecords(t *testing.T) {
	b := start(t, connectTo(shop(t)), nil)
	b.synced()
	for side, want := range map[string]string{"client": "destination.k8s.pod.name", "server": "source.k8s.pod.name", "": ""} {
		ld := plog.NewLogs()
		r := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		require.NoError(t, r.Attributes().FromRaw(with(to("10.1.1.6", 8080), "wirespan.side", side)))
		b.outL.Reset()
		require.NoError(t, b.logs.ConsumeLogs(t.Context(), ld))
		out := b.outL.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
		assert.Equal(t, "payment", out["service.peer.name"], "whatever the side is")
		for _, key := range []string{"destination.k8s.pod.name", "source.k8s.pod.name"} {
			assert.Equal(t, key == want, out[key] != nil, "%s %s", side, key)
		}
	}
}

func TestDataPoints(t *testing.T) {
	b := start(t, connectTo(shop(t)), nil)
	b.synced()
	md := pmetric.NewMetrics()
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	var points []pcommon.Map
	add := func(name string, point func(pmetric.Metric) pcommon.Map) {
		m := ms.AppendEmpty()
		m.SetName(name)
		points = append(points, point(m))
	}
	add("http.client.request.duration", func(m pmetric.Metric) pcommon.Map {
		return m.SetEmptyHistogram().DataPoints().AppendEmpty().Attributes()
	})
	add("calls", func(m pmetric.Metric) pcommon.Map { return m.SetEmptySum().DataPoints().AppendEmpty().Attributes() })
	add("g", func(m pmetric.Metric) pcommon.Map { return m.SetEmptyGauge().DataPoints().AppendEmpty().Attributes() })
	add("e", func(m pmetric.Metric) pcommon.Map {
		return m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty().Attributes()
	})
	add("s", func(m pmetric.Metric) pcommon.Map { return m.SetEmptySummary().DataPoints().AppendEmpty().Attributes() })
	ms.AppendEmpty().SetName("empty")
	for i, m := range points {
		require.NoError(t, m.FromRaw(to("10.1.1.6", 8080)))
		if i > 0 {
			m.PutStr("span.kind", "SPAN_KIND_CLIENT")
		}
	}
	require.NoError(t, b.metrics.ConsumeMetrics(t.Context(), md))
	for i, m := range points {
		v, _ := m.Get("destination.k8s.deployment.name")
		assert.Equal(t, "payment", v.Str(), i)
	}
}

// A pod that calls before the watch has told of it.
func TestCallWaitsForItsPeer(t *testing.T) {
	server := shop(t)
	b := start(t, connectTo(server), func(c *Config) { c.Wait.Timeout = 20 * time.Second })
	b.synced()
	late := clustertest.Pod("production", "cron", "pqr", "v1", "10.1.0.99", "node-1")
	time.AfterFunc(50*time.Millisecond, func() { server.Set("pods", late) })
	assert.Equal(t, "cron", b.span(ptrace.SpanKindServer, time.Now(), to("10.1.0.99", 40000))["service.peer.name"])
	assert.EqualValues(t, 1, b.shared.processor.waits.resolved.Load())
}

// The pod is too new, whose address the node has replaced by its own.
func TestCallWaitsForThePodBehindANode(t *testing.T) {
	server := shop(t)
	b := start(t, connectTo(server), func(c *Config) { c.Wait.Timeout = 20 * time.Second })
	b.synced()
	late := clustertest.Pod("production", "cron", "pqr", "v1", "10.1.0.99", "node-1")
	time.AfterFunc(50*time.Millisecond, func() { server.Set("pods", late) })
	masqueraded := to("172.16.0.1", 40000)
	masqueraded["wirespan.peer.nat.address"], masqueraded["wirespan.peer.nat.port"] = "10.1.0.99", int64(40000)
	assert.Equal(t, "cron", b.span(ptrace.SpanKindServer, time.Now(), masqueraded)["service.peer.name"])
}

func TestWaitingHasAnEnd(t *testing.T) {
	b := start(t, connectTo(shop(t)), func(c *Config) { c.Wait.Timeout = time.Second })
	b.synced()
	w := &b.shared.processor.waits
	for range 3 { // only the first one waits
		b.span(ptrace.SpanKindServer, time.Now(), to("10.1.0.99", 40000))
	}
	b.span(ptrace.SpanKindServer, time.Now().Add(-time.Minute), to("10.1.0.98", 40000)) // too old
	b.span(ptrace.SpanKindServer, time.Now(), to("198.51.100.7", 40000))                // no pod's
	assert.EqualValues(t, 1, w.expired.Load())
	assert.Zero(t, w.resolved.Load())
}

func TestShutdownEndsWaiting(t *testing.T) {
	b := start(t, connectTo(shop(t)), func(c *Config) { c.Wait.Timeout = time.Hour })
	b.synced()
	time.AfterFunc(50*time.Millisecond, b.shared.processor.waits.end)
	out := b.span(ptrace.SpanKindServer, time.Now(), to("10.1.0.99", 40000))
	assert.NotContains(t, out, "service.peer.name")
}

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
