// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestOpenStreams holds streams of grpc-go open, one whose response has begun and one that
// waits for the end of its request: each end says once that they are open, with the ids of
// the span that comes at the end.
func TestOpenStreams(t *testing.T) {
	testkit.NeedRoot(t)
	rpc := testkit.Build(t, "rpc")
	addr := testkit.FreeAddr(t)
	server := testkit.Start(t, testkit.Program{Path: rpc, Args: []string{"serve", addr}, Addr: addr})
	c := live(t, testkit.M{"streams": testkit.M{"open_after": "1s"}})
	run := testkit.Start(t, testkit.Program{Path: rpc, Args: []string{"hold", addr, "e2e"}})
	require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()

	calls := c.Calls().Where(func(c testkit.Call) bool { return c.PID == run.PID() || c.PID == server.PID() })
	require.Len(t, calls, 4)
	events := c.Events()
	for _, call := range calls {
		t.Run(fmt.Sprint(call.Name, " ", call.Kind), func(t *testing.T) { checkOpen(t, call, events) })
	}
}

func checkOpen(t *testing.T, call testkit.Call, events []testkit.Event) {
	var about []testkit.Event
	for _, e := range events {
		if e.Name == "wirespan.call.open" && e.SpanID == call.SpanID {
			about = append(about, e)
		}
	}
	require.Len(t, about, 1)
	open := about[0]
	assert.Equal(t, call.TraceID, open.TraceID)
	assert.Equal(t, call.Attributes["rpc.method"], open.Attributes["rpc.method"])
	assert.GreaterOrEqual(t, open.Attributes["wirespan.time.elapsed"], int64(1e9))
	assert.True(t, open.Time.After(call.Start) && open.Time.Before(call.End), "%v is not between %v and %v", open.Time, call.Start, call.End)
	assert.Equal(t, int64(3), open.Attributes["wirespan.rpc.request.messages"])
	if call.Name == "wirespan.test.Echo/Chat" {
		assert.Equal(t, int64(200), open.Attributes["http.response.status_code"])
		assert.Equal(t, int64(3), open.Attributes["wirespan.rpc.response.messages"])
	} else {
		assert.NotContains(t, open.Attributes, "http.response.status_code")
	}
}
