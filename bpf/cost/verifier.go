// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/wirespan/wirespan/bpf"
)

// verifierLimit is how many instructions a verifier goes through before it
// refuses a program (BPF_COMPLEXITY_LIMIT_INSNS).
const verifierLimit = 1_000_000

// load is what the verifier says about a program.
type load struct {
	verified   int    // instructions it went through, on all paths
	peakStates int    // states it held at once
	stack      string // bytes, per function
}

// loads are the figures of one kernel, with every filter in use and with none:
// code for what is not in use is dead, and is not verified.
type loads struct {
	kernel          string
	filtered, plain map[string]load
}

func verifyAll(dir string) (l loads, err error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return l, fmt.Errorf("read kernel release: %w", err)
	}
	l.kernel = unix.ByteSliceToString(name.Release[:])
	object := objectAMD64
	if runtime.GOARCH == "arm64" {
		object = objectARM64
	}
	if l.filtered, err = verify(filepath.Join(dir, object), true); err != nil {
		return l, err
	}
	l.plain, err = verify(filepath.Join(dir, object), false)
	return l, err
}

func verify(path string, filters bool) (map[string]load, error) {
	spec, err := ebpf.LoadCollectionSpec(path)
	if err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	for _, name := range []string{
		bpf.CaptureVarFilterPorts, bpf.CaptureVarFilterAddresses, bpf.CaptureVarFilterCgroups, bpf.CaptureVarFilterProcesses,
	} {
		if err := spec.Variables[name].Set(filters); err != nil {
			return nil, fmt.Errorf("set variable %s: %w", name, err)
		}
	}
	if filters {
		// LOCAL_SERVER: of the values that are not 0, the one with more code.
		if err := spec.Variables[bpf.CaptureVarLocalCalls].Set(uint32(2)); err != nil {
			return nil, fmt.Errorf("set variable %s: %w", bpf.CaptureVarLocalCalls, err)
		}
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats}})
	if err != nil {
		return nil, fmt.Errorf("load programs: %w", err)
	}
	defer c.Close()
	all := make(map[string]load, len(c.Programs))
	for name, p := range c.Programs {
		if all[name], err = parseLog(p.VerifierLog); err != nil {
			return nil, fmt.Errorf("read verifier's log of %s: %w", name, err)
		}
	}
	return all, nil
}

var (
	processed  = regexp.MustCompile(`processed (\d+) insns \(limit \d+\) max_states_per_insn \d+ total_states \d+ peak_states (\d+)`)
	stackDepth = regexp.MustCompile(`stack depth ([\d+]+)`)
)

// parseLog reads the statistics of the verifier, see print_verification_stats
// in the kernel's kernel/bpf/verifier.c.
func parseLog(log string) (l load, err error) {
	m := processed.FindStringSubmatch(log)
	if m == nil {
		return l, fmt.Errorf("no statistics in %q", log)
	}
	if l.verified, err = strconv.Atoi(m[1]); err != nil {
		return l, err
	}
	if l.peakStates, err = strconv.Atoi(m[2]); err != nil {
		return l, err
	}
	if m := stackDepth.FindStringSubmatch(log); m != nil {
		l.stack = m[1]
	}
	return l, nil
}
