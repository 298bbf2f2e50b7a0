// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/load"
)

// LoadServer starts the server of programs/loadserver, which answers with bodies
// of a size.
func LoadServer(t testing.TB, body int, at Place) *Server {
	t.Helper()
	addr := at.addr(t)
	return startServer(t, addr, Program{
		Path: Build(t, "loadserver"), Args: []string{"-addr", addr, "-body", fmt.Sprint(body)}, NetNS: at.NetNS, Cgroup: at.Cgroup,
	})
}

// Generator is a running load generator, which pauses before its load and after it.
type Generator struct {
	*Process
	plan   load.Plan
	log    string
	stdin  io.Writer
	pauses int
}

// StartGenerator starts the program of programs/load and waits for its first pause.
func StartGenerator(t testing.TB, plan load.Plan, at Place) *Generator {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	t.Cleanup(func() { _ = w.Close() })
	log := filepath.Join(t.TempDir(), "load")
	g := &Generator{plan: plan, log: log, stdin: w, Process: Start(t, Program{
		Path: Build(t, "load"), Args: append(plan.Args(), "-step", "-log", log), Stdin: r, NetNS: at.NetNS, Cgroup: at.Cgroup,
	})}
	g.Paused()
	return g
}

// Paused waits for the next pause.
func (g *Generator) Paused() {
	g.t.Helper()
	g.pauses++
	EventuallyIn(g.t, g.plan.Duration+Patience, "the load generator's pause", func() bool {
		require.False(g.t, g.Exited(), "%s", g.Output())
		return strings.Count(g.Output(), "paused") == g.pauses
	})
}

// Continue ends a pause.
func (g *Generator) Continue() {
	g.t.Helper()
	_, err := io.WriteString(g.stdin, "\n")
	require.NoError(g.t, err)
}

// Finish waits for the generator's end and gives what became of its requests.
func (g *Generator) Finish() []load.Call {
	g.t.Helper()
	require.Zero(g.t, g.Wait(g.plan.Duration+time.Minute), "%s", g.Output())
	calls, err := load.Read(g.log)
	require.NoError(g.t, err)
	return calls
}
