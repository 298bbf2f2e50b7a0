// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/tlspeer"
)

// Java's own TLS stays closed, and that is said, with the reason. What it calls is seen at the
// other end, and of its own end the handshake.
func TestTLSJava(t *testing.T) {
	testkit.NeedRoot(t)
	program, err := filepath.EvalSymlinks(testkit.NeedProgram(t, "java"))
	require.NoError(t, err)
	source := filepath.Join(testkit.Root(), "internal", "testkit", "tlspeer", "java", "Get.java")
	peers := tlspeer.New(t, 100_000)
	server := startTLS(t, peers.Servers()[0])
	c := live(t, nil)
	ways := []string{"socket", "engine"}
	pids := map[string]int{}
	for _, way := range ways {
		got := callTLS(t, tlspeer.Client{Name: way, Command: func(url, sequence string) *exec.Cmd {
			return exec.Command(program, "-XX:TieredStopAtLevel=1", source, way, url, sequence)
		}}, server, "java "+way)
		assert.Equal(t, "exit status 0", got.status)
		assert.True(t, bytes.Equal(peers.Body, got.output), way)
		pids[way] = got.pid
	}
	for _, way := range ways {
		c.AwaitSpans("java "+way, 1)
	}
	testkit.Eventually(t, "the reason", func() bool {
		for line := range strings.Lines(c.Output()) {
			if strings.Contains(line, "encrypted connections of a program") && strings.Contains(line, `"program": "`+program+`"`) {
				return assert.Contains(t, line, `"outcome": "unsupported"`) && assert.Contains(t, line, `"library": "Java"`)
			}
		}
		return false
	})
	c.Shutdown()
	for _, way := range ways {
		calls := c.Calls().Where(func(call testkit.Call) bool { return call.Sequence() == "java "+way })
		require.Len(t, calls, 1, way)
		assert.Equal(t, ptrace.SpanKindServer, calls[0].Kind, way)
		assert.Equal(t, server.pid, calls[0].PID, way)
		assert.Len(t, c.Calls().Of(ptrace.SpanKindClient).Where(func(call testkit.Call) bool { return call.PID == pids[way] }), 1, "%s: the handshake", way)
	}
}
