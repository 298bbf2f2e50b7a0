// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// clockTick is the unit of times in /proc: USER_HZ is 100 on all architectures
// that are supported.
const clockTick = 1e9 / 100

// maxCommand bounds what is read of a command line.
const maxCommand = 4096

// complete fills what is still empty from /proc, if that shows the same process:
// the id may have been reused, or belong to another PID namespace.
func complete(p *capture.Process, start uint64) {
	dir := "/proc/" + strconv.Itoa(int(p.PID))
	if p.Name != "" && p.Executable != "" && len(p.CommandLine) > 0 {
		return
	}
	name, ticks, err := readStat(dir + "/stat")
	if err != nil || ticks != start/clockTick {
		return
	}
	if p.Name == "" {
		p.Name = name
	}
	if p.Executable == "" {
		p.Executable, _ = os.Readlink(dir + "/exe")
	}
	if len(p.CommandLine) == 0 {
		p.CommandLine = splitCommand(readBounded(dir + "/cmdline"))
	}
	if p.CgroupPath == "" {
		p.CgroupPath = cgroupPath(readBounded(dir + "/cgroup"))
	}
}

// readStat gives the name and the start time, in clock ticks since boot, of
// proc_pid_stat(5).
func readStat(path string) (name string, start uint64, err error) {
	line := readBounded(path)
	first, last := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if first < 0 || last < first {
		return "", 0, errors.New("read process: no name")
	}
	fields := strings.Fields(string(line[last+1:]))
	const startTime = 22 - 3 // the fields after the name begin with the third
	if len(fields) <= startTime {
		return "", 0, errors.New("read process: no start time")
	}
	start, err = strconv.ParseUint(fields[startTime], 10, 64)
	return string(line[first+1 : last]), start, err
}

// cgroupPath takes the cgroup v2 path from cgroups(7), "/proc/pid/cgroup".
func cgroupPath(b []byte) string {
	for line := range strings.Lines(string(b)) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return path
		}
	}
	return ""
}

func readBounded(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, maxCommand))
	return b
}
