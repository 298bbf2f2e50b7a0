// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkNewProcess is what a program costs that starts and is known already.
func BenchmarkNewProcess(b *testing.B) {
	m := manage(b)
	c := exec.Command("/bin/cat")
	in, err := c.StdinPipe()
	require.NoError(b, err)
	require.NoError(b, c.Start())
	defer func() { _ = in.Close(); _ = c.Wait() }()
	m.tell(eventExec, c.Process.Pid)
	for b.Loop() {
		m.tell(eventExec, c.Process.Pid)
	}
}

// BenchmarkLook is what it costs to look at a process whose files are known.
func BenchmarkLook(b *testing.B) {
	m := manage(b)
	dir, _ := library(b)
	u := startUser(b, dir, usesLibrary)
	m.look(u.Process.Pid, m.now)
	for b.Loop() {
		m.look(u.Process.Pid, m.now)
	}
}

// BenchmarkAttach is what a new library costs: to read it, to place probes in it, and to
// remove them.
func BenchmarkAttach(b *testing.B) {
	m := manage(b)
	dir, _ := library(b)
	u := startUser(b, dir, usesLibrary)
	m.look(u.Process.Pid, m.now)
	for b.Loop() {
		require.NoError(b, m.files.close())
		clear(m.byMapping)
		m.look(u.Process.Pid, m.now)
	}
	require.Len(b, m.probed(dir), 1)
}
