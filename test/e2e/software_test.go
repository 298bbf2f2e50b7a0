// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestRealSoftware runs real servers behind real clients, and expects every call
// exactly once per end.
func TestRealSoftware(t *testing.T) {
	testkit.NeedRoot(t)
	files := t.TempDir()
	document := []byte(`{"items":["` + strings.Repeat("wirespan ", 500) + `"]}`)
	require.NoError(t, os.WriteFile(filepath.Join(files, "a.txt"), truth.TextBody(1, 40_000), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(files, "small.txt"), truth.TextBody(2, 4000), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(files, "a.bin"), truth.BinaryBody(1, 40_000), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(files, "a.json"), document, 0o644))

	goServer := testkit.GoServer(t, testkit.Place{})
	gunicorn := testkit.Gunicorn(t, 4)
	node := testkit.Node(t)
	python := testkit.PythonHTTP(t)
	nginx := testkit.Nginx(t, files, goServer)
	container := testkit.StartContainer(t)

	c := live(t, nil)
	one := func(calls ...truth.Call) []truth.Call { return calls }
	upload := truth.TextBody(3, 20_000)

	curlNginx := one(
		testkit.Curl(t, "nginx-text", nginx.URL(), "/a.txt?x=1", nil),
		testkit.Curl(t, "nginx-binary", nginx.URL(), "/a.bin", nil),
		testkit.Curl(t, "nginx-gzip", nginx.URL(), "/a.json", nil, "--compressed"),
		testkit.Curl(t, "nginx-head", nginx.URL(), "/a.txt", nil, "--head"),
		testkit.Curl(t, "nginx-404", nginx.URL(), "/nothing", nil),
	)
	proxied := one(
		testkit.Curl(t, "proxy-get", nginx.URL(), "/backend/bytes/1/3000/text", nil),
		testkit.Curl(t, "proxy-post", nginx.URL(), "/backend/echo", upload, "--header", "Content-Type: text/plain"),
		testkit.Curl(t, "proxy-continue", nginx.URL(), "/backend/echo", upload,
			"--header", "Content-Type: text/plain", "--header", "Expect: 100-continue"),
	)
	curlGo := one(
		testkit.Curl(t, "go-json", goServer.URL(), "/echo", document, "--header", "Content-Type: application/json"),
		testkit.Curl(t, "go-204", goServer.URL(), "/status/204", nil),
		testkit.Curl(t, "go-304", goServer.URL(), "/status/304", nil),
		testkit.Curl(t, "go-500", goServer.URL(), "/status/500", nil),
		testkit.Curl(t, "go-propfind", goServer.URL(), "/echo", document, "--request", "PROPFIND"),
		testkit.Curl(t, "go-chunked", goServer.URL(), "/echo", upload,
			"--header", "Transfer-Encoding: chunked", "--header", "Content-Type: text/plain"),
		testkit.Curl(t, "go-http10", goServer.URL(), "/bytes/2/5000/text", nil, "--http1.0"),
	)
	curlGunicorn := one(
		testkit.Curl(t, "gunicorn-get", gunicorn.URL(), "/bytes/4/30000/binary", nil),
		testkit.Curl(t, "gunicorn-post", gunicorn.URL(), "/echo", upload, "--header", "Content-Type: text/plain"),
	)
	curlNode := one(
		testkit.Curl(t, "node-get", node.URL(), "/bytes/4/30000/text", nil),
		testkit.Curl(t, "node-post", node.URL(), "/echo", upload, "--header", "Content-Type: text/plain"),
	)
	curlPython := one(
		testkit.Curl(t, "python-get", python.URL(), "/bytes/5/30000/text", nil),
		testkit.Curl(t, "python-post", python.URL(), "/echo", upload, "--header", "Content-Type: text/plain"),
	)
	load := func(s *testkit.Server, name string) []truth.Call {
		calls := testkit.Send(t, testkit.Load{
			URL: s.URL(), Name: name + "-get", Path: "/bytes/6/9000/binary", Requests: 100, Connections: 4,
		})
		return append(calls, testkit.Send(t, testkit.Load{
			URL: s.URL(), Name: name + "-post", Method: "POST", Path: "/echo", Size: 9000, Requests: 100, Connections: 4,
		})...)
	}
	loads := map[string][]truth.Call{
		"go": load(goServer, "load-go"), "gunicorn": load(gunicorn, "load-gunicorn"),
		"node": load(node, "load-node"), "python": load(python, "load-python"),
		"container": load(container.Server, "load-container"),
		"nginx": testkit.Send(t, testkit.Load{
			URL: nginx.URL(), Name: "load-nginx", Path: "/small.txt", Requests: 100, Connections: 4,
		}),
	}
	const generated = "/bytes/2/4000/text" // the same as small.txt
	wrks := []*wrkRun{
		runWrk(t, "wrk-nginx", nginx, "/small.txt"), runWrk(t, "wrk-go", goServer, generated),
		runWrk(t, "wrk-gunicorn", gunicorn, generated), runWrk(t, "wrk-node", node, generated),
	}
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()

	t.Run("curl to nginx", func(t *testing.T) { checkCalls(t, got, between(t, curlNginx, nginx)) })
	t.Run("curl to nginx to Go", func(t *testing.T) { checkProxied(t, got, proxied, nginx, goServer) })
	t.Run("curl to Go", func(t *testing.T) { checkCalls(t, got, between(t, curlGo, goServer)) })
	t.Run("curl to gunicorn", func(t *testing.T) { checkCalls(t, got, between(t, curlGunicorn, gunicorn)) })
	t.Run("curl to Node", func(t *testing.T) { checkCalls(t, got, between(t, curlNode, node)) })
	t.Run("curl to Python over IPv6", func(t *testing.T) { checkCalls(t, got, between(t, curlPython, python)) })
	t.Run("Go client to Go", func(t *testing.T) { checkCalls(t, got, between(t, loads["go"], goServer)) })
	t.Run("Go client to gunicorn", func(t *testing.T) {
		wants := between(t, loads["gunicorn"], gunicorn)
		checkCalls(t, got, wants)
		workers := map[int]bool{}
		for _, w := range wants {
			workers[w.ends[1].pid] = true
		}
		assert.Greater(t, len(workers), 1, "calls went to one worker only: this proves nothing")
		assert.NotContains(t, workers, gunicorn.PID(), "the master")
	})
	t.Run("Go client to Node", func(t *testing.T) { checkCalls(t, got, between(t, loads["node"], node)) })
	t.Run("Go client to Python over IPv6", func(t *testing.T) { checkCalls(t, got, between(t, loads["python"], python)) })
	t.Run("Go client to a container", func(t *testing.T) { checkContainer(t, got, loads["container"], container) })
	t.Run("Go client to nginx", func(t *testing.T) { checkCalls(t, got, between(t, loads["nginx"], nginx)) })
	for _, w := range wrks {
		t.Run(w.name, func(t *testing.T) { w.check(t, got) })
	}
	t.Run("headers", func(t *testing.T) { checkHeaders(t, got, curlGo[0], goServer) })
	t.Run("parent and child", func(t *testing.T) { checkTrace(t, got, loads["go"]) })
	t.Run("executables", func(t *testing.T) { checkExecutables(t, got) })
}

// checkProxied expects the calls twice: to nginx, and from nginx to the backend.
func checkProxied(t *testing.T, got testkit.Calls, calls []truth.Call, nginx, backend *testkit.Server) {
	front, back := nginx.TruthOf(), backend.TruthOf()
	var wants []want
	for _, call := range calls {
		worker := front[call.Sequence].PID
		require.NotZero(t, worker)
		wants = append(wants, want{call, []end{
			{client, call.PID}, {server, worker}, {client, worker}, {server, back[call.Sequence].PID},
		}})
	}
	checkCalls(t, got, wants)
}

// checkContainer expects the container's id on the server's end only. The server
// sees its own process id in its own namespace, so the container's comes from
// the kernel.
func checkContainer(t *testing.T, got testkit.Calls, calls []truth.Call, c *testkit.Container) {
	pid := c.TaskPID()
	var wants []want
	for _, call := range calls {
		wants = append(wants, want{call, []end{{client, call.PID}, {server, pid}}})
	}
	checkCalls(t, got, wants)
	groups := got.BySequence()
	for _, call := range calls {
		for _, g := range groups[call.Sequence] {
			if g.Kind == server {
				assert.Equal(t, c.ID, g.ContainerID)
				assert.Equal(t, "/server", g.Executable)
			} else {
				assert.Empty(t, g.ContainerID)
			}
		}
	}
}

// wrkRun is what wrk did with one server.
type wrkRun struct {
	name           string
	server         *testkit.Server
	pid, completed int
}

func runWrk(t *testing.T, name string, s *testkit.Server, uri string) *wrkRun {
	w := &wrkRun{name: name, server: s}
	w.pid, w.completed = testkit.Wrk(t, name, s.URL()+uri, 1)
	return w
}

// check goes by the server's log. wrk gives up the calls that are under way when
// its time is over, at most one for each of its 8 connections.
func (w *wrkRun) check(t *testing.T, got testkit.Calls) {
	groups := got.BySequence()
	body := truth.TextBody(2, 4000)
	answered, whole, givenUp := 0, 0, 0
	var problems []string
	for _, call := range w.server.Truth() {
		if !strings.HasPrefix(call.Sequence, w.name+"-") {
			continue
		}
		answered++
		call.RequestSHA256, call.ResponseSHA256, call.ResponseSize = truth.Sum(nil), truth.Sum(body), len(body)
		found := compare(groups[call.Sequence], want{call, []end{{client, w.pid}, {server, call.PID}}})
		if len(found) == 0 {
			whole++
		} else if givenUp++; givenUp > 8 {
			problems = append(problems, found...)
		}
	}
	assert.Empty(t, problems[:min(len(problems), 20)])
	t.Logf("wrk completed %d calls, the server answered %d, %d are captured whole at both ends", w.completed, answered, whole)
	assert.Greater(t, w.completed, 20)
	assert.GreaterOrEqual(t, whole, w.completed)
}

func checkHeaders(t *testing.T, got testkit.Calls, call truth.Call, s *testkit.Server) {
	for _, g := range got.BySequence()[call.Sequence] {
		assert.Equal(t, "application/json", g.Request.Header("content-type"))
		assert.Equal(t, s.Addr, g.Request.Header("host"))
		assert.Contains(t, g.Request.Header("user-agent"), "curl/")
		assert.Equal(t, g.Response.Header("server-pid"), pidText(s.PID()))
		assert.NotEmpty(t, g.Response.Header("date"))
		assert.Equal(t, "/echo", g.URI)
	}
}

func checkTrace(t *testing.T, got testkit.Calls, calls []truth.Call) {
	groups := got.BySequence()
	traces := map[string]bool{}
	for _, call := range calls {
		clients, servers := groups[call.Sequence].Of(client), groups[call.Sequence].Of(server)
		require.Len(t, clients, 1)
		require.Len(t, servers, 1)
		assert.Equal(t, clients[0].TraceID, servers[0].TraceID)
		assert.Equal(t, clients[0].SpanID, servers[0].ParentID)
		assert.True(t, clients[0].ParentID.IsEmpty())
		assert.Empty(t, clients[0].Request.Header("traceparent"))
		traces[clients[0].TraceID.String()] = true
	}
	assert.Len(t, traces, len(calls), "one trace per call")
}

func checkExecutables(t *testing.T, got testkit.Calls) {
	names := map[string]bool{}
	for _, g := range got {
		names[filepath.Base(g.Executable)] = true
	}
	for _, name := range []string{"curl", "nginx", "node", "wrk", "client", "server"} {
		assert.True(t, names[name], "no call of %s", name)
	}
}
