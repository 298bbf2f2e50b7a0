// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nghttpd starts nghttpd, an HTTP/2 server without TLS, for the files of a folder.
func Nghttpd(t testing.TB, files string) *Server {
	t.Helper()
	addr := FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	return startServer(t, addr, Program{
		Path: NeedProgram(t, "nghttpd"), Args: []string{"--no-tls", "--address", host, "--htdocs", files, port},
	})
}

// Nghttpx starts nghttpx, a proxy to an HTTP/2 server, which takes HTTP/1, HTTP/2 and
// upgrades.
func Nghttpx(t testing.TB, backend *Server) *Server {
	t.Helper()
	addr := FreeAddr(t)
	return startServer(t, addr, Program{Path: NeedProgram(t, "nghttpx"), Args: []string{
		"--conf=/dev/null", "--accesslog-file=/dev/null", "--log-level=ERROR", "--single-process",
		"--frontend=" + strings.Replace(addr, ":", ",", 1) + ";no-tls",
		"--backend=" + strings.Replace(backend.Addr, ":", ",", 1) + ";/;proto=h2",
	}})
}

// H2load sends so many requests with so many concurrent streams over each of so many
// connections, and gives its process and how many succeeded by its own account.
func H2load(t testing.TB, url string, requests, connections, streams int, args ...string) (pid, succeeded int) {
	t.Helper()
	args = append(args, "--requests", strconv.Itoa(requests), "--clients", strconv.Itoa(connections),
		"--max-concurrent-streams", strconv.Itoa(streams), url)
	run := Start(t, Program{Path: NeedProgram(t, "h2load"), Args: args})
	require.Zero(t, run.Wait(Patience), "%s", run.Output())
	for line := range strings.Lines(run.Output()) {
		var total, started, done int
		if n, _ := fmt.Sscanf(line, "requests: %d total, %d started, %d done, %d succeeded", &total, &started, &done, &succeeded); n == 4 {
			return run.PID(), succeeded
		}
	}
	require.Fail(t, "no summary", "%s", run.Output())
	return 0, 0
}
