// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestForgedPackets forges packets of a connection that is in use, in both directions,
// with no more than what somebody sees who looks on. The kernel refuses them all (RFC
// 5961), and each call is seen at both ends, with its own bytes. What is urgent is not among
// these.
func TestForgedPackets(t *testing.T) {
	testkit.NeedRoot(t)
	python := testkit.NeedProgram(t, "/usr/bin/python3")
	script := testkit.Root("internal", "testkit", "programs", "forge.py")
	ns, _ := testkit.NetNSPair(t)
	c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{"include": testkit.M{"ports": []int{18501}}}}})
	p := testkit.Start(t, testkit.Program{Path: python, Args: []string{"-B", script}, NetNS: ns.Name, Telling: true})
	require.Equal(t, 0, p.Wait(testkit.Patience), "%s", p.Output())
	kinds := strings.Fields(p.Output())
	require.GreaterOrEqual(t, len(kinds), 8)
	for _, kind := range kinds {
		c.AwaitSpans("/"+kind, 2)
	}
	ignored := c.Metrics()
	c.Shutdown()

	var want []string
	for _, kind := range kinds {
		want = append(want, fmt.Sprintf("/%s 200 ok %s", kind, kind))
	}
	slices.Sort(want)
	calls := c.Calls()
	for _, side := range []testkit.Calls{calls.Of(client), calls.Of(server)} {
		var got []string
		for _, call := range side {
			got = append(got, fmt.Sprintf("%s %d %s", call.URI, call.Status, call.Response.Body))
			assert.Empty(t, incomplete(call), call.URI)
		}
		slices.Sort(got)
		assert.Equal(t, want, got)
	}
	for name, value := range ignored {
		if strings.Contains(name, "transport_events") && strings.Contains(name, `"reset_ignored"`) {
			assert.Positive(t, value)
		}
	}
}
