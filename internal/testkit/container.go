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

// Container is a container that runs the Go server, in the host's network.
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
	ctr := NeedProgram(t, "ctr")
	NeedProgram(t, "runc")
	dir := t.TempDir()
	socket := filepath.Join(dir, "containerd.sock")
	startContainerd(t, dir, socket)
	address := []string{"--address", socket, "--namespace", "wirespan-test"}

	image := filepath.Join(dir, "image.tar")
	writeImage(t, image, Build(t, "server"))
	Run(t, Program{Path: ctr, Args: slices.Concat(address, []string{"images", "import", image})})

	id, addr, logs := containerID(), FreeAddr(t), filepath.Join(dir, "truth")
	require.NoError(t, os.Mkdir(logs, 0o755))
	log := filepath.Join(logs, "truth.jsonl")
	// ctr passes the test's SIGTERM on to the container; this is for when it could not.
	t.Cleanup(func() { _ = exec.Command(ctr, append(address, "task", "kill", "--signal", "SIGKILL", id)...).Run() })
	task := Start(t, Program{
		Path: ctr, Addr: addr,
		Args: slices.Concat(address, []string{
			"run", "--rm", "--net-host",
			"--env", "TRUTH=/truth/truth.jsonl", "--mount", "type=bind,src=" + logs + ",dst=/truth,options=rbind:rw",
			imageName, id, "/server", "-addr", addr,
		}),
	})
	return &Container{ID: id, ctr: ctr, address: address, Server: &Server{Process: task, Addr: addr, log: log}}
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
// and one layer with one file.
func writeImage(t testing.TB, path, binary string) {
	t.Helper()
	program, err := os.ReadFile(binary)
	require.NoError(t, err)
	layer := tarball(t, file{"server", program, 0o755}, file{"truth/", nil, 0o755})
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux",
		"config": map[string]any{"Cmd": []string{"/server"}},
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
