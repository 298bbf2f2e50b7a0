// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// statistics is the setting that makes the kernel count runs of eBPF programs and
// their time. That costs some 50 ns per run, so it is off but for one round.
const statistics = "/proc/sys/kernel/bpf_stats_enabled"

// countPrograms turns that on until the function that it gives is called.
func countPrograms() (stop func(), err error) {
	before, err := os.ReadFile(statistics)
	if err != nil {
		return nil, fmt.Errorf("read setting: %w", err)
	}
	if err := os.WriteFile(statistics, []byte("1"), 0); err != nil {
		return nil, fmt.Errorf("count eBPF programs: %w", err)
	}
	return func() {
		if err := os.WriteFile(statistics, before, 0); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}, nil
}

// addPrograms adds what the kernel says of this process's eBPF programs: time and
// runs of all of them.
func addPrograms(metrics map[string]int64) {
	infos, _ := filepath.Glob("/proc/self/fdinfo/*")
	for _, info := range infos {
		b, err := os.ReadFile(info)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(line, ":")
			if name == "run_time_ns" || name == "run_cnt" {
				n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
				metrics["program_"+name+"{}"] += n
			}
		}
	}
}

// addProcess adds this process's file descriptors and resident memory.
func addProcess(metrics map[string]int64) {
	open, _ := os.ReadDir("/proc/self/fd")
	metrics["descriptors{}"] = int64(len(open))
	b, _ := os.ReadFile("/proc/self/statm")
	if f := strings.Fields(string(b)); len(f) > 1 {
		pages, _ := strconv.ParseInt(f[1], 10, 64)
		metrics["resident{}"] = pages * int64(os.Getpagesize())
	}
}

// kernel tells what the programs cost in one round of B.
func (b *bench) kernel(ctx context.Context) error {
	stop, err := countPrograms()
	if err != nil {
		return err
	}
	defer stop()
	for _, letter := range []string{"B", "D"} {
		for _, v := range b.chosen() {
			if v.letter != letter {
				continue
			}
			s, err := b.saturate(ctx, v, -1)
			if err != nil {
				return err
			}
			ns, runs := float64(s.Metrics["program_run_time_ns{}"]), float64(s.Metrics["program_run_cnt{}"])
			fmt.Fprintf(os.Stdout, "\n%s: eBPF programs run %.1f times and %.2f µs per call, %.0f ns each time.\n",
				v.name, runs/float64(s.calls), ns/float64(s.calls)/1e3, ns/runs)
		}
	}
	return nil
}
