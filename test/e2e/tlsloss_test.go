// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSLoss halts the collector again and again, until its ring is full: of each
// connection both records and plaintext are lost, on which calls of one length follow each
// other. No call may get what belongs to another one, or be there twice, and each
// connection is whole again soon after the last halt.
func TestTLSLoss(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	golang := testkit.GoServerTLS(t, certificates)
	nginx := testkit.NginxTLS(t, certificates, t.TempDir(), testkit.GoServer(t, testkit.Place{}))
	c := live(t, testkit.M{"workers": 1, "capture": testkit.M{"ebpf": testkit.M{
		"ring_size": "512KiB", "include": testkit.M{"ports": []int{golang.Port(), nginx.Port()}}, // and not nginx's backend
	}}})
	awaitProbes(t, c, 2)
	var clients lanes
	for i, s := range []*testkit.Server{golang, nginx, golang, nginx} {
		clients = append(clients, testkit.StartClient(t, testkit.Load{
			URL: s.URL(), Name: fmt.Sprintf("lane%d", i), Method: "POST", Path: "/echo", Size: []int{500, 3000}[i/2], Requests: 20_000, Rate: 150,
			Authority: certificates.Authority,
		}))
	}
	clients.more(t, 20)
	const halts = 5
	for range halts {
		lost := counted(c, "lost_records", `reason="ring_full"`)
		c.Signal(syscall.SIGSTOP)
		clients.more(t, 60)
		c.Signal(syscall.SIGCONT)
		testkit.Eventually(t, "losses", func() bool { return counted(c, "lost_records", `reason="ring_full"`) > lost })
		clients.more(t, 30)
	}
	recovered := clients.more(t, 10)
	until := clients.more(t, 50)
	all := clients.end(t)
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()

	got := c.Calls()
	assert.Empty(t, mismatched(got))
	groups := got.BySequence()
	for i := range clients {
		there := whole(t, groups, i, all[i])
		for k := range all[i] {
			calls := groups[fmt.Sprintf("lane%d-%d", i, k+1)]
			assert.LessOrEqual(t, max(len(calls.Of(client)), len(calls.Of(server))), 1, "%d of lane %d at one end", k+1, i)
		}
		for k := recovered[i]; k < until[i]; k++ {
			assert.True(t, there[k], "%d of lane %d: %v", k+1, i, told(groups[fmt.Sprintf("lane%d-%d", i, k+1)]))
		}
	}
}

// mismatched names the calls that have the response of another one.
func mismatched(calls testkit.Calls) (all []string) {
	for _, call := range calls {
		asked, answered := call.Sequence(), call.Response.Header(truth.SequenceHeader)
		if asked != "" && answered != "" && asked != answered {
			all = append(all, fmt.Sprintf("%s at the %v has the response of %s", asked, call.Kind, answered))
		}
	}
	return all
}

// told is what is known of a call, for people.
func told(calls testkit.Calls) (all []string) {
	for _, call := range calls {
		all = append(all, fmt.Sprintf("%v: %d %v", call.Kind, call.Status, incomplete(call)))
	}
	return all
}
