// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package nodes

import (
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// everywhere are the addresses of the nodes 1 and 2 and of their pods.
var everywhere = []string{
	"198.51.100.1", "198.51.100.2", "10.42.1.0/24", "10.42.2.0/24",
	"2001:db8::1", "2001:db8::2", "2001:db8:42:1::/64", "2001:db8:42:2::/64",
}

const (
	traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	headerTrace = "0af7651916cd43dd8448eb211c80319c"
	headerSpan  = "b7ad6b7169203331"
)

// path is a way from a client to a server.
type path struct {
	name   string
	from   place
	host   string // as the client calls it, with the port
	server *testkit.Server
	// pod is where packets go if that is not what the client calls.
	pod string
}

// TestAcrossNodes sends calls from pods of one node to pods of another, through what
// kube-proxy does to their addresses, with a collector on each node.
func TestAcrossNodes(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	from, neighbour, plain, hidden := a.pod(), a.pod(), b.pod(), b.pod()
	c.serve(
		service{"10.96.0.1", "2001:db8:96::1", plain, false},
		service{"10.96.0.2", "2001:db8:96::2", plain, true},
		service{"10.96.0.3", "2001:db8:96::3", neighbour, false},
		service{hidden.ip4, hidden.ip6, hidden, true},
	)
	atPlain, atHidden, atNeighbour := plain.server(), hidden.server(), neighbour.server()
	paths := []path{
		{"direct", from, plain.ip4 + ":8080", atPlain, ""},
		{"service", from, "10.96.0.1:80", atPlain, plain.ip4},
		{"masqueraded", from, hidden.ip4 + ":8080", atHidden, ""},
		{"masqueraded service", from, "10.96.0.2:80", atPlain, plain.ip4},
		{"host network", a.host(), "10.96.0.1:80", atPlain, plain.ip4},
		{"same node", from, "10.96.0.3:80", atNeighbour, neighbour.ip4},
		{"service of IPv6", from, "[2001:db8:96::1]:80", atPlain, plain.ip6},
		{"masqueraded service of IPv6", from, "[2001:db8:96::2]:80", atPlain, plain.ip6},
	}
	atA, atB := a.collector(everywhere...), b.collector(everywhere...)
	for _, p := range paths {
		p.send(t, "h1 "+p.name, testkit.Load{Requests: 6, Connections: 2})
		p.send(t, "h2 "+p.name, testkit.Load{Requests: 6, Connections: 3, HTTP2: true})
		p.from.run(testkit.NeedProgram(t, "curl"), "--silent", "--show-error", "--globoff", "--header", "traceparent: "+traceparent,
			"--header", "X-Sequence: header "+p.name+"-1", "http://"+p.host+"/bytes/1/10/text")
	}
	atA.Shutdown()
	atB.Shutdown()

	ofA, ofB := atA.Calls(), atB.Calls()
	all := slices.Concat(ofA, ofB)
	for _, p := range paths {
		t.Run(p.name, func(t *testing.T) {
			checkPairs(t, all, "h1 "+p.name, 6, "")
			checkPairs(t, all, "h2 "+p.name, 6, "")
			checkPairs(t, all, "header "+p.name, 1, headerSpan)
			for id, group := range of(all, "header "+p.name) {
				assert.Equal(t, headerTrace, group[0].TraceID.String(), id)
			}
			for id, group := range of(all, "h1 "+p.name) {
				p.check(t, id, group)
			}
		})
	}
	for _, call := range ofB {
		assert.Equal(t, server, call.Kind, "node b sees its own ends only")
	}
	checkNoOrphans(t, all, headerSpan)
}

func (p path) send(t *testing.T, name string, load testkit.Load) {
	t.Helper()
	load.URL, load.Name = "http://"+p.host, name
	load.Place = testkit.Place{NetNS: p.from.netns, Cgroup: p.from.containers}
	for _, call := range testkit.Send(t, load) {
		require.Empty(t, call.Error, name)
	}
}

// check compares what a call's records say about its ends with where it went.
func (p path) check(t *testing.T, id string, group testkit.Calls) {
	host, _, err := net.SplitHostPort(p.host)
	require.NoError(t, err)
	at := group.Of(server)[0]
	assert.Equal(t, p.server.PID(), at.PID, id)
	from := group.Of(client)[0].Attributes
	assert.Equal(t, host, from["network.peer.address"], id)
	got, _ := from["wirespan.peer.nat.address"].(string)
	assert.Equal(t, p.pod, got, "%s: where packets went", id)
	if p.pod != "" {
		assert.EqualValues(t, 8080, from["wirespan.peer.nat.port"], id)
	}
}

// TestPeerWithoutCollector has a node without one: no span names a parent there.
func TestPeerWithoutCollector(t *testing.T) {
	c := newCluster(t, 3)
	a, b, bare := c.nodes[0].pod(), c.nodes[1].pod(), c.nodes[2].pod()
	c.serve(service{"10.96.0.1", "2001:db8:96::1", b, false}, service{"10.96.0.2", "2001:db8:96::2", bare, false})
	atServer, atBare := b.server(), bare.server()
	atA, atB := a.node.collector(everywhere...), b.node.collector(everywhere...)
	to := path{"", bare, "10.96.0.1:80", atServer, b.ip4}
	to.send(t, "from there", testkit.Load{Requests: 5, Connections: 2})
	to = path{"", a, "10.96.0.2:80", atBare, bare.ip4}
	to.send(t, "to there", testkit.Load{Requests: 5, Connections: 2})
	to = path{"", a, "10.96.0.1:80", atServer, b.ip4}
	to.send(t, "between", testkit.Load{Requests: 5, Connections: 2})
	atA.Shutdown()
	atB.Shutdown()

	all := slices.Concat(atA.Calls(), atB.Calls())
	checkNoOrphans(t, all)
	checkPairs(t, all, "between", 5, "")
	assert.Len(t, of(all, "from there"), 5)
	for id, group := range of(all, "from there") {
		require.Len(t, group, 1, id)
		assert.Equal(t, server, group[0].Kind, id)
		assert.True(t, group[0].ParentID.IsEmpty(), id)
	}
	assert.Len(t, of(all, "to there"), 5)
	for id, group := range of(all, "to there") {
		require.Len(t, group, 1, id)
		assert.Equal(t, client, group[0].Kind, id)
	}
}

// TestGRPCAcrossNodes has calls of gRPC, several at a time on one connection.
func TestGRPCAcrossNodes(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0].pod(), c.nodes[1].pod()
	c.serve(service{"10.96.0.1", "2001:db8:96::1", b, true})
	rpc := rpcProgram(t)
	listening := testkit.Program{Path: rpc, Args: []string{"serve", "[::]:8080"}, Addr: "[::]:8080", NetNS: b.netns, Cgroup: b.containers}
	testkit.Start(t, listening)
	atA, atB := a.node.collector(everywhere...), b.node.collector(everywhere...)
	a.run(rpc, "send", "10.96.0.1:80", "g", "8", "unary")
	atA.Shutdown()
	atB.Shutdown()
	all := slices.Concat(atA.Calls(), atB.Calls())
	checkPairs(t, all, "unary-g", 8, "")
	checkNoOrphans(t, all)
}

// TestTLSAcrossNodes has calls inside TLS, over a connection from before the
// collectors and one from after their start.
func TestTLSAcrossNodes(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0].pod(), c.nodes[1].pod()
	c.serve(service{"10.96.0.1", "2001:db8:96::1", b, true})
	certificates := testkit.NewCertificates(t, "10.96.0.1")
	testkit.Start(t, testkit.Program{
		Path: testkit.Build(t, "server"), Args: []string{"-addr", "[::]:8080"}, Addr: "[::]:8080", NetNS: b.netns, Cgroup: b.containers,
		Env: []string{"TLS_CERTIFICATE=" + certificates.Certificate, "TLS_KEY=" + certificates.Key},
	})
	load := func(name string) testkit.Load {
		return testkit.Load{
			URL: "https://10.96.0.1:80", Name: name, Requests: 5, Authority: certificates.Authority,
			Place: testkit.Place{NetNS: a.netns, Cgroup: a.containers},
		}
	}
	before := testkit.StepClient(t, load("before"))
	first := before.Step()
	require.Empty(t, first[0].Error)
	atA, atB := a.node.collector(everywhere...), b.node.collector(everywhere...)
	testkit.Eventually(t, "both collectors to see into the processes", func() bool {
		before.Step()
		return len(of(atA.Calls(), "before")) > 0 && len(of(atB.Calls(), "before")) > 0
	})
	last := before.Step()
	h2 := load("h2")
	h2.HTTP2, h2.Connections = true, 5
	testkit.Send(t, h2)
	testkit.Send(t, load("h1"))
	a.run(testkit.NeedProgram(t, "curl"), "--silent", "--show-error", "--cacert", certificates.Authority, "--http1.1",
		"--header", "X-Sequence: curl-1", "https://10.96.0.1:80/bytes/1/10/text")
	atA.Shutdown()
	atB.Shutdown()

	all := slices.Concat(atA.Calls(), atB.Calls())
	checkPairs(t, all, "h1", 5, "")
	checkPairs(t, all, "h2", 5, "")
	checkPairs(t, all, "curl", 1, "")
	groups := of(all, "before")
	for _, call := range last {
		pair := groups[call.Sequence]
		require.Len(t, pair, 2, call.Sequence)
		assert.Equal(t, pair.Of(client)[0].TraceID, pair.Of(server)[0].TraceID, call.Sequence)
		assert.Equal(t, pair.Of(client)[0].SpanID, pair.Of(server)[0].ParentID, call.Sequence)
	}
}

// TestOpenedBefore has connections in clear that are older than the collectors, of
// which one is in a pod.
func TestOpenedBefore(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0].pod(), c.nodes[1].pod()
	c.serve(service{"10.96.0.1", "2001:db8:96::1", b, false})
	b.server()
	old := testkit.StepClient(t, testkit.Load{
		URL: "http://10.96.0.1:80", Name: "old", Requests: 5, Connections: 2, Place: testkit.Place{NetNS: a.netns, Cgroup: a.containers},
	})
	old.Step()
	atA, atB := a.node.pod().collector("/run/netns/"+a.node.netns, everywhere...), b.node.collector(everywhere...)
	old.Step()
	atA.Shutdown()
	atB.Shutdown()

	all := slices.Concat(atA.Calls(), atB.Calls())
	checkPairs(t, all, "old", 5, "")
	checkNoOrphans(t, all)
	for id, group := range of(all, "old") {
		assert.Equal(t, b.ip4, group.Of(client)[0].Attributes["wirespan.peer.nat.address"], id)
	}
}
