// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReadersAgree makes sure that the benchmarks compare like with like.
func TestReadersAgree(t *testing.T) {
	f := traffic{connections: 10, calls: 200, body: 3000, segment: mss}.write(t)
	require.Equal(t, f.calls, wirespan(t, f, newShard()))
	require.Equal(t, f.calls, wirespan(t, f, newShard(), newShard()))
	require.Equal(t, f.calls, gopacketHTTP(t, f))
	if hasTshark() {
		require.Equal(t, f.calls, tshark(t, f.path))
	}
}

func hasTshark() bool {
	_, err := exec.LookPath("tshark")
	return err == nil
}

var cases = []traffic{
	{name: "body=1KiB", connections: 100, calls: 20_000, body: 1 << 10, segment: mss},
	{name: "body=64KiB", connections: 100, calls: 2_000, body: 64 << 10, segment: mss},
	{name: "body=64KiB-offloaded", connections: 100, calls: 2_000, body: 64 << 10, segment: offload},
}

// BenchmarkOffline reads the same file with one shard of Wirespan, with gopacket
// and net/http, and with tshark, in turns.
func BenchmarkOffline(b *testing.B) {
	for _, t := range cases {
		b.Run(t.name, func(b *testing.B) { compare(b, t.write(b)) })
	}
}

func compare(b *testing.B, f *file) {
	var ours, plain, shark cost
	for b.Loop() {
		ours.add(b, f, syscall.RUSAGE_SELF, func() int { return wirespan(b, f, newShard()) })
		plain.add(b, f, syscall.RUSAGE_SELF, func() int { return gopacketHTTP(b, f) })
		if hasTshark() {
			shark.add(b, f, syscall.RUSAGE_CHILDREN, func() int { return tshark(b, f.path) })
		}
	}
	b.ReportMetric(0, "ns/op")
	ours.report(b, f)
	b.ReportMetric(plain.perSecond(), "gopacket-calls/cpu-s")
	b.ReportMetric(float64(plain.allocs)/float64(plain.calls), "gopacket-allocs/call")
	b.ReportMetric(ours.perSecond()/plain.perSecond(), "x-gopacket")
	if shark.calls > 0 {
		b.ReportMetric(shark.perSecond(), "tshark-calls/cpu-s")
		b.ReportMetric(ours.perSecond()/shark.perSecond(), "x-tshark")
	}
}

// BenchmarkPipeline is Wirespan alone, for profiles.
func BenchmarkPipeline(b *testing.B) {
	for _, t := range cases {
		b.Run(t.name, func(b *testing.B) {
			f := t.write(b)
			var ours cost
			for b.Loop() {
				ours.add(b, f, syscall.RUSAGE_SELF, func() int { return wirespan(b, f, newShard()) })
			}
			b.ReportMetric(0, "ns/op")
			ours.report(b, f)
		})
	}
}

// BenchmarkShards is the speed of two shards on two cores as a multiple of that of
// one shard on one core, garbage collection included: by wall time, for which
// nothing else may run. x-cpu is the CPU time of two shards as a multiple of that
// of one, which others disturb less: idle cores would give at most 2/x-cpu.
func BenchmarkShards(b *testing.B) {
	f := traffic{connections: 100, calls: 40_000, body: 1 << 10, segment: mss}.write(b)
	var one, oneUsed, two, twoUsed time.Duration
	for b.Loop() {
		wall, used := timed(1, func() { wirespan(b, f, newShard()) })
		one, oneUsed = one+wall, oneUsed+used
		wall, used = timed(2, func() { wirespan(b, f, newShard(), newShard()) })
		two, twoUsed = two+wall, twoUsed+used
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(one.Seconds()/two.Seconds(), "x-one-shard")
	b.ReportMetric(twoUsed.Seconds()/oneUsed.Seconds(), "x-cpu")
}

// BenchmarkConnections is the CPU time of a call while few or many connections are
// open. Each has had one call before: opening them is not measured.
func BenchmarkConnections(b *testing.B) {
	const calls = 100_000
	few := traffic{connections: 100, calls: 100 + calls, body: 200, segment: mss}.write(b)
	many := traffic{connections: 100_000, calls: 100_000 + calls, body: 200, segment: mss}.write(b)
	var a, z time.Duration
	n := 0
	for b.Loop() {
		n++
		a += steady(b, few)
		z += steady(b, many)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(a.Nanoseconds())/float64(n*calls), "ns/call-100")
	b.ReportMetric(float64(z.Nanoseconds())/float64(n*calls), "ns/call-100000")
	b.ReportMetric(z.Seconds()/a.Seconds(), "x-100")
}

// steady is the CPU time from the moment when each connection has had a call until
// the last of the calls.
func steady(b *testing.B, f *file) time.Duration {
	s := newShard()
	var start, end time.Duration
	last := func() { end = cpu(syscall.RUSAGE_SELF) }
	s.at, s.reached = f.opened, func() {
		start = cpu(syscall.RUSAGE_SELF)
		s.at, s.reached = f.closing, last
	}
	runtime.GC()
	require.Equal(b, f.calls, wirespan(b, f, s))
	return end - start
}

// cost is what a number of calls has taken.
type cost struct {
	cpu           time.Duration
	calls         int
	allocs, bytes uint64
}

func (c *cost) add(b *testing.B, f *file, who int, run func() int) {
	var before, after runtime.MemStats
	runtime.GC() // what others have left behind
	runtime.ReadMemStats(&before)
	start := cpu(who)
	calls := run()
	c.cpu += cpu(who) - start
	runtime.ReadMemStats(&after)
	c.allocs += after.Mallocs - before.Mallocs
	c.bytes += after.TotalAlloc - before.TotalAlloc
	c.calls += calls
	require.Equal(b, f.calls, calls)
}

func (c *cost) report(b *testing.B, f *file) {
	b.ReportMetric(c.perSecond(), "calls/cpu-s")
	b.ReportMetric(c.perSecond()*float64(f.stream)/float64(f.calls)/1e6, "MB/cpu-s")
	b.ReportMetric(float64(c.allocs)/float64(c.calls), "allocs/call")
	b.ReportMetric(float64(c.bytes)/float64(c.calls), "B/call")
}

func (c *cost) perSecond() float64 { return float64(c.calls) / c.cpu.Seconds() }

// cpu is the time that this process, or those that it has waited for, has used.
func cpu(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed is the wall time and the CPU time of f on a number of cores.
func timed(cores int, f func()) (wall, used time.Duration) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	runtime.GC() // what others have left behind
	start, before := time.Now(), cpu(syscall.RUSAGE_SELF)
	f()
	return time.Since(start), cpu(syscall.RUSAGE_SELF) - before
}
