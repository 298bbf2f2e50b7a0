// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/probe"
)

const nobody = 65534

// unprivileged makes a command that captures as another user than root, with
// these capabilities only.
func unprivileged(t *testing.T, port uint16, capabilities ...probe.Capability) *exec.Cmd {
	t.Helper()
	program := filepath.Join(t.TempDir(), "least")
	build := exec.Command("go", "build", "-o", program, "./testdata/least")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	f, err := os.Open(program)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	c := exec.Command("/proc/self/fd/3", strconv.Itoa(int(port)))
	c.ExtraFiles = []*os.File{f} // the other user can not walk to the file
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	for _, n := range capabilities {
		c.SysProcAttr.AmbientCaps = append(c.SysProcAttr.AmbientCaps, uintptr(n))
	}
	return c
}

// The privileges that Check asks for are enough, and none of them is left, nor
// needed, once the capture runs.
func TestLeastPrivileges(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	c := start(t, unprivileged(t, portOf(t, at), probe.Needed...))
	assert.Equal(t, "CapAmb=0000000000000000 CapEff=0000000000000000 CapPrm=0000000000000000 NoNewPrivs=1", c.line(t))
	run(t, roleCommand("get", "http://"+at+"/least?n=1"))
	exe, err := os.Readlink("/proc/self/exe")
	require.NoError(t, err)
	assert.Equal(t, "GET /least?n=1 HTTP/1.1 by exe "+filepath.Base(exe), c.line(t))
}

func TestMissingPrivileges(t *testing.T) {
	out, err := unprivileged(t, 1, probe.BPF, probe.NetAdmin).Output()
	require.Error(t, err)
	assert.Equal(t, "capture by eBPF is not possible: missing privileges CAP_PERFMON: run as root, or with "+
		"'AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_NET_ADMIN CAP_SYS_PTRACE' in the systemd unit, or "+
		"'setcap cap_bpf,cap_perfmon,cap_net_admin,cap_sys_ptrace+ep' on the program, or "+
		"'securityContext.capabilities.add: [BPF, PERFMON, NET_ADMIN, SYS_PTRACE]' in the container "+
		"(CAP_SYS_PTRACE is for TLS in processes of other users)\n", string(out))
}
