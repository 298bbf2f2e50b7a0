// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/markdown"
)

// shop is the server of the README's first call.
const shop = `
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"order_id": "abc-123", "status": "confirmed"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("localhost", 8080), Handler).serve_forever()
`

// town is a network namespace with the shop in it, where the ports that pages name are
// free.
func town(t *testing.T) testkit.NetNS {
	t.Helper()
	testkit.NeedRoot(t)
	ns, _ := testkit.NetNSPair(t)
	testkit.Start(t, testkit.Program{Path: testkit.NeedProgram(t, "python3"), Args: []string{"-c", shop}, NetNS: ns.Name, Addr: "127.0.0.1:8080"})
	return ns
}

// shell runs a line in the repository's root, in a network namespace.
func shell(t *testing.T, ns testkit.NetNS, line string, env ...string) *testkit.Process {
	t.Helper()
	return testkit.Start(t, testkit.Program{
		Path: "bash", Args: []string{"-c", line}, Dir: testkit.Root(), NetNS: ns.Name, Env: env, Telling: true,
	})
}

func ask(t *testing.T, _ markdown.Code, line string) {
	call := shell(t, town(t), line)
	assert.Zero(t, call.Wait(testkit.Patience))
	assert.Contains(t, call.Output(), "confirmed")
}

// firstCall makes the page's call while make run runs the lean program, and looks for
// it on the terminal, and at the OTLP endpoint if the command names one.
func firstCall(t *testing.T, code markdown.Code, line string) {
	ns := town(t)
	endpoint := regexp.MustCompile(`OTEL_EXPORTER_OTLP_ENDPOINT=http://(\S+)`).FindStringSubmatch(line)
	var backend *testkit.Collector
	if endpoint != nil {
		backend = testkit.StartCollector(t, testkit.CollectorConfig{OTLP: testkit.M{"grpc": testkit.M{"endpoint": endpoint[1]}}, NetNS: ns.Name})
	}
	lean(t)
	// Make takes these as if they were in the command: there is no other program, and
	// bin/wirespan stays what it is.
	bin, err := os.MkdirTemp("", "wirespan-docs-") //nolint:usetesting // t.TempDir has the whole command in its name
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(bin) })
	watch := shell(t, ns, line, "MAKEFLAGS=FULL=build/none BIN="+filepath.Join(bin, "wirespan"))
	call := firstRequest(t)
	testkit.Eventually(t, "the call on the terminal", func() bool {
		require.False(t, watch.Exited(), "%s: %s", code, watch.Output())
		shell(t, ns, call+" --silent").Wait(testkit.Patience)
		return strings.Contains(watch.Output(), "/api/v1/checkout?currency=EUR")
	})
	testkit.Eventually(t, "the body on the terminal", func() bool { return strings.Contains(watch.Output(), `{"user_id": 12345}`) })
	assert.NotContains(t, watch.Output(), "Bearer secret")
	if backend != nil {
		backend.AwaitSpans("/api/v1/checkout", 1)
	}
	require.NoError(t, syscall.Kill(-watch.PID(), syscall.SIGINT)) // Ctrl-C
	watch.Wait(testkit.Patience)
}

// firstRequest is the README's call.
func firstRequest(t *testing.T) string {
	t.Helper()
	for _, code := range pages(t) {
		for _, line := range lines(code) {
			if code.Page == "README.md" && strings.HasPrefix(line, "curl ") {
				return line
			}
		}
	}
	require.Fail(t, "README.md makes no call")
	return ""
}

// replay runs the lean program on the capture files that are in the repository, or on
// one that is where the page says that the reader's are.
func replay(t *testing.T, _ markdown.Code, line string) {
	work := t.TempDir()
	entries, err := os.ReadDir(testkit.Root())
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != "bin" {
			require.NoError(t, os.Symlink(testkit.Root(e.Name()), filepath.Join(work, e.Name())))
		}
	}
	require.NoError(t, os.Mkdir(filepath.Join(work, "bin"), 0o755))
	require.NoError(t, os.Symlink(lean(t), filepath.Join(work, "bin", "wirespan")))
	call := "/api/v1/checkout"
	if strings.Contains(line, "traffic/") {
		require.NoError(t, os.Mkdir(filepath.Join(work, "traffic"), 0o755))
		call = "/of-the-capture-file"
		testkit.WritePcap(t, filepath.Join(work, "traffic", "one.pcap"), []string{
			"GET " + call + " HTTP/1.1\r\nHost: shop.example\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
		})
	}
	out := testkit.Run(t, testkit.Program{Path: "bash", Args: []string{"-euc", line}, Dir: work, Env: []string{"MAKEFLAGS=FULL=build/none"}})
	assert.Contains(t, out, call)
}

// replayExample runs the command that the README begins with.
func replayExample(t *testing.T, _ markdown.Code, line string) {
	lean(t)
	bin, err := os.MkdirTemp("", "wirespan-docs-") //nolint:usetesting // t.TempDir has the whole command in its name
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(bin) })
	out := testkit.Run(t, testkit.Program{
		Path: "bash", Args: []string{"-euc", line}, Dir: testkit.Root(),
		Env: []string{"MAKEFLAGS=FULL=build/none BIN=" + filepath.Join(bin, "wirespan")},
	})
	assert.Contains(t, out, "POST /api/v1/checkout")
}
