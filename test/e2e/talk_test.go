// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
)

// talkCall is what a client says of a call that it made in WebSocket messages.
type talkCall struct {
	Name            string
	Results, Errors int64
	Code            string
}

// TestCallsInsideWebSocket compares what a client says of its operations of GraphQL and its
// calls of JSON-RPC, in messages of WebSocket, with the spans at each end.
func TestCallsInsideWebSocket(t *testing.T) {
	testkit.NeedRoot(t)
	python := testkit.NeedProgram(t, "/usr/bin/python3")
	script := testkit.Root("internal", "testkit", "programs", "talk.py")
	addr := testkit.FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	server := testkit.Start(t, testkit.Program{Path: python, Args: []string{"-B", script, "serve", port}, Addr: addr})
	c := live(t, nil)
	run := testkit.Start(t, testkit.Program{Path: python, Args: []string{"-B", script, "send", port}})
	require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()

	calls := c.Calls().Where(func(call testkit.Call) bool { return call.PID == run.PID() || call.PID == server.PID() })
	handshakes := map[string]testkit.Call{} // by side and path
	for _, call := range calls {
		if call.Status == 101 {
			handshakes[fmt.Sprint(call.Kind, call.URI[strings.LastIndexByte(call.URI, '/'):])] = call
		}
	}
	require.Len(t, handshakes, 4)
	for line := range strings.Lines(run.Output()) {
		var said talkCall
		require.NoError(t, json.Unmarshal([]byte(line), &said), "%s", line)
		path := "/rpc"
		if said.Results > 0 {
			path = "/graphql"
		}
		for kind, pid := range map[ptrace.SpanKind]int{client: run.PID(), ptrace.SpanKindServer: server.PID()} {
			t.Run(fmt.Sprint(said.Name, " ", kind), func(t *testing.T) {
				of := calls.Where(func(call testkit.Call) bool { return call.Name == said.Name && call.Kind == kind && call.PID == pid })
				require.Len(t, of, 1)
				checkTalk(t, of[0], said, handshakes[fmt.Sprint(kind, path)])
			})
		}
	}
	asked := calls.Where(func(call testkit.Call) bool { return call.Name == "who" })
	require.Len(t, asked, 2)
	for _, call := range asked {
		assert.Equal(t, call.PID == server.PID(), call.Kind == client, "the server asks")
	}
}

// checkTalk looks at a call at one end, below the handshake at that end.
func checkTalk(t *testing.T, call testkit.Call, said talkCall, handshake testkit.Call) {
	assert.Equal(t, handshake.TraceID, call.TraceID)
	if call.Kind == client {
		assert.Equal(t, handshake.SpanID, call.ParentID)
	}
	assert.Equal(t, 1, call.Records)
	assert.Empty(t, incomplete(call))
	if said.Results == 0 {
		assert.Equal(t, "jsonrpc", call.Attributes["rpc.system.name"])
		assert.Equal(t, said.Code, fmt.Sprint(or(call.Attributes["rpc.response.status_code"], "")))
		return
	}
	assert.Equal(t, said.Results, call.Attributes["wirespan.graphql.results"])
	assert.Equal(t, said.Errors, or(call.Attributes["wirespan.graphql.errors"], int64(0)))
	assert.Equal(t, said.Name == "subscription Endless", or(call.Attributes["wirespan.graphql.cancelled"], false))
	assert.Len(t, call.Events, int(said.Results), "a result is an event of its operation")
}

func or(v, preset any) any {
	if v == nil {
		return preset
	}
	return v
}
