// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// Server is a running HTTP server that logs what it answers.
type Server struct {
	*Process
	Addr string
	log  string

	secure bool // speaks TLS
}

// URL is the server's address as a URL without a path.
func (s *Server) URL() string {
	if s.secure {
		return "https://" + s.Addr
	}
	return "http://" + s.Addr
}

// Port is the port that the server listens on.
func (s *Server) Port() int {
	_, port, _ := net.SplitHostPort(s.Addr)
	n, _ := strconv.Atoi(port)
	return n
}

// Truth is what the server has logged so far.
func (s *Server) Truth() []truth.Call {
	s.t.Helper()
	if _, err := os.Stat(s.log); os.IsNotExist(err) {
		return nil
	}
	calls, err := truth.Read(s.log)
	require.NoError(s.t, err)
	return calls
}

// TruthOf is Truth by sequence id.
func (s *Server) TruthOf() map[string]truth.Call {
	calls := map[string]truth.Call{}
	for _, c := range s.Truth() {
		calls[c.Sequence] = c
	}
	return calls
}

// Place is where a program runs.
type Place struct {
	Addr   string // address to listen on; a free port of 127.0.0.1 if empty
	NetNS  string
	Cgroup *Cgroup
}

func (p Place) addr(t testing.TB) string {
	if p.Addr != "" {
		return p.Addr
	}
	return FreeAddr(t)
}

// GoServer starts the Go server of programs/server.
func GoServer(t testing.TB, at Place) *Server {
	t.Helper()
	addr := at.addr(t)
	return startServer(t, addr, Program{
		Path: Build(t, "server"), Args: []string{"-addr", addr}, NetNS: at.NetNS, Cgroup: at.Cgroup,
	})
}

// Gunicorn starts gunicorn with so many workers, and waits for all of them.
func Gunicorn(t testing.TB, workers int) *Server {
	t.Helper()
	addr := FreeAddr(t)
	s := startServer(t, addr, Program{
		Path: NeedProgram(t, "gunicorn"),
		Args: []string{"--workers", strconv.Itoa(workers), "--bind", addr, "--chdir", programs(), "app:application"},
		Env:  []string{"PYTHONDONTWRITEBYTECODE=1"},
	})
	Eventually(t, "gunicorn's workers", func() bool {
		return strings.Count(s.Output(), "Booting worker") == workers
	})
	return s
}

// Node starts the server of programs/server.js.
func Node(t testing.TB) *Server {
	t.Helper()
	addr := FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	return startServer(t, addr, Program{
		Path: NeedProgram(t, "node"), Args: []string{filepath.Join(programs(), "server.js"), port},
	})
}

// NodeHTTP2 starts the server of programs/server.js with HTTP/2 without TLS.
func NodeHTTP2(t testing.TB) *Server {
	t.Helper()
	addr := FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	return startServer(t, addr, Program{
		Path: NeedProgram(t, "node"), Args: []string{filepath.Join(programs(), "server.js"), port, "http2"},
	})
}

// PythonHTTP starts Python's http.server on the IPv6 loopback address.
func PythonHTTP(t testing.TB) *Server {
	t.Helper()
	port := strconv.Itoa(FreePort(t))
	return startServer(t, net.JoinHostPort("::1", port), Program{
		Path: NeedProgram(t, "/usr/bin/python3"), Args: []string{"-B", filepath.Join(programs(), "app.py"), port},
	})
}

func startServer(t testing.TB, addr string, p Program) *Server {
	t.Helper()
	log := filepath.Join(t.TempDir(), "truth.jsonl")
	p.Addr = addr
	p.Env = append(p.Env, "TRUTH="+log)
	return &Server{Process: Start(t, p), Addr: addr, log: log}
}

func programs() string { return filepath.Join(Root(), "internal", "testkit", "programs") }

// Nginx starts nginx with two workers. It serves the files of the folder
// "files", and passes /backend/ on to a server that may be nil.
func Nginx(t testing.TB, files string, backend *Server) *Server {
	t.Helper()
	return startNginx(t, files, backend, "", "")
}

// startNginx adds directives to those of the server, and parameters to its address.
func startNginx(t testing.TB, files string, backend *Server, directives, parameters string) *Server {
	t.Helper()
	addr, dir := FreeAddr(t), t.TempDir()
	upstream := "127.0.0.1:9"
	if backend != nil {
		upstream = backend.Addr
	}
	log := filepath.Join(dir, "truth.jsonl")
	conf := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, log, upstream, addr, files, directives, parameters), 0o644))
	run := Start(t, Program{
		Path: NeedProgram(t, "nginx"), Args: []string{"-p", dir, "-c", conf, "-e", "stderr"}, Addr: addr,
	})
	s := &Server{Process: run, Addr: addr, log: log}
	Eventually(t, "nginx's workers", func() bool { return len(s.Children()) == 2 })
	return s
}

const nginxConf = `
daemon off;
user root;
worker_processes 2;
pid %[1]s/nginx.pid;
events { worker_connections 512; }
http {
  log_format truth escape=json '{"pid":$pid,"sequence":"$http_x_sequence","method":"$request_method",'
    '"uri":"$request_uri","status":$status,"response_size":$body_bytes_sent}';
  access_log %[2]s truth;
  error_log stderr warn;
  default_type application/octet-stream;
  types { text/plain txt; application/json json; }
  client_max_body_size 64m;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  keepalive_requests 1000000;
  gzip on;
  gzip_types application/json;
  gzip_min_length 1;
  upstream backend { server %[3]s; keepalive 4; }
  server {
    listen %[4]s%[7]s;
    %[6]s
    root %[5]s;
    add_header X-Sequence $http_x_sequence always;
    add_header Server-Pid $pid always;
    location /backend/ {
      proxy_pass http://backend/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`
