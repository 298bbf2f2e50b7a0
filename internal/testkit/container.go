// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"archive/tar"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// Container is a container that runs a server, in the host's network.
type Container struct {
	*Server
	ID string // 64 hexadecimal digits, as every container runtime gives

	ctr     string
	address []string // arguments by which ctr finds this containerd
}

// StartContainer starts containerd, with folders of its own, and in it a
// container made from an image with one layer and one file.
func StartContainer(t testing.TB) *Container {
	t.Helper()
	addr := FreeAddr(t)
	return startContainer(t, addr, []file{readFile(t, Build(t, "server"), "server")}, "/server", "-addr", addr)
}

// StartNginxContainer starts nginx in a container, which has the TLS library and all else
// that nginx needs as files of its own. It answers every request with a body.
func StartNginxContainer(t testing.TB, c *Certificates, body []byte) *Container {
	t.Helper()
	addr := FreeAddr(t)
	program := NeedProgram(t, "nginx")
	files := []file{
		{"tmp/", nil, 0o755},
		{"etc/passwd", []byte("root:x:0:0:root:/:/bin/false\n"), 0o644},
		{"etc/group", []byte("root:x:0:\n"), 0o644},
		{"nginx.conf", fmt.Appendf(nil, containerNginxConf, addr), 0o644},
		{"files/body", body, 0o644},
		readFile(t, c.Certificate, "certificate.pem"),
		readFile(t, c.Key, "key.pem"),
		readFile(t, program, "nginx"),
	}
	for field := range strings.FieldsSeq(Run(t, Program{Path: NeedProgram(t, "ldd"), Args: []string{program}})) {
		if strings.HasPrefix(field, "/") {
			files = append(files, readFile(t, field, field[1:]))
		}
	}
	s := startContainer(t, addr, files, "/nginx", "-c", "/nginx.conf", "-e", "stderr")
	s.secure = true
	return s
}

const containerNginxConf = `
daemon off;
user root;
master_process off;
pid /tmp/nginx.pid;
events { worker_connections 64; }
http {
  log_format truth escape=json '{"pid":$pid,"sequence":"$http_x_sequence","method":"$request_method",'
    '"uri":"$request_uri","status":$status,"response_size":$body_bytes_sent}';
  access_log /truth/truth.jsonl truth;
  error_log stderr warn;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {
    listen %s ssl;
    ssl_certificate /certificate.pem;
    ssl_certificate_key /key.pem;
    root /files;
  }
}
`

// startContainer runs a command in a container that is made from files, in the host's
// network.
func startContainer(t testing.TB, addr string, files []file, command ...string) *Container {
	t.Helper()
	ctr := NeedProgram(t, "ctr")
	NeedProgram(t, "runc")
	dir := t.TempDir()
	socket := filepath.Join(dir, "containerd.sock")
	startContainerd(t, dir, socket)
	address := []string{"--address", socket, "--namespace", "wirespan-test"}

	image := filepath.Join(dir, "image.tar")
	writeImage(t, image, files)
	Run(t, Program{Path: ctr, Args: slices.Concat(address, []string{"images", "import", image})})

	id, logs := containerID(), filepath.Join(dir, "truth")
	require.NoError(t, os.Mkdir(logs, 0o755))
	log := filepath.Join(logs, "truth.jsonl")
	// ctr passes the test's SIGTERM on to the container; this is for when it could not.
	t.Cleanup(func() { _ = exec.Command(ctr, append(address, "task", "kill", "--signal", "SIGKILL", id)...).Run() })
	task := Start(t, Program{
		Path: ctr, Addr: addr,
		Args: slices.Concat(address, []string{
			"run", "--rm", "--net-host",
			"--env", "TRUTH=/truth/truth.jsonl", "--mount", "type=bind,src=" + logs + ",dst=/truth,options=rbind:rw",
			imageName, id,
		}, command),
	})
	return &Container{ID: id, ctr: ctr, address: address, Server: &Server{Process: task, Addr: addr, log: log}}
}

// RunImage imports an image from a tar file into a containerd of its own, and runs it
// once for each command. It returns what the runs print.
func RunImage(t testing.TB, archive, image string, runs ...[]string) (outputs []string) {
	t.Helper()
	ctr := NeedProgram(t, "ctr")
	NeedProgram(t, "runc")
	dir := t.TempDir()
	socket := filepath.Join(dir, "containerd.sock")
	startContainerd(t, dir, socket)
	address := []string{"--address", socket, "--namespace", "wirespan-test"}
	Run(t, Program{Path: ctr, Args: slices.Concat(address, []string{"images", "import", archive})})
	for _, args := range runs {
		command := slices.Concat(address, []string{"run", "--rm", image, containerID()}, args)
		outputs = append(outputs, Run(t, Program{Path: ctr, Args: command}))
	}
	return outputs
}

func startContainerd(t testing.TB, dir, socket string) {
	t.Helper()
	conf := filepath.Join(dir, "containerd.toml")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, containerdConf,
		filepath.Join(dir, "root"), filepath.Join(dir, "state"), socket), 0o644))
	daemon := Start(t, Program{Path: NeedProgram(t, "containerd"), Args: []string{"--config", conf}})
	Eventually(t, "containerd", func() bool {
		require.False(t, daemon.Exited(), "containerd ended: %s", daemon.Output())
		c, err := net.Dial("unix", socket)
		if err != nil {
			return false
		}
		_ = c.Close()
		return strings.Contains(daemon.Output(), "containerd successfully booted")
	})
}

const containerdConf = `
version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = %q
`

const imageName = "wirespan.test/server:latest"

// writeImage writes an image as `docker save` does: a manifest, a configuration
// and one layer.
func writeImage(t testing.TB, path string, files []file) {
	t.Helper()
	layer := tarball(t, append(files, file{"truth/", nil, 0o755})...)
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux",
		"config": map[string]any{},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + truth.Sum(layer)}},
	})
	require.NoError(t, err)
	manifest, err := json.Marshal([]map[string]any{{
		"Config": "config.json", "RepoTags": []string{imageName}, "Layers": []string{"layer.tar"},
	}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, tarball(t,
		file{"config.json", config, 0o644}, file{"layer.tar", layer, 0o644}, file{"manifest.json", manifest, 0o644},
	), 0o644))
}

type file struct {
	name string
	data []byte
	mode int64
}

// readFile gives a file of this machine another name.
func readFile(t testing.TB, path, name string) file {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return file{name, data, 0o755}
}

func tarball(t testing.TB, files ...file) []byte {
	t.Helper()
	var out strings.Builder
	w := tar.NewWriter(&out)
	for _, f := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}))
		_, err := w.Write(f.data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return []byte(out.String())
}

func containerID() string {
	var id [32]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// TaskPID is the process id of the container's program, outside the container.
func (c *Container) TaskPID() int {
	c.t.Helper()
	out := Run(c.t, Program{Path: c.ctr, Args: slices.Concat(c.address, []string{"task", "list"})})
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == c.ID {
			pid, err := strconv.Atoi(f[1])
			require.NoError(c.t, err)
			return pid
		}
	}
	require.Fail(c.t, "no such task", "%s", out)
	return 0
}
