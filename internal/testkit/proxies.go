// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// NodeSend posts so many bodies with Node's client, all at the same time over one
// connection of HTTP/2, and gives what the client says.
func NodeSend(t testing.TB, url, name string, count int) []truth.Call {
	t.Helper()
	log := filepath.Join(t.TempDir(), "truth.jsonl")
	Run(t, Program{
		Path: NeedProgram(t, "node"), Args: []string{filepath.Join(programs(), "http2client.js"), url, name, fmt.Sprint(count)},
		Env: []string{"TRUTH=" + log},
	})
	calls, err := truth.Read(log)
	require.NoError(t, err)
	require.Len(t, calls, count)
	return calls
}

// NginxHTTP2 starts nginx as a proxy that takes HTTP/2. Calls of gRPC it passes on as
// such, others with HTTP/1.1. The process id that its calls have is that of its worker.
func NginxHTTP2(t testing.TB, backend string) (addr string, worker int) {
	t.Helper()
	addr = FreeAddr(t)
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, nginxHTTP2Conf, dir, backend, addr), 0o644))
	run := Start(t, Program{
		Path: NeedProgram(t, "nginx"), Args: []string{"-p", dir, "-c", conf, "-e", "stderr"}, Addr: addr,
	})
	Eventually(t, "nginx's worker", func() bool { return len(run.Children()) == 1 })
	return addr, run.Children()[0]
}

const nginxHTTP2Conf = `
daemon off;
user root;
worker_processes 1;
pid %[1]s/nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  error_log stderr warn;
  client_max_body_size 0;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  upstream backend { server %[2]s; keepalive 4; }
  server {
    listen %[3]s http2;
    location /wirespan.test.Echo/ {
      grpc_pass grpc://backend;
    }
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`

// HAProxy starts HAProxy, which takes HTTP/2 and passes it on as such.
func HAProxy(t testing.TB, backend string) (addr string, pid int) {
	t.Helper()
	addr = FreeAddr(t)
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, haproxyConf, addr, backend), 0o644))
	run := Start(t, Program{Path: NeedProgram(t, "haproxy"), Args: []string{"-db", "-f", conf}, Addr: addr})
	return addr, run.PID()
}

const haproxyConf = `
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen proxy
  bind %s proto h2
  server backend %s proto h2
`
