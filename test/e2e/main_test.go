// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e proves the distribution on real software: real programs, a real
// kernel, real collectors, and what each of them says about the same calls.
package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	client = ptrace.SpanKindClient
	server = ptrace.SpanKindServer
)

// live starts a collector that captures everything on this machine into files.
func live(t *testing.T, network testkit.M) *testkit.Collector {
	t.Helper()
	if network == nil {
		network = testkit.M{}
	}
	return testkit.StartCollector(t, testkit.CollectorConfig{Network: network})
}

// end is one end of a call as it has to be captured.
type end struct {
	kind ptrace.SpanKind
	pid  int
}

// want is a call as the programs tell it.
type want struct {
	truth.Call
	ends []end
}

// between joins what a client and the server that answered it say.
func between(t *testing.T, calls []truth.Call, s *testkit.Server) []want {
	t.Helper()
	said := s.TruthOf()
	var wants []want
	for _, c := range calls {
		require.Empty(t, c.Error, "%s", c.Sequence)
		answered, ok := said[c.Sequence]
		require.True(t, ok, "the server knows nothing of %s", c.Sequence)
		wants = append(wants, want{c, []end{{client, c.PID}, {server, answered.PID}}})
	}
	return wants
}

// checkCalls makes sure that each wanted call is there exactly once per end, with
// the right process, and byte for byte.
func checkCalls(t *testing.T, got testkit.Calls, wants []want) {
	t.Helper()
	require.NotEmpty(t, wants)
	groups := got.BySequence()
	var problems []string
	for _, w := range wants {
		problems = append(problems, compare(groups[w.Sequence], w)...)
	}
	if len(problems) > 20 {
		problems = append(problems[:20], fmt.Sprintf("and %d more", len(problems)-20))
	}
	assert.Empty(t, problems, "%d calls: %s", len(wants), strings.Join(problems, "\n"))
}

func compare(calls testkit.Calls, w want) []string {
	var problems []string
	problem := func(format string, args ...any) {
		problems = append(problems, w.Sequence+": "+fmt.Sprintf(format, args...))
	}
	ends := map[end]int{}
	for _, c := range calls {
		ends[end{c.Kind, c.PID}]++
	}
	for _, e := range w.ends {
		if ends[e] != 1 {
			problem("%d times at the %v of process %d", ends[e], e.kind, e.pid)
		}
		delete(ends, e)
	}
	for e, n := range ends {
		problem("unexpected: %d times at the %v of process %d", n, e.kind, e.pid)
	}
	for _, c := range calls {
		problems = append(problems, differences(c, w.Call)...)
	}
	return problems
}

// differences between what was captured and what the program says.
func differences(c testkit.Call, w truth.Call) []string {
	var problems []string
	check := func(name string, got, want any) {
		if got != want {
			problems = append(problems, fmt.Sprintf("%s (%v): %s is %v, want %v", w.Sequence, c.Kind, name, got, want))
		}
	}
	check("method", c.Method, w.Method)
	check("status", c.Status, w.Status)
	check("log records", c.Records, 1)
	check("size of the request body", len(c.Request.Body), w.RequestSize)
	check("size of the response body", len(c.Response.Body), w.ResponseSize)
	check("request body", truth.Sum(c.Request.Body), w.RequestSHA256)
	check("response body", truth.Sum(c.Response.Body), w.ResponseSHA256)
	check("what is incomplete", strings.Join(incomplete(c), ","), "")
	if answered := c.Response.Header(truth.SequenceHeader); answered != w.Sequence {
		check("id in the response", answered, w.Sequence)
	}
	return problems
}

// incomplete names the attributes by which a log record says that it is not
// complete. Those of the span tell of its preview too.
func incomplete(c testkit.Call) []string {
	var names []string
	for name, value := range c.LogAttributes {
		switch name {
		case "wirespan.incomplete", "wirespan.missing.side", "wirespan.missing.reason", "wirespan.pairing.uncertain",
			"wirespan.gap_bytes":
		default:
			half, found := strings.CutPrefix(name, "wirespan.request.")
			if !found {
				half, found = strings.CutPrefix(name, "wirespan.response.")
			}
			if !found || !slices.Contains(partial, half) {
				continue
			}
		}
		if value != false && value != int64(0) && value != "" {
			names = append(names, fmt.Sprintf("%s=%v", name, value))
		}
	}
	return names
}

// partial are the attributes of a message that is not complete.
var partial = []string{"gap_bytes", "incomplete", "midway", "headers_dropped", "body.truncated", "body.undecoded"}

func pidText(pid int) string { return strconv.Itoa(pid) }
