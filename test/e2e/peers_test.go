// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestHTTP2Peers compares what Node's client and server and grpc-less proxies say about
// many calls at a time with the records at each end of each connection.
func TestHTTP2Peers(t *testing.T) {
	testkit.NeedRoot(t)
	const count = 100
	node, goServer := testkit.NodeHTTP2(t), testkit.GoServer(t, testkit.Place{})
	nginx, nginxPID := testkit.NginxHTTP2(t, goServer.Addr)
	haproxy, haproxyPID := testkit.HAProxy(t, node.Addr)
	c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{"ring_size": "64MiB"}}})
	load := testkit.Load{Method: "POST", Path: "/echo", Size: 3000, Requests: count, Connections: 50, HTTP2: true}
	send := func(addr, name string) []truth.Call {
		load.URL, load.Name = "http://"+addr, name
		return testkit.Send(t, load)
	}
	runs := []struct {
		name   string
		calls  []truth.Call
		proxy  int
		server *testkit.Server
	}{
		{"node to node", testkit.NodeSend(t, node.URL(), "node", count), 0, node},
		{"go to node", send(node.Addr, "go-node"), 0, node},
		{"node to nginx to go", testkit.NodeSend(t, "http://"+nginx, "node-nginx", count), nginxPID, goServer},
		{"go to haproxy to node", send(haproxy, "go-haproxy"), haproxyPID, node},
	}
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			assert.Len(t, r.calls, count)
			wants := between(t, r.calls, r.server)
			for i := range wants {
				if r.proxy != 0 {
					wants[i].ends = append(wants[i].ends, end{server, r.proxy}, end{client, r.proxy})
				}
			}
			checkCalls(t, got, wants)
		})
	}
}
