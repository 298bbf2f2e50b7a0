// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/tlspeer"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

const nginxTLS = `
worker_processes 1;
user root;
daemon off;
pid nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
  access_log off;
  server {
    listen 127.0.0.1:%d ssl;
    ssl_certificate %s;
    ssl_certificate_key %s;
    location / { root %s; }
    location /pid { return 200 "from $pid"; }
  }
}
`

// startNginxTLS serves the files of a directory.
func startNginxTLS(t *testing.T, files string) (port uint16, cert string) {
	t.Helper()
	cert, key := tlspeer.Certificate(t)
	port = freePort(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, nginxTLS, port, cert, key, files), 0o600))
	nginx := exec.Command("nginx", "-p", dir, "-c", config)
	nginx.SysProcAttr = ownGroup
	start(t, nginx)
	waitFor(t, port)
	return port, cert
}

// spoken is the plaintext of one end of a connection.
type spoken struct {
	socket  uint64
	out, in []byte
}

// said gives the plaintext of all sockets of a port that had any, the server's apart.
func (r *recorder) said(port uint16) (clients, servers []spoken) {
	for socket, s := range r.sockets(port) {
		r.mu.Lock()
		all := spoken{socket, r.plain[stream{socket, capture.Egress}], r.plain[stream{socket, capture.Ingress}]}
		r.mu.Unlock()
		switch {
		case len(all.out)+len(all.in) == 0:
		case s:
			servers = append(servers, all)
		default:
			clients = append(clients, all)
		}
	}
	return clients, servers
}

// sockets tells of each socket of a port whether it is the server's.
func (r *recorder) sockets(port uint16) map[uint64]bool {
	all := make(map[uint64]bool)
	for _, s := range r.port(port) {
		if s.Listener {
			continue
		}
		local := s.Source
		if s.Direction == capture.Ingress {
			local = s.Destination
		}
		all[s.Socket] = local.Port() == port
	}
	return all
}

func (r *recorder) assertWhole(t *testing.T) {
	t.Helper()
	assert.Zero(t, r.jumps, "plaintext is missing")
	assert.Zero(t, r.stats.LostPlainRingFull.Load())
	assert.Zero(t, r.stats.LostPlainCopyFailed.Load())
}

func withTLS() Settings {
	return Settings{TLS: TLS{Enabled: true}, RingBytes: 64 << 20}
}

// A body of noise, so that nothing in it repeats.
func noise(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	_, err := rand.Read(b)
	require.NoError(t, err)
	return b
}

// Client and server use the dynamic library, one of them runs before the capture.
func TestPlaintextOfOpenSSL(t *testing.T) {
	dir := t.TempDir()
	body := noise(t, 3<<20)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "body"), body, 0o600))
	port, cert := startNginxTLS(t, dir)
	r := record(t, withTLS())
	out := filepath.Join(t.TempDir(), "out")
	url := "https://127.0.0.1:" + strconv.Itoa(int(port))
	client := run(t, exec.Command("curl", "-sS", "--http1.1", "--cacert", cert, "-o", out, url+"/body", "-o", os.DevNull, url+"/pid"))
	settle()
	r.stop()

	got, err := os.ReadFile(out)
	require.NoError(t, err)
	require.True(t, bytes.Equal(body, got), "the client's copy")
	clients, servers := r.said(port)
	require.Len(t, clients, 1)
	require.Len(t, servers, 1)
	c, s := clients[0], servers[0]
	assert.Contains(t, string(c.out), "GET /body HTTP/1.1\r\n")
	assert.Contains(t, string(c.out), "GET /pid HTTP/1.1\r\n")
	assert.Equal(t, string(c.out), string(s.in))
	assert.True(t, bytes.Contains(c.in, body), "the body as the client's library gave it")
	assert.True(t, bytes.Equal(c.in, s.out), "the response")
	assert.Equal(t, client, r.owner(c.socket).PID)
	assert.Contains(t, string(s.out), fmt.Sprintf("from %d", r.owner(s.socket).PID))
	r.assertWhole(t)
}
