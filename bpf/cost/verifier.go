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
	"strings"

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
	objects := objectsAMD64
	if runtime.GOARCH == "arm64" {
		objects = objectsARM64
	}
	if l.filtered, err = verify(dir, objects, true); err != nil {
		return l, err
	}
	l.plain, err = verify(dir, objects, false)
	return l, err
}

// switches are the variables that say what is in use.
var switches = []string{
	bpf.CaptureVarFilterPorts, bpf.CaptureVarFilterAddresses, bpf.CaptureVarFilterCgroups, bpf.CaptureVarFilterProcesses,
	bpf.CaptureVarTls,
}

func verify(dir string, objects [2]string, filters bool) (map[string]load, error) {
	all := map[string]load{}
	shared := map[string]*ebpf.Map{}
	for _, object := range objects {
		c, err := loadObject(filepath.Join(dir, object), filters, shared)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		shared = c.Maps
		for name, p := range c.Programs {
			if all[name], err = parseLog(p.VerifierLog); err != nil {
				return nil, fmt.Errorf("read verifier's log of %s: %w", name, err)
			}
		}
	}
	return all, nil
}

// loadObject loads all programs of an object. It has the maps in common that another
// one has by the same name.
func loadObject(path string, filters bool, others map[string]*ebpf.Map) (*ebpf.Collection, error) {
	spec, err := ebpf.LoadCollectionSpec(path)
	if err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	for _, name := range switches {
		if v := spec.Variables[name]; v != nil {
			if err := v.Set(filters); err != nil {
				return nil, fmt.Errorf("set variable %s: %w", name, err)
			}
		}
	}
	if v := spec.Variables[bpf.CaptureVarLocalCalls]; filters && v != nil {
		// LOCAL_SERVER: of the values that are not 0, the one with more code.
		if err := v.Set(uint32(2)); err != nil {
			return nil, fmt.Errorf("set variable %s: %w", bpf.CaptureVarLocalCalls, err)
		}
	}
	if v := spec.Variables[bpf.TLSVarProcessRules]; filters && v != nil {
		if err := v.Set(uint32(1)); err != nil {
			return nil, fmt.Errorf("set variable %s: %w", bpf.TLSVarProcessRules, err)
		}
	}
	shared := map[string]*ebpf.Map{}
	for name, m := range others {
		if spec.Maps[name] != nil && !strings.HasPrefix(name, ".") {
			shared[name] = m
		}
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats}, MapReplacements: shared,
	})
	if err != nil {
		return nil, fmt.Errorf("load programs: %w", err)
	}
	return c, nil
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
