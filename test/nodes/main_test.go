// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package nodes proves that what collectors on several nodes say of the same calls
// makes one trace.
package nodes

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	client = ptrace.SpanKindClient
	server = ptrace.SpanKindServer
)

// collector starts a collector on a node, which sees that node's processes only.
func (n *node) collector(capturedPeers ...string) *testkit.Collector {
	n.cluster.t.Helper()
	return n.host().collector("", capturedPeers...)
}

// collector starts a collector in a place of the node, which is told of the network
// namespace where addresses are translated if that is another one.
func (p place) collector(nat string, capturedPeers ...string) *testkit.Collector {
	t := p.node.cluster.t
	t.Helper()
	return testkit.StartCollector(t, testkit.CollectorConfig{NetNS: p.netns, Cgroup: p.containers, Network: testkit.M{
		"capture": testkit.M{"ebpf": testkit.M{
			"include": testkit.M{"cgroups": []string{p.node.group.Path}}, "nat": testkit.M{"netns": nat},
		}},
		"trace": testkit.M{"captured_peers": capturedPeers},
	}})
}

// at is the place for a program that listens there on a port.
func (p place) at(port int) testkit.Place {
	return testkit.Place{Addr: net.JoinHostPort("::", strconv.Itoa(port)), NetNS: p.netns, Cgroup: p.containers}
}

// server starts a server of HTTP/1 and 2 in clear on port 8080.
func (p place) server() *testkit.Server {
	p.node.cluster.t.Helper()
	return testkit.GoServer(p.node.cluster.t, p.at(8080))
}

// start starts a program in a place.
func (p place) start(path string, args ...string) *testkit.Process {
	p.node.cluster.t.Helper()
	return testkit.Start(p.node.cluster.t, testkit.Program{Path: path, Args: args, NetNS: p.netns, Cgroup: p.containers})
}

// run runs a program in a place to its end.
func (p place) run(path string, args ...string) *testkit.Process {
	t := p.node.cluster.t
	t.Helper()
	run := p.start(path, args...)
	require.Zero(t, run.Wait(testkit.Patience), "%s %v: %s", path, args, run.Output())
	return run
}

// sent is what tells the calls of a test apart: the id that the client gave them.
func sent(c testkit.Call) string {
	if id := c.Sequence(); id != "" {
		return id
	}
	return c.Request.Header("x-call") // of gRPC
}

// of gives the calls whose id begins so, by id.
func of(calls testkit.Calls, prefix string) map[string]testkit.Calls {
	groups := map[string]testkit.Calls{}
	for _, c := range calls {
		if id := sent(c); strings.HasPrefix(id, prefix+"-") {
			groups[id] = append(groups[id], c)
		}
	}
	return groups
}

// checkPairs expects each call at both ends, in a trace of its own, the server's span
// below the client's.
func checkPairs(t *testing.T, calls testkit.Calls, prefix string, count int, parent string) {
	t.Helper()
	groups := of(calls, prefix)
	assert.Len(t, groups, count, "calls of %s", prefix)
	traces := map[string]bool{}
	for id, group := range groups {
		clients, servers := group.Of(client), group.Of(server)
		require.Len(t, clients, 1, "CLIENT spans of %s", id)
		require.Len(t, servers, 1, "SERVER spans of %s", id)
		assert.Equal(t, clients[0].TraceID, servers[0].TraceID, "trace of %s", id)
		assert.Equal(t, clients[0].SpanID, servers[0].ParentID, "parent of the SERVER span of %s", id)
		assert.Equal(t, parent, clients[0].ParentID.String(), "parent of the CLIENT span of %s", id)
		traces[clients[0].TraceID.String()] = true
	}
	if parent == "" {
		assert.Len(t, traces, count, "one trace per call of %s", prefix)
	}
}

// checkNoOrphans expects every parent to be among the spans, or in a header.
func checkNoOrphans(t *testing.T, calls testkit.Calls, headers ...string) {
	t.Helper()
	known := map[string]bool{"": true}
	for _, c := range calls {
		assert.False(t, known[c.SpanID.String()], "two spans have the id %s", c.SpanID)
		known[c.SpanID.String()] = true
	}
	for _, id := range headers {
		known[id] = true
	}
	for _, c := range calls {
		assert.True(t, known[c.ParentID.String()], "nobody exports the parent of the %v span of %s", c.Kind, sent(c))
	}
}

func rpcProgram(t *testing.T) string {
	t.Helper()
	return filepath.Clean(testkit.Build(t, "rpc"))
}
