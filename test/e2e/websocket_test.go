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

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// webSocketMessage is a message as an end has seen it.
type webSocketMessage struct {
	Direction, Opcode string
	Size              int
	SHA256            string
}

// TestWebSocket compares what a real client and a real server say about their
// messages with the records at each end.
func TestWebSocket(t *testing.T) {
	testkit.NeedRoot(t)
	python := testkit.NeedProgram(t, "/usr/bin/python3")
	script := testkit.Root("internal", "testkit", "programs", "websocket.py")
	addr := testkit.FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	server := testkit.Start(t, testkit.Program{Path: python, Args: []string{"-B", script, "serve", port}, Addr: addr})
	c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{"ring_size": "64MiB"}}})

	said := map[string][]webSocketMessage{}
	for _, name := range []string{"plain", "deflate"} {
		run := testkit.Start(t, testkit.Program{Path: python, Args: []string{"-B", script, "send", port, name, name, "40"}})
		require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
		said[name] = webSocketMessages(t, run.Output())
		require.Len(t, said[name], 80)
	}
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	assert.ElementsMatch(t, append(said["plain"], said["deflate"]...), webSocketMessages(t, server.Output()), "what both ends say")

	for name, want := range said {
		handshakes := c.Calls().Where(func(call testkit.Call) bool { return strings.HasSuffix(call.URI, "/"+name) })
		require.Len(t, handshakes, 2, "%s: one span per end", name)
		for _, handshake := range handshakes {
			t.Run(fmt.Sprint(name, " ", handshake.Kind), func(t *testing.T) { checkWebSocket(t, handshake, name, want) })
		}
	}
}

func webSocketMessages(t *testing.T, output string) (list []webSocketMessage) {
	t.Helper()
	for line := range strings.Lines(output) {
		var m webSocketMessage
		require.NoError(t, json.Unmarshal([]byte(line), &m), "%s", line)
		list = append(list, m)
	}
	return list
}

// checkWebSocket looks at the messages of one end of a connection.
func checkWebSocket(t *testing.T, handshake testkit.Call, name string, want []webSocketMessage) {
	assert.Equal(t, 101, handshake.Status)
	assert.Equal(t, 1, handshake.Records)
	var got []webSocketMessage
	others := map[string]int{}
	for _, e := range handshake.Events {
		assert.Equal(t, handshake.TraceID, e.TraceID)
		assert.NotContains(t, e.Attributes, "wirespan.event.truncated")
		opcode, direction := fmt.Sprint(e.Attributes["wirespan.websocket.opcode"]), fmt.Sprint(e.Attributes["wirespan.event.direction"])
		if e.Name != "wirespan.websocket.message" {
			others[direction+" "+e.Name]++
			continue
		}
		got = append(got, webSocketMessage{Direction: direction, Opcode: opcode, Size: len(e.Body), SHA256: truth.Sum(e.Body)})
	}
	assert.ElementsMatch(t, want, got, "the %s messages", name)
	assert.Equal(t, map[string]int{
		"request wirespan.websocket.ping": 1, "response wirespan.websocket.pong": 1,
		"request wirespan.websocket.close": 1, "response wirespan.websocket.close": 1,
	}, others)
}
