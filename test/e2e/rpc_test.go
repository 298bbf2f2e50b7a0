// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
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

// TestGRPC compares what clients and servers of grpc-go and of Python's grpcio say about
// calls of all kinds, directly and through proxies, with the records at each end of each
// connection.
func TestGRPC(t *testing.T) {
	testkit.NeedRoot(t)
	program := testkit.Program{Path: testkit.Build(t, "rpc")}
	python := testkit.Program{
		Path: testkit.NeedProgram(t, "/usr/bin/python3"),
		Args: []string{"-B", testkit.Root("internal", "testkit", "programs", "rpc.py")},
	}
	goServer, pythonServer := startRPC(t, program), startRPC(t, python)
	nginx, nginxPID := testkit.NginxHTTP2(t, pythonServer.addr)
	haproxy, haproxyPID := testkit.HAProxy(t, goServer.addr)
	c := live(t, testkit.M{
		"capture":   testkit.M{"ebpf": testkit.M{"ring_size": "128MiB"}},
		"protocols": testkit.M{"http2": testkit.M{"max_body_bytes": "8MiB"}},
		"memory":    testkit.M{"limit": "1GiB"}, // of which one connection may have a part
	})
	reflected := testkit.Start(t, with(program, "reflect", goServer.addr))
	require.Zero(t, reflected.Wait(testkit.Patience), "%s", reflected.Output())
	c.AwaitSpans("ServerReflectionInfo", 1) // what it was told of the messages is known from now on
	runs := []*rpcRun{
		{name: "grpc-go", client: program, addr: goServer.addr, server: goServer},
		{name: "grpcio", client: python, addr: pythonServer.addr, server: pythonServer},
		{name: "nginx", client: program, addr: nginx, proxy: nginxPID, server: pythonServer},
		{name: "haproxy", client: python, addr: haproxy, proxy: haproxyPID, server: goServer},
	}
	for _, r := range runs {
		run := testkit.Start(t, with(r.client, append([]string{"send", r.addr, r.name, "3"}, r.kinds()...)...))
		require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
		r.pid, r.said = run.PID(), rpcCalls(t, run.Output())
		require.Len(t, r.said, 3*len(r.kinds()))
	}
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) { r.check(t, got) })
	}
}

// rpcServer is a running server of programs/rpc or rpc.py.
type rpcServer struct {
	*testkit.Process
	addr string
}

func startRPC(t *testing.T, p testkit.Program) rpcServer {
	t.Helper()
	p = with(p, "serve", testkit.FreeAddr(t))
	p.Addr = p.Args[len(p.Args)-1]
	return rpcServer{testkit.Start(t, p), p.Addr}
}

// with adds arguments to those of a program.
func with(p testkit.Program, args ...string) testkit.Program {
	p.Args = slices.Concat(p.Args, args)
	return p
}

// rpcRun is a client's calls of a server, perhaps through a proxy.
type rpcRun struct {
	name   string
	client testkit.Program
	addr   string
	proxy  int // process id, or 0
	server rpcServer

	pid  int
	said map[string]rpcCall
}

// kinds are those of the calls. What a proxy does with a server that nobody waits for any
// more, it does sooner or later.
func (r *rpcRun) kinds() []string {
	kinds := []string{"unary", "gzip", "missing", "large", "server", "client", "bidi"}
	if r.proxy == 0 {
		kinds = append(kinds, "slow")
	}
	return kinds
}

func (r *rpcRun) check(t *testing.T, got testkit.Calls) {
	heard := rpcCalls(t, r.server.Output())
	want := map[end]int{{client, r.pid}: 1, {ptrace.SpanKindServer, r.server.PID()}: 1}
	if r.proxy != 0 {
		want[end{ptrace.SpanKindServer, r.proxy}], want[end{client, r.proxy}] = 1, 1
	}
	for name, call := range r.said {
		calls := got.Where(func(c testkit.Call) bool {
			return c.Request.Header("x-call") == name || fmt.Sprint(c.Attributes["http.request.header.x-call"]) == "["+name+"]"
		})
		ends := map[end]int{}
		for _, c := range calls {
			ends[end{c.Kind, c.PID}]++
			t.Run(fmt.Sprint(name, " ", c.Kind, " ", c.PID), func(t *testing.T) { checkRPC(t, c, call, heard[name]) })
		}
		assert.Equal(t, want, ends, name)
	}
}

// TestGRPCOpenedBefore goes on over a connection that is older than the collector. What
// refers to header fields of before is unknown, but every call is there with its message,
// and when the client's table has been filled anew, so is the method. The server's table
// is never filled anew, for it has nothing new to say.
func TestGRPCOpenedBefore(t *testing.T) {
	testkit.NeedRoot(t)
	const count = 200
	rpc := testkit.Program{Path: testkit.Build(t, "rpc")}
	srv := startRPC(t, rpc)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	stepping := with(rpc, "step", srv.addr, "old", strconv.Itoa(count), "unary")
	stepping.Stdin = r
	sender := testkit.Start(t, stepping)
	require.NoError(t, r.Close())
	step := func(n int) {
		_, err := w.WriteString("\n")
		require.NoError(t, err)
		testkit.Eventually(t, "the client's calls", func() bool { return strings.Count(sender.Output(), "\n") == n*count })
	}
	step(1)
	c := live(t, nil)
	step(2)
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()

	for kind, pid := range map[end]int{{kind: client}: sender.PID(), {kind: server}: srv.PID()} {
		calls := c.Calls().Of(kind.kind).Where(func(c testkit.Call) bool { return c.PID == pid })
		require.Len(t, calls, count, "%v", kind.kind)
		known, names := 0, map[string]int{}
		for _, call := range calls {
			assert.Equal(t, true, call.Attributes["wirespan.connection.midway"])
			assert.Equal(t, 200, call.Status)
			assert.NotEmpty(t, call.Request.Body)
			assert.NotEmpty(t, call.Response.Body)
			names[string(call.Request.Body)]++
			if call.Attributes["rpc.method"] == "wirespan.test.Echo/Say" {
				known++
				assert.True(t, json.Valid(call.Response.Body), "not shown: %q", call.Response.Body)
			}
		}
		t.Logf("%v: the method of %d of %d calls is known", kind.kind, known, count)
		assert.GreaterOrEqual(t, known, count/4, "%v", kind.kind)
		assert.Len(t, names, count, "each message is another one")
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
