// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// preFork is a server whose workers accept on a socket that their parent made.
// Each answers with its process id, after some requests per connection.
const preFork = `
import os, socket, sys
l = socket.create_server(("127.0.0.1", 0), backlog=512)
print("127.0.0.1:%d" % l.getsockname()[1], flush=True)
for _ in range(4):
    if os.fork() == 0:
        while True:
            c, _ = l.accept()
            while c.recv(65536):
                body = str(os.getpid()).encode()
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            c.close()
sys.stdin.read()
`

func python(script string, args ...string) *exec.Cmd {
	return exec.Command("python3", append([]string{"-c", script}, args...)...)
}

// Clients and a server's workers run at the same time on the same processors and
// reach each other by loopback, where what one sends is received, and answered,
// in the midst of its own system call: they are never mixed up.
func TestPreForkServer(t *testing.T) {
	c := python(preFork)
	c.SysProcAttr = ownGroup
	server := start(t, c)
	at := server.line(t)
	r := record(t, Settings{})
	const clients, requests = 8, 40
	var pids []int32
	var running []*exec.Cmd
	for range clients {
		var urls []string
		for range requests {
			urls = append(urls, "http://"+at+"/")
		}
		c := roleCommand("get-each", urls...)
		require.NoError(t, c.Start())
		running = append(running, c)
		pids = append(pids, int32(c.Process.Pid))
	}
	for _, c := range running {
		require.NoError(t, c.Wait())
	}
	settle()
	r.stop()

	port := portOf(t, at)
	workers := make(map[int32]bool)
	answered := 0
	for _, s := range r.port(port) {
		if s.Listener || s.Direction != capture.Egress || len(s.Payload) == 0 {
			continue
		}
		p := r.owner(s.Socket)
		require.NotNil(t, p)
		require.Len(t, r.owners[s.Socket], 1, "no other owner was ever told")
		if s.Source.Port() != port {
			assert.Contains(t, pids, p.PID)
			continue
		}
		_, body, ok := bytes.Cut(s.Payload, []byte("\r\n\r\n"))
		require.True(t, ok)
		assert.Equal(t, string(body), strconv.Itoa(int(p.PID)), "the worker that answered")
		assert.Equal(t, int32(server.Process.Pid), p.ParentPID)
		workers[p.PID] = true
		answered++
	}
	assert.Equal(t, clients*requests, answered)
	assert.Greater(t, len(workers), 1)
	assert.Zero(t, r.lost)
}

// A socket that is inherited over exec and fork belongs to whoever uses it.
func TestOwnerChanges(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	host, port, _ := strings.Cut(at, ":")
	const script = `
import os, socket, sys
def get(s, path):
    s.sendall(b"GET /%s?n=1 HTTP/1.1\r\nHost: x\r\n\r\n" % path)
    s.recv(65536)
if len(sys.argv) > 3:
    s = socket.socket(fileno=int(sys.argv[3]))
    get(s, b"exec")
    if os.fork() == 0:
        get(s, b"child")
        os._exit(0)
    os.wait()
    sys.exit()
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
get(s, b"first")
s.set_inheritable(True)
os.execv(sys.executable, ["renamed", "-c", sys.orig_argv[2], sys.argv[1], sys.argv[2], str(s.fileno())])
`
	r := record(t, Settings{})
	pid := run(t, python(script, host, port))
	settle()
	r.stop()

	c, _ := sides(r.port(portOf(t, at)), portOf(t, at))
	owners := r.owners[only(t, c.sockets)]
	require.GreaterOrEqual(t, len(owners), 3)
	assert.Equal(t, pid, owners[0].PID)
	assert.Equal(t, "python3", filepath.Base(owners[0].CommandLine[0]))
	assert.Equal(t, pid, owners[1].PID)
	assert.Equal(t, "renamed", owners[1].CommandLine[0])
	assert.Equal(t, owners[0].StartTime, owners[1].StartTime)
	assert.Equal(t, pid, owners[2].ParentPID)
	assert.NotEqual(t, pid, owners[2].PID)
}

// The process is described as it was, although nobody can ask it any more.
func TestShortLivedProcess(t *testing.T) {
	server := start(t, roleCommand("udp", "127.0.0.1:0"))
	at := server.line(t)
	r := record(t, Settings{})
	var pids []int32
	for i := range 20 {
		script := fmt.Sprintf(`exec 3<>/dev/udp/%s; printf "gone %d" >&3`, strings.Replace(at, ":", "/", 1), i)
		c := exec.Command("bash", "-c", script)
		c.Env = append(os.Environ(), "A="+strings.Repeat("x", 100*i), fmt.Sprintf("OTEL_SERVICE_NAME=service %d", i), "OTEL_RESOURCE_ATTRIBUTES=service.namespace=shop")
		pids = append(pids, run(t, c))
	}
	settle()
	r.stop()

	asked := 0
	for _, s := range r.port(portOf(t, at)) {
		if s.Direction != capture.Egress || s.Source.Port() == portOf(t, at) {
			continue
		}
		p := r.owner(s.Socket)
		require.NotNil(t, p)
		assert.Contains(t, pids, p.PID)
		assert.Equal(t, "bash", p.Name)
		assert.Equal(t, []string{"bash", "-c"}, p.CommandLine[:2])
		assert.Contains(t, p.CommandLine[2], fmt.Sprintf("%q", s.Payload))
		assert.Contains(t, p.Executable, "/bash")
		assert.Equal(t, strings.Replace(string(s.Payload), "gone", "service", 1), p.ServiceName)
		assert.Equal(t, "shop", p.ServiceNamespace)
		asked++
	}
	assert.Equal(t, 20, asked)
}

// Connections and servers that are older than the capture have owners as soon as
// they are seen, also those that only receive.
func TestSocketsFromBefore(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	client := start(t, roleCommand("keep", "http://"+at+"/first?n=1"))
	require.Equal(t, "ready", client.line(t))
	r := record(t, Settings{})
	_, err := fmt.Fprintln(client.in, "http://"+at+"/second?n=1")
	require.NoError(t, err)
	require.Equal(t, "done", client.line(t))
	settle()
	r.stop()

	c, s := sides(r.port(portOf(t, at)), portOf(t, at))
	assert.Contains(t, string(s.in), "GET /second")
	assertOwner(t, r, only(t, c.sockets), int32(client.Process.Pid))
	assertOwner(t, r, only(t, s.sockets), int32(server.Process.Pid))
}

// A process that never sends anything after the capture began is found in the
// list of open files.
func TestSilentOwnerFromBefore(t *testing.T) {
	server := start(t, python(`
import socket, sys
l = socket.create_server(("127.0.0.1", 0))
print("127.0.0.1:%d" % l.getsockname()[1], flush=True)
c, _ = l.accept()
print("accepted", flush=True)
sys.stdin.read()
`))
	at := server.line(t)
	client := start(t, python(`
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
s = socket.create_connection((host, int(port)))
sys.stdin.readline()
s.sendall(b"one way")
print("sent", flush=True)
sys.stdin.read()
`, at))
	require.Equal(t, "accepted", server.line(t))
	r := record(t, Settings{})
	_, err := fmt.Fprintln(client.in)
	require.NoError(t, err)
	require.Equal(t, "sent", client.line(t))
	settle()
	r.stop()

	_, s := sides(r.port(portOf(t, at)), portOf(t, at))
	assert.Equal(t, "one way", string(s.in))
	assert.Empty(t, s.out)
	p := r.owner(only(t, s.sockets))
	require.NotNil(t, p)
	assert.Equal(t, int32(server.Process.Pid), p.PID)
	assert.Contains(t, p.CommandLine[2], "accepted", "read from /proc")
}

func TestProcessInContainerCgroup(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	path := makeCgroup(t, "kubepods-burstable-pod01234567_89ab_cdef_0123_456789abcdef.slice/cri-containerd-"+id+".scope")
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	r := record(t, Settings{})
	run(t, inCgroup(t, path, roleCommand("get", "http://"+at+"/?n=1")))
	settle()
	r.stop()

	c, _ := sides(r.port(portOf(t, at)), portOf(t, at))
	p := r.owner(only(t, c.sockets))
	require.NotNil(t, p)
	assert.Equal(t, id, p.ContainerID)
	assert.Equal(t, "01234567-89ab-cdef-0123-456789abcdef", p.PodUID)
	assert.True(t, strings.HasSuffix(path, p.CgroupPath), p.CgroupPath)
	info, err := os.Stat(path)
	require.NoError(t, err)
	for _, seg := range r.port(portOf(t, at)) {
		assert.Equal(t, c.sockets[seg.Socket], inode(info) == seg.Cgroup)
	}
}
