// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestCompleteUnderLoad compares what the load generator reports with what was
// captured: at a moderate rate nothing may be missing.
func TestCompleteUnderLoad(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	c := live(t, nil)
	calls := testkit.Send(t, testkit.Load{
		URL: s.URL(), Name: "load", Method: "POST", Path: "/echo", Size: 1000,
		Requests: 10_000, Connections: 16, Rate: 1000,
	})
	lost := losses(c.Metrics())
	c.Shutdown()
	missing := missing(c.Calls(), calls)
	assert.Empty(t, missing, "missing of %d; the collector counts as lost: %v", len(calls), lost)
	checkCalls(t, c.Calls(), between(t, calls, s))
}

// TestOverload sends as much as the machine can through the smallest ring. What
// is missing then must be counted, and what is there must be right.
func TestOverload(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	c := live(t, testkit.M{"workers": 1, "capture": testkit.M{"ebpf": testkit.M{"ring_size": "512KiB"}}})
	calls := testkit.Send(t, testkit.Load{
		URL: s.URL(), Name: "load", Method: "POST", Path: "/echo", Size: 8000, Requests: 20_000, Connections: 32,
	})
	lost := losses(c.Metrics())
	c.Shutdown()

	got := c.Calls()
	missing := missing(got, calls)
	t.Logf("%d of %d calls are not whole at both ends; the collector counts as lost: %v", len(missing), len(calls), lost)
	if len(missing) > 0 {
		assert.NotEmpty(t, lost, "calls are missing, and nothing says why: %s", strings.Join(missing[:min(10, len(missing))], " "))
	}
	said := s.TruthOf()
	whole := 0
	for _, call := range got {
		if w, ok := said[call.Sequence()]; ok && call.Status != 0 && len(incomplete(call)) == 0 {
			whole++
			require.Empty(t, differences(call, w), "a call that says that it is whole")
		}
	}
	assert.NotZero(t, whole)
}

// missing names the calls that are not there whole, once at each end.
func missing(got testkit.Calls, calls []truth.Call) []string {
	groups := got.BySequence()
	var names []string
	for _, w := range calls {
		whole := groups[w.Sequence].Where(func(c testkit.Call) bool { return c.Status != 0 && len(incomplete(c)) == 0 })
		if len(whole.Of(client)) != 1 || len(whole.Of(server)) != 1 {
			names = append(names, w.Sequence)
		}
	}
	return names
}

// losses are the collector's own counters of what it lost, if they are not zero.
func losses(metrics map[string]float64) map[string]float64 {
	lost := map[string]float64{}
	for name, n := range metrics {
		if n > 0 && strings.Contains(name, "{") && strings.HasPrefix(name, "otelcol_receiver_network_") &&
			(strings.Contains(name, "lost") || strings.Contains(name, "dropped") || strings.Contains(name, "evicted")) {
			lost[name] = n
		}
	}
	return lost
}
