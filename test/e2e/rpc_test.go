// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
)

// rpcCall is what an end says about a call (programs/rpc).
type rpcCall struct {
	Name, Method, Code string
	Request, Response  []string
}

// TestGRPC compares what a client and a server of grpc-go say about calls of all kinds
// with the records at each end.
func TestGRPC(t *testing.T) {
	testkit.NeedRoot(t)
	rpc := testkit.Build(t, "rpc")
	addr := testkit.FreeAddr(t)
	server := testkit.Start(t, testkit.Program{Path: rpc, Args: []string{"serve", addr}, Addr: addr})
	c := live(t, testkit.M{
		"capture":   testkit.M{"ebpf": testkit.M{"ring_size": "128MiB"}},
		"protocols": testkit.M{"http2": testkit.M{"max_body_bytes": "8MiB"}},
		"memory":    testkit.M{"limit": "1GiB"}, // of which one connection may have a part
	})
	reflected := testkit.Start(t, testkit.Program{Path: rpc, Args: []string{"reflect", addr}})
	require.Zero(t, reflected.Wait(testkit.Patience), "%s", reflected.Output())
	run := testkit.Start(t, testkit.Program{Path: rpc, Args: []string{"send", addr, "e2e", "3"}})
	require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
	said := rpcCalls(t, run.Output())
	require.Len(t, said, 24)
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	heard := rpcCalls(t, server.Output())
	got := c.Calls()

	for name, call := range said {
		calls := got.Where(func(c testkit.Call) bool {
			return c.Request.Header("x-call") == name || fmt.Sprint(c.Attributes["http.request.header.x-call"]) == "["+name+"]"
		})
		ends := map[end]int{}
		for _, c := range calls {
			ends[end{c.Kind, c.PID}]++
			t.Run(fmt.Sprint(name, " ", c.Kind), func(t *testing.T) { checkRPC(t, c, call, heard[name]) })
		}
		assert.Equal(t, map[end]int{{client, run.PID()}: 1, {ptrace.SpanKindServer, server.PID()}: 1}, ends, name)
	}
}

func rpcCalls(t *testing.T, output string) map[string]rpcCall {
	t.Helper()
	calls := map[string]rpcCall{}
	for line := range strings.Lines(output) {
		var c rpcCall
		require.NoError(t, json.Unmarshal([]byte(line), &c), "%s", line)
		calls[c.Name] = c
	}
	return calls
}

// rpcCodes are the names of the conventions for those of grpc-go.
var rpcCodes = map[string]string{"OK": "OK", "NotFound": "NOT_FOUND"}

func checkRPC(t *testing.T, c testkit.Call, said, heard rpcCall) {
	method := "wirespan.test.Echo/" + said.Method
	assert.Equal(t, method, c.Name)
	assert.Equal(t, "grpc", c.Attributes["rpc.system.name"])
	assert.Equal(t, method, c.Attributes["rpc.method"])
	if said.Code == "DeadlineExceeded" {
		// The client gives up, or the server tells it: who is first is not known.
		assert.Contains(t, []any{"CANCEL", "DEADLINE_EXCEEDED"}, c.Attributes["error.type"])
		return
	}
	assert.Empty(t, incomplete(c))
	assert.Equal(t, rpcCodes[said.Code], c.Attributes["rpc.response.status_code"])
	request, response := messagesOf(t, c, "request"), messagesOf(t, c, "response")
	assert.Equal(t, heard.Request, request)
	assert.Equal(t, said.Response, response)
}

// messagesOf are the messages of one direction: those of a stream in its events, the
// only one in the call's record. They are strings, by the schema that the server told.
func messagesOf(t *testing.T, c testkit.Call, direction string) (texts []string) {
	t.Helper()
	type numbered struct {
		number int64
		text   string
	}
	var list []numbered
	for _, e := range c.Events {
		if e.Attributes["wirespan.event.direction"] == direction {
			number, _ := e.Attributes["wirespan.rpc.message.number"].(int64)
			list = append(list, numbered{number, text(t, e.Body)})
		}
	}
	slices.SortFunc(list, func(a, b numbered) int { return int(a.number - b.number) })
	for _, m := range list {
		texts = append(texts, m.text)
	}
	message := map[string]testkit.Message{"request": c.Request, "response": c.Response}[direction]
	if len(texts) == 0 && message.HasBody {
		texts = append(texts, text(t, message.Body))
	}
	return texts
}

func text(t *testing.T, body []byte) (s string) {
	t.Helper()
	assert.NoError(t, json.Unmarshal(body, &s), "%.100q", body)
	return s
}
