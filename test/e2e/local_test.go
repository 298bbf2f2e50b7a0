// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestLocalCalls keeps one end of calls whose both ends are on this machine, over
// loopback and between network namespaces. Each call must be there exactly once, with
// the process at the other end, and calls whose other end is not captured are
// unaffected.
func TestLocalCalls(t *testing.T) {
	testkit.NeedRoot(t)
	a, b := testkit.NetNSPair(t)
	loopback := testkit.GoServer(t, testkit.Place{})
	beyond := testkit.GoServer(t, testkit.Place{Addr: b.Addr + ":80", NetNS: b.Name})
	for setting, kind := range map[string]ptrace.SpanKind{"client": client, "server": server} {
		t.Run(setting, func(t *testing.T) {
			c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{"local_calls": setting}}})
			load := testkit.Load{URL: loopback.URL(), Name: setting + "-lo", Method: "POST", Path: "/echo", Size: 500, Requests: 60, Connections: 6}
			wants := between(t, testkit.Send(t, load), loopback)
			load.URL, load.Name, load.Place = beyond.URL(), setting+"-ns", testkit.Place{NetNS: a.Name}
			wants = append(wants, between(t, testkit.Send(t, load), beyond)...)
			c.Shutdown()

			got := c.Calls()
			groups := got.BySequence()
			for i, w := range wants {
				kept := 0
				if kind == server {
					kept = 1
				}
				peer := w.ends[1-kept].pid
				wants[i].ends = w.ends[kept : kept+1]
				for _, call := range groups[w.Sequence] {
					assert.EqualValues(t, peer, call.Attributes["wirespan.peer.process.pid"], w.Sequence)
				}
			}
			checkCalls(t, got, wants)
		})
	}
}

// TestLocalCallsFiltered has calls whose other end a filter leaves out: they keep
// the end that is captured, whichever is asked for.
func TestLocalCallsFiltered(t *testing.T) {
	testkit.NeedRoot(t)
	clientGroup, serverGroup := testkit.NewCgroup(t, "client"), testkit.NewCgroup(t, "server")
	s := testkit.GoServer(t, testkit.Place{Cgroup: serverGroup})
	for name, group := range map[string]*testkit.Cgroup{"client": serverGroup, "server": clientGroup} {
		c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{
			"local_calls": name, "include": testkit.M{"cgroups": []string{group.Path}},
		}}})
		wants := between(t, testkit.Send(t, testkit.Load{
			URL: s.URL(), Name: "f-" + name, Method: "POST", Path: "/echo", Size: 500, Requests: 20, Connections: 4,
			Place: testkit.Place{Cgroup: clientGroup},
		}), s)
		c.Shutdown()
		for i, w := range wants {
			if group == clientGroup {
				wants[i].ends = w.ends[:1]
			} else {
				wants[i].ends = w.ends[1:]
			}
		}
		checkCalls(t, c.Calls(), wants)
	}
}
