// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// NetNS is a network namespace of a test's own.
type NetNS struct {
	Name string
	Addr string // its IPv4 address
}

// NetNSPair makes two network namespaces that are joined by a veth pair.
func NetNSPair(t testing.TB) (a, b NetNS) {
	t.Helper()
	NeedProgram(t, "ip")
	a = newNetNS(t, "a", "192.0.2.1")
	b = newNetNS(t, "b", "192.0.2.2")
	ip(t, "link", "add", "eth0", "netns", a.Name, "type", "veth", "peer", "name", "eth0", "netns", b.Name)
	for _, ns := range []NetNS{a, b} {
		ip(t, "-n", ns.Name, "addr", "add", ns.Addr+"/24", "dev", "eth0")
		ip(t, "-n", ns.Name, "link", "set", "eth0", "up")
	}
	return a, b
}

func newNetNS(t testing.TB, name, addr string) NetNS {
	t.Helper()
	ns := NetNS{Name: fmt.Sprintf("wirespan-%d-%s", os.Getpid(), name), Addr: addr}
	ip(t, "netns", "add", ns.Name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns.Name).Run() })
	ip(t, "-n", ns.Name, "link", "set", "lo", "up")
	return ns
}

func ip(t testing.TB, args ...string) {
	t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	require.NoError(t, err, "ip %v: %s", args, out)
}
