// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// loader is where programs look for the dynamic linker. The payload has it by its last name.
const loader = "/lib64/ld-linux-x86-64.so.2"

// makeSystem mounts what a system has and switches the loopback device on.
func makeSystem() error {
	for _, m := range []struct{ kind, dir string }{
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"cgroup2", "/sys/fs/cgroup"},
		{"tmpfs", "/tmp"},
	} {
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(loader), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join("/payload", filepath.Base(loader)), loader); err != nil {
		return err
	}
	if err := os.Setenv("PATH", "/payload"); err != nil {
		return err
	}
	if out, err := exec.Command("busybox", "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("switch lo on: %w: %s", err, out)
	}
	return nil
}

// command makes a command that ends, with all that it started, when the step
// does, or this process.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	return c
}
