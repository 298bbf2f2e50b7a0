// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/wirespan/wirespan/bpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// processKey is bpf.CaptureProcessKey without its layout marker, so that it can
// be the key of a Go map.
type processKey struct {
	start, exec uint64
	pid         uint32
}

// processTable gives one shared description per process. It is asked once per
// connection, not per packet. It holds at most twice limit entries: when the
// younger half is full it becomes the older one, and what is in use moves back.
type processTable struct {
	kernel *ebpf.Map
	stats  *Stats
	limit  int

	mu       sync.Mutex
	young    map[processKey]*capture.Process
	old      map[processKey]*capture.Process
	bootTime int64 // Unix time minus CLOCK_BOOTTIME, ns
}

func newProcessTable(kernel *ebpf.Map, limit int, stats *Stats) *processTable {
	return &processTable{
		kernel:   kernel,
		stats:    stats,
		limit:    limit,
		young:    make(map[processKey]*capture.Process),
		bootTime: clockOffset(readClock, unix.CLOCK_BOOTTIME),
	}
}

// get is never nil: of a process that is gone and forgotten at least the id is
// known.
func (t *processTable) get(key *bpf.CaptureProcessKey) *capture.Process {
	k := processKey{start: key.Start, exec: key.Exec, pid: key.Pid}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.young[k]; p != nil {
		return p
	}
	p := t.old[k]
	if p == nil {
		p = t.describe(key)
		t.stats.Processes.Add(1)
	}
	if len(t.young) >= t.limit {
		t.old, t.young = t.young, make(map[processKey]*capture.Process, t.limit)
	}
	t.young[k] = p
	return p
}

// describe takes what the kernel noted while the process ran, and completes it
// from /proc if the process is still there.
func (t *processTable) describe(key *bpf.CaptureProcessKey) *capture.Process {
	var v bpf.CaptureProcess
	p := &capture.Process{PID: int32(key.Pid), StartTime: int64(key.Start) + t.bootTime}
	found := t.kernel.Lookup(key, &v) == nil && v.Key == *key
	if found {
		note(p, &v)
	}
	complete(p, key.Start)
	if p.ServiceName == "" {
		declare(p, key.Start)
	}
	if !found && p.Name == "" {
		t.stats.UnknownOwners.Add(1)
	}
	p.ContainerID = containerID(p.CgroupPath)
	p.PodUID = podUID(p.CgroupPath)
	return p
}

// note takes over what the kernel noted.
func note(p *capture.Process, v *bpf.CaptureProcess) {
	p.ParentPID = int32(v.Parent)
	p.Name = text(v.Name[:])
	p.Executable = joinParts(v.Exe[:min(int(v.ExeLen), len(v.Exe))])
	p.CgroupPath = joinParts(v.CgroupPath[:min(int(v.CgroupLen), len(v.CgroupPath))])
	if p.CgroupPath == "" {
		p.CgroupPath = "/"
	}
	p.CommandLine = splitCommand(v.Command[:min(int(v.CommandLen), len(v.Command))])
	readEnviron(p, string(v.Variables[:min(int(v.VariablesLen), len(v.Variables))]))
}

// joinParts makes a path of names that end in NUL, the last one first.
func joinParts(b []byte) string {
	parts := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	if len(parts) == 1 && parts[0] == "" {
		return ""
	}
	slices.Reverse(parts)
	return "/" + strings.Join(parts, "/")
}

// splitCommand separates arguments that end in NUL. A program that writes its own
// title leaves one argument, and NULs behind it.
func splitCommand(b []byte) []string {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
