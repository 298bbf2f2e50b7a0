// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestTwoCollectors has a client and a server in network namespaces of their own,
// and for each a collector that sees nothing of the other: as on two nodes. Both
// must arrive at the same ids, with no header.
func TestTwoCollectors(t *testing.T) {
	testkit.NeedRoot(t)
	a, b := testkit.NetNSPair(t)
	clientGroup, serverGroup := testkit.NewCgroup(t, "client"), testkit.NewCgroup(t, "server")
	s := testkit.GoServer(t, testkit.Place{Addr: b.Addr + ":80", NetNS: b.Name, Cgroup: serverGroup})
	only := func(group *testkit.Cgroup, peer string) *testkit.Collector {
		return live(t, testkit.M{
			"capture": testkit.M{"ebpf": testkit.M{"include": testkit.M{"cgroups": []string{group.Path}}}},
			"trace":   testkit.M{"captured_peers": []string{peer}},
		})
	}
	clientSide, serverSide := only(clientGroup, b.Addr), only(serverGroup, a.Addr)
	calls := testkit.Send(t, testkit.Load{
		URL: s.URL(), Name: "c", Method: "POST", Path: "/echo", Size: 100, Requests: 50, Connections: 5,
		Place: testkit.Place{NetNS: a.Name, Cgroup: clientGroup},
	})
	clientSide.Shutdown()
	serverSide.Shutdown()

	clients, servers := clientSide.Calls(), serverSide.Calls()
	assert.Len(t, clients.Of(client), len(calls))
	assert.Len(t, servers.Of(server), len(calls))
	assert.Len(t, clients, len(calls), "the client's collector sees the client's end only")
	assert.Len(t, servers, len(calls), "the server's collector sees the server's end only")
	checkCalls(t, append(clients, servers...), between(t, calls, s))
	checkTrace(t, append(clients, servers...), calls)
}

// TestTraceContext expects both ends of a call that carries a trace context in
// that trace, the client's end as a child of the span that sent it.
func TestTraceContext(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	c := live(t, nil)
	contexts := map[string][]string{
		"w3c":      {"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		"b3":       {"b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"},
		"b3-multi": {"X-B3-TraceId: 0af7651916cd43dd8448eb211c80319c", "X-B3-SpanId: b7ad6b7169203331", "X-B3-Sampled: 1"},
		"jaeger":   {"uber-trace-id: 0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1"},
		"xray":     {"X-Amzn-Trace-Id: Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"},
		"none":     nil,
	}
	for name, headers := range contexts {
		var args []string
		for _, header := range headers {
			args = append(args, "--header", header)
		}
		testkit.Curl(t, name, s.URL(), "/echo", nil, args...)
	}
	c.Shutdown()

	groups := c.Calls().BySequence()
	for name, headers := range contexts {
		require.Len(t, groups[name], 2, name)
		one := func(kind ptrace.SpanKind) testkit.Call { return groups[name].Of(kind)[0] }
		assert.Equal(t, one(client).TraceID, one(server).TraceID, name)
		assert.NotEqual(t, one(client).SpanID, one(server).SpanID, name)
		if headers != nil {
			assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", one(client).TraceID.String(), name)
			assert.Equal(t, "b7ad6b7169203331", one(client).ParentID.String(), name)
		} else {
			assert.NotEqual(t, "0af7651916cd43dd8448eb211c80319c", one(client).TraceID.String(), name)
		}
	}
}
