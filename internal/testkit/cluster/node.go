// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// node is the machine that the cluster believes to run on: namespaces for mounts,
// network and host name. Process ids are those of the real machine, since those
// are what the kernel tells eBPF programs.
type node struct {
	t          testing.TB
	dir        string
	kubernetes string
	pid        string // of the process that keeps the namespaces
	daemons    *testkit.Cgroup
	processes  []daemon
}

type daemon struct {
	name    string
	process *testkit.Process
}

// folders of the node that are mounted over those of the machine.
var folders = map[string]string{"run": "/run", "lib": "/var/lib", "log": "/var/log"}

// groups is where containers' control groups are, below the root of each hierarchy.
const groups = "/wirespan-k8s"

// cable is the machine's end of the cable to the node.
const cable = "wirespan-k8s"

func startNode(t testing.TB) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), daemons: testkit.NewCgroup(t, "k8s")}
	n.makeGroups()
	t.Cleanup(n.daemons.Kill) // shims of containers survive containerd

	script := []string{
		"set -e", "mount --make-rshared /", "hostname " + NodeName,
		"mkdir " + n.dir + "/etcd", "mount -t tmpfs tmpfs " + n.dir + "/etcd", // it waits for the disk at each write
		"ip link set lo up", "echo 1 > /proc/sys/net/ipv4/ip_forward", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
	}
	for name, place := range folders {
		require.NoError(t, os.Mkdir(filepath.Join(n.dir, name), 0o755))
		script = append(script, "mount --bind "+n.dir+"/"+name+" "+place)
	}
	script = append(script, "echo ready", "exec sleep infinity")
	keeper := testkit.Start(t, testkit.Program{
		Path: "unshare", Cgroup: n.daemons, Telling: true,
		Args: []string{"--mount", "--net", "--uts", "--propagation", "slave", "sh", "-c", strings.Join(script, "\n")},
	})
	testkit.Eventually(t, "the node's namespaces", func() bool {
		require.False(t, keeper.Exited(), "%s", keeper.Output())
		return strings.Contains(keeper.Output(), "ready")
	})
	n.pid = strconv.Itoa(keeper.PID())
	n.connect()
	return n
}

// connect lays the cable.
func (n *node) connect() {
	n.t.Helper()
	_ = exec.Command("ip", "link", "del", cable).Run() // of a test that was killed
	n.run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", n.pid)
	n.t.Cleanup(func() { _ = exec.Command("ip", "link", "del", cable).Run() })
	n.run("ip", "addr", "add", Outside+"/24", "dev", cable)
	n.run("ip", "addr", "add", Outside6+"/64", "dev", cable, "nodad")
	n.run("ip", "link", "set", cable, "up")
	n.inside("ip", "addr", "add", Node+"/24", "dev", "eth0")
	n.inside("ip", "addr", "add", Node6+"/64", "dev", "eth0", "nodad")
	n.inside("ip", "link", "set", "eth0", "up")
	n.inside("ip", "route", "add", "default", "via", Outside)
	n.inside("ip", "-6", "route", "add", "default", "via", Outside6)
}

func (n *node) run(name string, args ...string) {
	n.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(n.t, err, "%s %v: %s", name, args, out)
}

func (n *node) inside(name string, args ...string) {
	n.t.Helper()
	n.run("nsenter", append(n.enter(), append([]string{name}, args...)...)...)
}

// enter are the arguments by which nsenter starts a program on the node, in the
// same process.
func (n *node) enter() []string { return []string{"-t", n.pid, "-m", "-n", "-u", "--"} }

// start starts a daemon of the node.
func (n *node) start(path string, args ...string) *testkit.Process {
	n.t.Helper()
	process := testkit.Start(n.t, testkit.Program{
		Path: "nsenter", Args: append(n.enter(), append([]string{path}, args...)...), Cgroup: n.daemons,
	})
	name := filepath.Base(path)
	if path == n.kubernetes {
		name = args[0]
	}
	n.processes = append(n.processes, daemon{name, process})
	return process
}

// component starts a component of Kubernetes.
func (n *node) component(name string, args ...string) *testkit.Process {
	n.t.Helper()
	return n.start(n.kubernetes, append([]string{name}, args...)...)
}

// makeGroups makes the control groups that the kubelet puts pods into, and removes
// them with all that is in them when the test ends.
func (n *node) makeGroups() {
	n.t.Helper()
	n.removeGroups()
	for _, hierarchy := range hierarchies(n.t) {
		require.NoError(n.t, os.MkdirAll(filepath.Join(hierarchy, groups), 0o755))
	}
	n.t.Cleanup(n.removeGroups)
}

func (n *node) removeGroups() {
	for _, hierarchy := range hierarchies(n.t) {
		top := filepath.Join(hierarchy, groups)
		if _, err := os.Stat(top); err != nil {
			continue
		}
		_ = os.WriteFile(filepath.Join(top, "cgroup.kill"), []byte("1"), 0) // cgroup v2
	}
	for _, hierarchy := range hierarchies(n.t) {
		for range 500 { // busy until the kernel has let go of the last process
			if removeGroup(filepath.Join(hierarchy, groups)) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// removeGroup removes a control group and those in it.
func removeGroup(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil {
		return os.IsNotExist(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			removeGroup(filepath.Join(path, entry.Name()))
		}
	}
	return os.Remove(path) == nil
}

// hierarchies are where control groups are mounted, of both versions.
func hierarchies(t testing.TB) (paths []string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && (f[2] == "cgroup" || f[2] == "cgroup2") {
			paths = append(paths, f[1])
		}
	}
	return paths
}
