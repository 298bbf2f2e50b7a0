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

// TestHTTP2 counts what h2load counts, and compares every call of other clients.
func TestHTTP2(t *testing.T) {
	testkit.NeedRoot(t)
	files := t.TempDir()
	body := truth.TextBody(1, 5000)
	require.NoError(t, os.WriteFile(filepath.Join(files, "a.txt"), body, 0o644))
	nghttpd := testkit.Nghttpd(t, files)
	proxy := testkit.Nghttpx(t, nghttpd)
	goServer := testkit.GoServer(t, testkit.Place{})

	c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{"ring_size": "64MiB"}}})
	type run struct{ connections, streams, pid, succeeded int }
	runs := []run{{connections: 1, streams: 1}, {connections: 2, streams: 100}}
	const requests = 1000
	for i := range runs {
		r := &runs[i]
		r.pid, r.succeeded = testkit.H2load(t, nghttpd.URL()+"/a.txt?run="+string(rune('a'+i)), requests, r.connections, r.streams)
		require.Equal(t, requests, r.succeeded)
	}
	upgraded := testkit.Curl(t, "upgrade", proxy.URL(), "/a.txt", nil, "--http2")
	prior := []truth.Call{
		testkit.Curl(t, "prior-get", goServer.URL(), "/bytes/4/30000/binary", nil, "--http2-prior-knowledge"),
		testkit.Curl(t, "prior-post", goServer.URL(), "/echo", truth.TextBody(3, 20_000), "--http2-prior-knowledge", "--header", "Content-Type: text/plain"),
		testkit.Curl(t, "prior-404", goServer.URL(), "/status/404", nil, "--http2-prior-knowledge"),
	}
	posts := testkit.Send(t, testkit.Load{
		URL: goServer.URL(), Name: "h2-post", Method: "POST", Path: "/echo", Size: 9000, Requests: 500, Connections: 100, HTTP2: true,
	})
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()

	for i, r := range runs {
		of := got.Where(func(c testkit.Call) bool { return strings.HasSuffix(c.URI, "?run="+string(rune('a'+i))) })
		for kind, pid := range map[end]int{{kind: client}: r.pid, {kind: server}: nghttpd.PID()} {
			calls := of.Of(kind.kind)
			assert.Len(t, calls, r.succeeded, "%d streams, %v", r.streams, kind.kind)
			wrong := 0
			for _, c := range calls {
				if c.PID != pid || c.Status != 200 || string(c.Response.Body) != string(body) || c.Attributes["network.protocol.name"] != "http" ||
					c.Attributes["network.protocol.version"] != "2" || len(incomplete(c)) > 0 {
					wrong++
				}
			}
			assert.Zero(t, wrong, "%d streams, %v: calls that are not as they were", r.streams, kind.kind)
		}
	}
	t.Run("upgrade", func(t *testing.T) { checkUpgrade(t, got, upgraded, proxy, nghttpd) })
	t.Run("curl to Go", func(t *testing.T) { checkCalls(t, got, between(t, prior, goServer)) })
	t.Run("100 streams of one connection", func(t *testing.T) { checkCalls(t, got, between(t, posts, goServer)) })
}

// checkUpgrade expects one call at each end of curl's connection, and one at each end
// of the proxy's.
func checkUpgrade(t *testing.T, got testkit.Calls, call truth.Call, proxy, backend *testkit.Server) {
	assert.Equal(t, 200, call.Status)
	calls := got.BySequence()[call.Sequence]
	ends := map[end]int{}
	for _, c := range calls {
		ends[end{c.Kind, c.PID}]++
		assert.Equal(t, call.Status, c.Status)
		assert.Equal(t, call.ResponseSHA256, truth.Sum(c.Response.Body))
		assert.Empty(t, incomplete(c))
	}
	assert.Equal(t, map[end]int{
		{client, call.PID}: 1, {server, proxy.PID()}: 1, {client, proxy.PID()}: 1, {server, backend.PID()}: 1,
	}, ends)
	for _, c := range calls {
		assert.Equal(t, "2", c.Attributes["network.protocol.version"])
		if c.PID == call.PID {
			assert.Equal(t, int64(1), c.Attributes["wirespan.response.interim"], "101")
		}
	}
}

// TestHTTP2OpenedBefore goes on over a connection that is older than the collector:
// header fields that the peers know from before are unknown, the calls are there.
func TestHTTP2OpenedBefore(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	sender := testkit.StepClient(t, testkit.Load{
		URL: s.URL(), Name: "old", Method: "POST", Path: "/echo", Size: 5000, Requests: 40, Connections: 10, HTTP2: true,
	})
	sender.Step()
	c := live(t, nil)
	calls := sender.Step()
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls().Where(func(c testkit.Call) bool { return c.PID == sender.PID() || c.PID == s.PID() })

	require.Len(t, calls, 40)
	bodies, ids := map[string]int{}, map[string]int{}
	for _, g := range got {
		assert.Equal(t, "POST", g.Method)
		assert.Equal(t, 200, g.Status)
		assert.Equal(t, true, g.Attributes["wirespan.connection.midway"])
		bodies[truth.Sum(g.Request.Body)]++
		bodies[truth.Sum(g.Response.Body)]++
		_, id, _ := strings.Cut(g.URI, "?id=")
		ids[id]++
	}
	assert.Len(t, got, 2*len(calls), "both ends")
	assert.Equal(t, map[string]int{calls[0].RequestSHA256: 4 * len(calls)}, bodies)
	for _, call := range calls {
		assert.Equal(t, 2, ids[call.Sequence], "%s: the path is new in each request, so it is known", call.Sequence)
	}
}
