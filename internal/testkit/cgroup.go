// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Cgroup is a control group (version 2) of a test's own.
type Cgroup struct {
	// Path is its path below the root of the hierarchy, "/wirespan-test-1".
	Path string
	dir  *os.File
}

// NewCgroup makes a control group that lasts as long as the test.
func NewCgroup(t testing.TB, name string) *Cgroup {
	t.Helper()
	path := fmt.Sprintf("/wirespan-%d-%s", os.Getpid(), name)
	folder := filepath.Join(cgroupRoot(t), path)
	require.NoError(t, os.Mkdir(folder, 0o755))
	dir, err := os.Open(folder)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = dir.Close()
		// The group is busy until the kernel has let go of its last process.
		for range 50 {
			if os.Remove(folder) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return &Cgroup{Path: path, dir: dir}
}

// Kill ends all processes in the group, also those that have left their parents.
func (c *Cgroup) Kill() { _ = os.WriteFile(filepath.Join(c.dir.Name(), "cgroup.kill"), []byte("1"), 0) }

// cgroupRoot is where the version 2 hierarchy is mounted (proc(5), mounts).
func cgroupRoot(t testing.TB) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	Lacking(t, "a mounted cgroup v2 hierarchy")
	return ""
}
