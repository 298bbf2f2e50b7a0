// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	corev1 "k8s.io/api/core/v1"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
)

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
