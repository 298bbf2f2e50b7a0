// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/cluster"
	"github.com/wirespan/wirespan/test/k8s/witness"
)

// way is how a client of the scene reaches a server, and what its records have to
// say of that.
type way struct {
	kind    string // wirespan.peer.kind
	service string // k8s.service.name
}

// ways by what clients have in their URLs.
var ways = map[string]way{
	"payment-service:80":                              {kind: "cluster_ip", service: "payment-service"},
	"payment-service.production:80":                   {kind: "cluster_ip", service: "payment-service"},
	"payment-service.production.svc.cluster.local:80": {kind: "cluster_ip", service: "payment-service"},
	"payment-six:80":                                  {kind: "cluster_ip", service: "payment-six"},
	"db-0.db:5432":                                    {kind: "headless", service: "db"},
	"db-0.db.production:5432":                         {kind: "headless", service: "db"},
	"db-1.db:5432":                                    {kind: "headless", service: "db"},
	"db-1.db.production:5432":                         {kind: "headless", service: "db"},
	cluster.Node + ":9100":                            {kind: "pod"},
	cluster.Node + ":30080":                           {kind: "node_port", service: "payment-nodeport"},
	balancer + ":80":                                  {kind: "load_balancer", service: "payment-balancer"},
	"bank:8000":                                       {kind: "external_name", service: "bank"},
}

// Every call has the right names on both sides, whoever makes it and however it gets
// there.
func testNames(t *testing.T, s *scene) {
	const each = 3 // calls of each client by each way
	testkit.EventuallyIn(t, becoming, "calls of everybody", func() bool {
		made := map[string]int{}
		for _, call := range s.calls(t) {
			made[call.Container+" "+call.Target]++
		}
		enough := made["migrate db-0.db:5432"] >= each && made["sidecar payment-service:80"] >= each && made["keeper db-1.db:5432"] >= each &&
			made["hostclient payment-service.production:80"] >= each && made["hostclient db-0.db.production:5432"] >= each
		for target, n := range made {
			enough = enough && n >= each || target == ""
		}
		for _, target := range s.frontend {
			enough = enough && made["frontend "+target] >= each
		}
		return enough
	})
	s.verify(t)
	s.show(t, "frontend", "payment-service:80")
}

// show prints one call as it was exported, for the documentation.
func (s *scene) show(t *testing.T, container, target string) {
	t.Helper()
	exported := s.gateway.Calls().BySequence()
	for _, call := range s.callsOf(t, container) {
		if ends := exported[call.Sequence]; call.Target == target && len(ends) == 2 {
			for _, end := range ends {
				text, err := yaml.Marshal(testkit.M{"resource": end.Resource, "attributes": end.Attributes})
				require.NoError(t, err)
				t.Logf("%s %s of trace %s, span %s below %s\n%s", end.Kind, end.Name, end.TraceID, end.SpanID, end.ParentID, text)
			}
			return
		}
	}
}

// calls are those that clients have made and got whole answers to.
func (s *scene) calls(t *testing.T) (calls []witness.Call) {
	t.Helper()
	all, err := witness.Read(s.witnesses)
	require.NoError(t, err)
	for _, call := range all {
		if !call.Server && call.Error == "" {
			calls = append(calls, call)
		}
	}
	return calls
}

// verify checks all calls that have been made and were not verified yet.
func (s *scene) verify(t *testing.T) {
	t.Helper()
	calls := slices.DeleteFunc(s.calls(t), func(c witness.Call) bool { return s.verified[c.Sequence] })
	servers := s.servers(t)
	exported := s.await(t, calls)
	found := findings{}
	for _, call := range calls {
		s.verified[call.Sequence] = true
		server, ok := servers[call.Sequence]
		if found.expect(call.Container+" → "+call.Target, "answered by a server of the test", true, ok); ok {
			s.compare(found, call, server, exported[call.Sequence])
		}
	}
	t.Logf("%d calls verified", len(calls))
	found.report(t)
}

// servers are the servers' ends of all calls, by sequence.
func (s *scene) servers(t *testing.T) map[string]witness.Call {
	t.Helper()
	all, err := witness.Read(s.witnesses)
	require.NoError(t, err)
	servers := map[string]witness.Call{}
	for _, call := range all {
		if call.Server {
			servers[call.Sequence] = call
		}
	}
	return servers
}

// await waits until both ends of all calls have been exported.
func (s *scene) await(t *testing.T, calls []witness.Call) (exported map[string]testkit.Calls) {
	t.Helper()
	missing := 0
	for end := time.Now().Add(testkit.Patience); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		exported, missing = s.gateway.Calls().BySequence(), 0
		for _, call := range calls {
			if len(exported[call.Sequence]) < 2 {
				missing++
			}
		}
		if missing == 0 {
			return exported
		}
	}
	assert.Zero(t, missing, "calls without both ends, of %d", len(calls))
	return exported
}

// compare holds what was exported of a call against who made it and who got it.
func (s *scene) compare(found findings, client, server witness.Call, exported testkit.Calls) {
	where := client.Container + " → " + client.Target
	clients, servers := exported.Of(ptrace.SpanKindClient), exported.Of(ptrace.SpanKindServer)
	if !found.expect(where, "CLIENT spans", 1, len(clients)) || !found.expect(where, "SERVER spans", 1, len(servers)) {
		return
	}
	caller, callee := s.facts.pod(client.PodUID), s.facts.pod(server.PodUID)
	way := ways[client.Target]
	for _, end := range []testkit.Call{clients[0], servers[0]} {
		found.expect(where, "log records of "+end.Kind.String(), 1, end.Records)
	}
	found.local(where+", client", clients[0], caller, client.Container)
	found.local(where+", server", servers[0], callee, server.Container)
	found.expect(where, "trace id", clients[0].TraceID, servers[0].TraceID)
	found.expect(where, "parent of SERVER", clients[0].SpanID, servers[0].ParentID)

	found.peer(where+", client", clients[0], "destination.", callee)
	found.either(where+", client", clients[0], "wirespan.peer.kind", way.kind)
	found.either(where+", client", clients[0], "destination.k8s.service.name", way.service)
	if hidden(servers[0], caller, way) {
		found.either(where+", server", servers[0], "wirespan.peer.kind", "node")
		found.either(where+", server", servers[0], "source.k8s.node.name", cluster.NodeName)
		return
	}
	found.peer(where+", server", servers[0], "source.", caller)
}

// hidden reports whether a server takes a client in the host's network for its node.
// It may where an address is translated between them, and as long as the API server has
// not told which pod the client's container is of.
func hidden(server testkit.Call, caller *fact, way way) bool {
	young := server.Start.Sub(caller.Status.StartTime.Time) < unnamed
	may := caller.Spec.HostNetwork && (young || way.kind == "cluster_ip")
	return may && server.Attributes["source.k8s.pod.name"] == nil
}
