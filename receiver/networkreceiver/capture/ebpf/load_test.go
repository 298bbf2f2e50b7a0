// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

const nginxConfig = `
worker_processes 2;
daemon off;
pid nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
  access_log off;
  server { listen 127.0.0.1:%d; location / { return 200 "from $pid"; } }
}
`

// Under load client and server transmit in each other's system calls all the
// time. Each socket has one owner, which is of the right program, and each
// response says which worker that must be.
func TestOwnersUnderLoad(t *testing.T) {
	port := freePort(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, nginxConfig, port), 0o600))
	nginx := exec.Command("nginx", "-p", dir, "-c", config)
	nginx.SysProcAttr = ownGroup
	start(t, nginx)
	waitFor(t, port)

	r := record(t, Settings{RingBytes: 128 << 20})
	out, err := exec.Command("wrk", "-t2", "-c32", "-d1s", fmt.Sprintf("http://127.0.0.1:%d/", port)).CombinedOutput()
	require.NoError(t, err, string(out))
	settle()
	r.stop()

	worker := regexp.MustCompile(`from (\d+)$`)
	requests, responses := 0, 0
	for _, s := range r.port(port) {
		if s.Listener || s.Direction != capture.Egress || len(s.Payload) == 0 {
			continue
		}
		require.Len(t, r.owners[s.Socket], 1, "another owner was told")
		p := r.owners[s.Socket][0]
		if s.Source.Port() != port {
			require.Equal(t, "wrk", p.Name)
			requests++
			continue
		}
		require.Equal(t, "nginx", p.Name)
		m := worker.FindSubmatch(s.Payload)
		require.NotNil(t, m)
		require.Equal(t, string(m[1]), strconv.Itoa(int(p.PID)))
		responses++
	}
	t.Logf("%d requests, %d responses, lost %v\n%s", requests, responses, r.lost, out)
	m := regexp.MustCompile(`(\d+) requests in`).FindSubmatch(out)
	require.NotNil(t, m)
	counted, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	assert.Zero(t, r.lost)
	assert.GreaterOrEqual(t, responses, counted)
	assert.GreaterOrEqual(t, requests, responses)
}

func freePort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// waitFor waits until something listens on a port.
func waitFor(t *testing.T, port uint16) {
	t.Helper()
	for range 500 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			require.NoError(t, c.Close())
			return
		}
		settle()
	}
	t.Fatal("nothing listens")
}
