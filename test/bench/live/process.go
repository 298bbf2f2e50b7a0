// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that runs until it is stopped.
type process struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer // read after its end
	stderr text
}

// text is what a program writes while others read it.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(b)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// start starts a program in a group, with an environment that has env besides.
func start(g *group, env []string, path string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	g.add(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(path), err)
	}
	return p, nil
}

// stop ends the program in the orderly way, or else in the other one.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(20*time.Second, func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	err := p.cmd.Wait()
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	obeyed := ok && status.Signaled() && status.Signal() == syscall.SIGTERM
	if err != nil && !obeyed {
		return fmt.Errorf("stop %s: %w: %s", filepath.Base(p.cmd.Path), err, p.stderr.String())
	}
	return nil
}

// await waits until the program has said something.
func (p *process) await(what string, bound time.Duration) error {
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(p.stderr.String(), what) {
			return nil
		}
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	return fmt.Errorf("start %s: it says %q", filepath.Base(p.cmd.Path), p.stderr.String())
}

// run runs a program to its end and gives what it said.
func run(ctx context.Context, g *group, path string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	g.add(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("run %s: %w: %s", path, err, out)
	}
	return string(out), nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// listening waits until the program listens, or ends it.
func (p *process) listening(addr string) (*process, error) {
	if err := listening(addr); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// listening waits until something listens.
func listening(addr string) error {
	var err error
	for range 200 {
		var c net.Conn
		if c, err = net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("wait for %s: %w", addr, err)
}

func portOf(addr string) int {
	_, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return n
}

// startNginx serves the files of a folder with two workers. Header and body leave
// in one segment. tls is what makes it speak TLS; nothing if empty.
func startNginx(g *group, dir, addr, tls string) (*process, error) {
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, addr+tls), 0o600); err != nil {
		return nil, err
	}
	p, err := start(g, nil, "nginx", "-p", dir, "-c", conf, "-e", "stderr")
	if err != nil {
		return nil, err
	}
	return p.listening(addr)
}

const nginxConf = `
daemon off;
user root;
worker_processes 2;
pid %[1]s/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  error_log stderr warn;
  types { application/json json; }
  default_type application/octet-stream;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  sendfile off;
  output_buffers 2 64k;
  open_file_cache max=16 inactive=1h;
  open_file_cache_valid 1h;
  server {
    listen %[2]s;
    root %[1]s/files;
    location = /status { stub_status; }
    location /bulk { sendfile on; }
  }
}
`
