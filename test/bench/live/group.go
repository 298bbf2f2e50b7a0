// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// group is a control group of its own for some processes, because the kernel adds
// up their CPU time, with the softirqs that run on top of them.
type group struct {
	path string
	dir  *os.File
}

func newGroup(name string) (*group, error) {
	root, err := cgroupRoot()
	if err != nil {
		return nil, err
	}
	g := &group{path: filepath.Join(root, fmt.Sprintf("wirespan-bench-%d-%s", os.Getpid(), name))}
	if err := os.Mkdir(g.path, 0o755); err != nil {
		return nil, fmt.Errorf("make control group: %w", err)
	}
	if g.dir, err = os.Open(g.path); err != nil {
		return nil, errors.Join(fmt.Errorf("open control group: %w", err), os.Remove(g.path))
	}
	return g, nil
}

// cgroupRoot is where the version 2 hierarchy is mounted (proc(5), mounts).
func cgroupRoot() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1], nil
		}
	}
	return "", errors.New("cgroup v2 is not mounted")
}

func (g *group) close() {
	_ = g.dir.Close()
	for range 50 { // busy until the kernel has let go of its last process
		if os.Remove(g.path) == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// add makes a command start in the group.
func (g *group) add(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(g.dir.Fd()), Setpgid: true}
}

// used is the CPU time that the group's processes have used.
func (g *group) used() (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join(g.path, "cpu.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, errors.New("cpu.stat has no usage_usec")
}

// busy is the time that all CPUs have not been idle (proc(5), stat).
func busy() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	var ticks int64
	for i, f := range strings.Fields(string(line)) {
		const idle, iowait, guest = 4, 5, 9
		if i == 0 || i == idle || i == iowait || i >= guest {
			continue
		}
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("parse /proc/stat: %w", err)
		}
		ticks += n
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100
	return time.Duration(ticks) * tick, nil
}
