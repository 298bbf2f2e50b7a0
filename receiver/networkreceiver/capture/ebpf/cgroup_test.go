// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/probe"
)

var ownGroup = &syscall.SysProcAttr{Setpgid: true}

// makeCgroup makes a cgroup that lives as long as the test.
func makeCgroup(t *testing.T, name string) string {
	t.Helper()
	root, err := probe.CgroupRoot()
	require.NoError(t, err)
	top := filepath.Join(root, fmt.Sprintf("wirespan-test-%d", os.Getpid()))
	dir := top
	t.Cleanup(func() {
		for ; dir != root; dir = filepath.Dir(dir) {
			require.NoError(t, os.Remove(dir))
		}
	})
	dir = filepath.Join(top, name)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	return dir
}

// inCgroup makes a command start in a cgroup.
func inCgroup(t *testing.T, dir string, c *exec.Cmd) *exec.Cmd {
	t.Helper()
	f, err := os.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(f.Fd())}
	return c
}
