// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	require.NoError(t, Check(""))
	err := Check(t.TempDir())
	require.ErrorContains(t, err, "is not in a cgroup v2 file system: name a directory")
	err = Check("/no/such")
	require.ErrorContains(t, err, "cgroup /no/such can not be used (no such file or directory)")
}

func TestMissingCapabilities(t *testing.T) {
	require.NoError(t, missingCapabilities(setOf(SysAdmin)))
	require.NoError(t, missingCapabilities(setOf(Needed...)))
	require.ErrorContains(t, missingCapabilities(0), "missing privileges CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN: run as root")
	require.ErrorContains(t, missingCapabilities(setOf(BPF, NetAdmin)), "missing privileges CAP_PERFMON: run as root")
}

func TestMachineThatLacks(t *testing.T) {
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	require.ErrorContains(t, checkTypes("/no/such"), "CONFIG_DEBUG_INFO_BTF=y")
	require.ErrorContains(t, checkLockdown(file("none integrity [confidentiality]\n")), "lockdown=integrity")
	require.NoError(t, checkLockdown(file("none [integrity] confidentiality\n")))
	require.ErrorContains(t, checkUserNamespace(file("0 100000 65536\n")), "user namespace")
	require.NoError(t, checkUserNamespace(file("         0          0 4294967295\n")))
	yes := func() error { return nil }
	no := func() error { return ebpf.ErrNotSupported }
	unsure := func() error { return errors.New("inconclusive") }
	require.NoError(t, missingFeatures([]requirement{{"a", yes}, {"b", unsure}}))
	require.ErrorContains(t, missingFeatures([]requirement{{"ring buffers", no}, {"b", yes}, {"socket storage", no}}),
		"has no ring buffers, no socket storage: use Linux "+MinimumKernel+" or newer")
}

func TestErrorNamesAllThatIsMissing(t *testing.T) {
	err := join([]error{errNoCgroup2, nil, checkTypes("/no/such")})
	require.ErrorContains(t, err, "capture by eBPF is not possible: no cgroup v2")
	require.ErrorContains(t, err, "; the kernel's type information")
	assert.NotContains(t, err.Error(), "\n")
}

func TestFindCgroup2(t *testing.T) {
	const v1 = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw\n" +
		"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
	for _, tt := range []struct{ name, table, want string }{
		{"unified", "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", "/sys/fs/cgroup"},
		{"hybrid", v1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/unified"},
		{"space", "41 31 0:38 / /a\\040b rw - cgroup2 none rw\n", "/a b"},
		{"whole before part", "40 31 0:38 /x /part rw - cgroup2 cgroup2 rw\n41 31 0:38 / /whole rw - cgroup2 cgroup2 rw\n", "/whole"},
		{"only part", v1 + "40 31 0:38 /x /part rw - cgroup2 cgroup2 rw\n", "/part"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := findCgroup2(strings.NewReader(tt.table))
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	_, err := findCgroup2(strings.NewReader(v1))
	require.ErrorIs(t, err, errNoCgroup2)
}
