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
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// runCollector runs the collector as nobody with the least privileges, looks at
// what is left of them, and makes a call over IPv4 and one over IPv6 whose
// client it must name.
func runCollector(ctx context.Context, dir string) (detail string, err error) {
	c, err := startCollector(ctx, dir, &leastPrivileges)
	if err != nil {
		return "", err
	}
	defer func() {
		err = errors.Join(err, c.stop())
		if err != nil {
			detail = c.output.String()
		}
	}()
	if err := c.output.wait(ctx, "dropped privileges"); err != nil {
		return "", err
	}
	left, err := privileges(c.Process.Pid)
	if err != nil {
		return "", err
	}
	if want := "CapPrm=0000004000000000 CapEff=0000004000000000 CapAmb=0000000000000000 NoNewPrivs=1"; left != want {
		return "", fmt.Errorf("privileges are %s, want %s", left, want)
	}
	details := []string{"it runs as nobody with " + left}
	for _, host := range []string{"127.0.0.1", "::1"} {
		line, err := call(ctx, dir, host, c.output)
		if err != nil {
			return "", fmt.Errorf("call %s: %w", host, err)
		}
		details = append(details, line)
	}
	return strings.Join(details, "\n"), nil
}

// call makes one request and waits for both ends of it.
func call(ctx context.Context, dir, host string, seen *output) (string, error) {
	busybox := filepath.Join(dir, "busybox")
	at, err := freeAddress(host)
	if err != nil {
		return "", err
	}
	server := command(ctx, busybox, "httpd", "-f", "-p", at, "-h", dir)
	if err := server.Start(); err != nil {
		return "", err
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	if err := listening(ctx, at); err != nil {
		return "", err
	}
	uri := "/cost.txt?at=" + at
	client := command(ctx, busybox, "wget", "-q", "-O", "-", "http://"+at+uri)
	body, err := client.Output()
	if err != nil {
		return "", fmt.Errorf("run client: %w", err)
	}
	owner := fmt.Sprintf("Process: busybox (PID %d)", client.Process.Pid)
	for _, end := range [][]string{
		{uri, "Status: 200", "\n" + owner, "client side"},
		{uri, "Status: 200", "\nProcess: busybox", "server side"},
	} {
		if err := seen.wait(ctx, end...); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("GET http://%s, %d bytes: %s", at, len(body), owner), nil
}

// listening waits until a server does.
func listening(ctx context.Context, at string) error {
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freeAddress(host string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// collector is the process of one.
type collector struct {
	*exec.Cmd
	output *output
}

// privileged is who runs the collector.
type privileged struct {
	user         uint32
	capabilities []uintptr
}

var leastPrivileges = privileged{nobody, []uintptr{unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_NET_ADMIN}}

// startCollector hands over open files: where they are, nobody may not be
// allowed to go. Without privileges that are said, it runs as root.
func startCollector(ctx context.Context, dir string, as *privileged, args ...string) (*collector, error) {
	c := &collector{command(ctx, "/proc/self/fd/3", append([]string{"--config", "file:/proc/self/fd/4"}, args...)...), &output{}}
	for _, name := range []string{"wirespan", "config.yaml"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		c.ExtraFiles = append(c.ExtraFiles, f)
	}
	c.Dir = "/"
	c.Stdout, c.Stderr = c.output, c.output
	if as != nil {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: as.user, Gid: as.user}
		c.SysProcAttr.AmbientCaps = as.capabilities
	}
	return c, c.Start()
}

// stop ends the collector as a service manager does.
func (c *collector) stop() error {
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	if err := c.Wait(); err != nil {
		return fmt.Errorf("stop collector: %w", err)
	}
	return nil
}

// privileges are the lines about them in proc(5), of the whole process.
func privileges(pid int) (string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", err
	}
	var all []string
	for line := range strings.Lines(string(b)) {
		switch name, value, _ := strings.Cut(line, ":"); name {
		case "CapPrm", "CapEff", "CapAmb", "NoNewPrivs":
			all = append(all, name+"="+strings.TrimSpace(value))
		}
	}
	return strings.Join(all, " "), nil
}

// output is what a process has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// wait waits until one block of lines has all of some texts.
func (o *output) wait(ctx context.Context, texts ...string) error {
	for !o.has(texts) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %q: %w", texts, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (o *output) has(texts []string) bool {
	for block := range strings.SplitSeq(o.String(), "\n\n") {
		missing := func(text string) bool { return !strings.Contains(block, text) }
		if !slices.ContainsFunc(texts, missing) {
			return true
		}
	}
	return false
}
