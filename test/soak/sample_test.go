// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// sample is what a collector holds at a time.
type sample struct {
	at          time.Duration
	rss         float64 // MiB
	heap        float64 // MiB
	threads     int
	fds         int
	probes      int     // of fds, those that keep programs in the kernel
	budget      float64 // MiB
	connections int
	maps        map[string]entries
}

// entries of an eBPF map. A cache stays full and lets go of the oldest.
type entries struct {
	entries, capacity int
	cache             bool
}

func (e entries) String() string { return fmt.Sprintf("%d/%d", e.entries, e.capacity) }

func (s sample) String() string {
	return fmt.Sprintf("RSS %.1f MiB, heap %.1f MiB, threads %d, fds %d (%d of probes), budget %.2f MiB, connections %d, maps %v",
		s.rss, s.heap, s.threads, s.fds, s.probes, s.budget, s.connections, s.maps)
}

func take(t *testing.T, c *testkit.Collector) sample {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d", c.PID())
	fds, err := os.ReadDir(proc + "/fd")
	require.NoError(t, err)
	metrics := c.Metrics()
	return sample{
		rss:         float64(status(t, proc, "VmRSS")) / 1024,
		threads:     status(t, proc, "Threads"),
		fds:         len(fds),
		probes:      probes(proc, fds),
		heap:        metrics["otelcol_process_runtime_heap_alloc_bytes"] / (1 << 20),
		budget:      metrics["otelcol_receiver_network_memory_used"] / (1 << 20),
		connections: int(metrics["otelcol_receiver_network_tracked_connections"]),
		maps:        mapsOf(t, proc),
	}
}

// probes counts the descriptors of links to programs and of the events that they hang on.
func probes(proc string, fds []os.DirEntry) (n int) {
	for _, fd := range fds {
		switch name, _ := os.Readlink(proc + "/fd/" + fd.Name()); name {
		case "anon_inode:bpf_link", "anon_inode:bpf-link", "anon_inode:[perf_event]":
			n++
		}
	}
	return n
}

// status reads a number of /proc/PID/status (proc(5)).
func status(t *testing.T, proc, name string) int {
	t.Helper()
	text, err := os.ReadFile(proc + "/status")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), name+":")
	require.True(t, found)
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return n
}

// mapsOf counts the entries of the hash maps that a process has open.
func mapsOf(t *testing.T, proc string) map[string]entries {
	t.Helper()
	infos, err := filepath.Glob(proc + "/fdinfo/*")
	require.NoError(t, err)
	found := map[string]entries{}
	for _, path := range infos {
		text, _ := os.ReadFile(path) // it may be closed by now
		_, rest, ok := strings.Cut(string(text), "map_id:")
		if !ok {
			continue
		}
		id, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 32)
		require.NoError(t, err)
		name, n, ok := count(t, ebpf.MapID(id))
		if ok {
			found[name] = n
		}
	}
	require.NotEmpty(t, found)
	return found
}

func count(t *testing.T, id ebpf.MapID) (string, entries, bool) {
	t.Helper()
	m, err := ebpf.NewMapFromID(id)
	require.NoError(t, err)
	defer m.Close()
	if m.Type() != ebpf.Hash && m.Type() != ebpf.LRUHash {
		return "", entries{}, false
	}
	info, err := m.Info()
	require.NoError(t, err)
	n := entries{capacity: int(m.MaxEntries()), cache: m.Type() == ebpf.LRUHash}
	key, next := make([]byte, m.KeySize()), make([]byte, m.KeySize())
	for err = m.NextKey(nil, &next); err == nil && n.entries < n.capacity; err = m.NextKey(key, &next) {
		n.entries++
		key, next = next, key
	}
	require.True(t, err == nil || errors.Is(err, ebpf.ErrKeyNotExist), "%v", err)
	return info.Name, n, true
}

// series are the samples of a load, in order of time.
type series []sample

// What the last third of a load may have more than the second one, which comes
// after the caches (of processes, of names) have filled: the garbage collector's
// pace and the machine's other work move memory by that much.
const (
	memorySlack = 1.10
	memoryFloor = 8.0 // MiB
	threadSlack = 4
)

// assertFlat compares the medians of the second and the last third.
func (s series) assertFlat(t *testing.T) {
	t.Helper()
	require.GreaterOrEqual(t, len(s), 9, "samples")
	middle, last := s.third(1), s.third(2)
	for name, of := range memory {
		assert.LessOrEqual(t, median(last, of), median(middle, of)*memorySlack+memoryFloor, "%s, MiB, grows", name)
	}
	for name, of := range numbers {
		assert.LessOrEqual(t, median(last, of), median(middle, of)+threadSlack, "number of %s grows", name)
	}
}

var (
	memory = map[string]func(sample) float64{
		"RSS":    func(s sample) float64 { return s.rss },
		"heap":   func(s sample) float64 { return s.heap },
		"budget": func(s sample) float64 { return s.budget },
	}
	numbers = map[string]func(sample) float64{
		"threads":     func(s sample) float64 { return float64(s.threads) },
		"fds":         func(s sample) float64 { return float64(s.fds) },
		"connections": func(s sample) float64 { return float64(s.connections) },
	}
)

func (s series) third(n int) series { return s[n*len(s)/3 : (n+1)*len(s)/3] }

func median(s series, of func(sample) float64) float64 {
	values := make([]float64, 0, len(s))
	for _, one := range s {
		values = append(values, of(one))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// String has the medians of the thirds.
func (s series) String() string {
	var b strings.Builder
	for _, of := range []map[string]func(sample) float64{memory, numbers} {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			fmt.Fprintf(&b, "%-12s", name)
			for n := range 3 {
				fmt.Fprintf(&b, "%10.2f", median(s.third(n), of[name]))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// write writes all samples to a file.
func (s series) write(t *testing.T, path string) {
	t.Helper()
	if path == "" {
		return
	}
	b := []byte("seconds,rss_mib,heap_mib,threads,fds,budget_mib,connections,maps\n")
	for _, one := range s {
		b = fmt.Appendf(b, "%.1f,%.2f,%.2f,%d,%d,%.3f,%d,%v\n",
			one.at.Seconds(), one.rss, one.heap, one.threads, one.fds, one.budget, one.connections, one.maps)
	}
	require.NoError(t, os.WriteFile(path, b, 0o644))
}
