// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// emulate boots a kernel into the smoke test and follows its console.
func emulate(ctx context.Context, image, dir, payload string) (bool, error) {
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		return false, fmt.Errorf("find emulator (package qemu-system-x86): %w", err)
	}
	initramfs := filepath.Join(dir, "initramfs.cpio")
	if err := writeInitramfs(initramfs, payload); err != nil {
		return false, fmt.Errorf("write initramfs: %w", err)
	}
	defer os.Remove(initramfs)
	return follow(exec.CommandContext(ctx, "nice", qemu,
		"-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1536",
		"-nodefaults", "-display", "none", "-net", "none", "-serial", "stdio", "-no-reboot",
		"-kernel", image, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1",
	), filepath.Join(filepath.Dir(image), "console.log"))
}

// runHere runs the smoke test on this machine.
func runHere(ctx context.Context, payload string) (bool, error) {
	args := []string{filepath.Join(payload, "smoke"), payload}
	if os.Geteuid() != 0 {
		args = append([]string{"sudo"}, args...)
	}
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) } // it ends what it started
	c.WaitDelay = 20 * time.Second
	return follow(c, filepath.Join(filepath.Dir(payload), "running.log"))
}

// follow runs a command that prints a report. All of its output goes to a file.
func follow(c *exec.Cmd, log string) (ok bool, err error) {
	f, err := os.Create(log)
	if err != nil {
		return false, err
	}
	defer f.Close()
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.Stderr = f
	out, err := c.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := c.Start(); err != nil {
		return false, err
	}
	r := readReport(io.TeeReader(out, f), os.Stdout)
	err = c.Wait()
	if !r.ended || err != nil && !r.failed {
		fmt.Printf("  FAIL  it ended too early (%v), see %s\n", err, log)
		return false, nil
	}
	return !r.failed, nil
}
