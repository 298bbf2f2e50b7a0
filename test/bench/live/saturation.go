// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// sample is what one measurement of one variant gave.
type sample struct {
	seen
	calls    uint64 // responses that wrk has
	perSec   float64
	busy     time.Duration // of all CPUs, so of the whole machine
	traffic  time.Duration // CPU time of nginx and wrk
	watching time.Duration // CPU time of who watches
}

// saturation lets wrk and nginx use all cores while each variant watches in turn.
func (b *bench) saturation(ctx context.Context) error {
	chosen := b.chosen()
	samples := map[string][]sample{}
	for round := range b.rounds {
		for _, v := range chosen {
			s, err := b.saturate(ctx, v, round)
			if err != nil {
				return fmt.Errorf("measure %q: %w", v.name, err)
			}
			samples[v.letter] = append(samples[v.letter], s)
			fmt.Fprintf(os.Stderr, "%d %s %6.0f/s  busy %5.1f  traffic %5.1f  watching %5.1f µs/call  spans %d+%d of %d  lost %d\n",
				round, v.letter, s.perSec, perCall(s.busy, s), perCall(s.traffic, s), perCall(s.watching, s),
				s.Client, s.Server, s.calls, s.lost())
		}
	}
	report(chosen, samples)
	return nil
}

func (b *bench) saturate(ctx context.Context, v variant, round int) (s sample, err error) {
	s.seen, err = b.watched(ctx, v, round, func() error {
		before, err := b.usage()
		if err != nil {
			return err
		}
		out, err := run(ctx, b.traffic, "wrk", "-t2", fmt.Sprintf("-c%d", b.connections),
			fmt.Sprintf("-d%.0fs", max(1, b.duration.Seconds())), "http://"+b.addr+"/orders.json")
		if err != nil {
			return err
		}
		time.Sleep(settle)
		after, err := b.usage()
		if err != nil {
			return err
		}
		s.busy, s.traffic, s.watching = after.busy-before.busy, after.traffic-before.traffic, after.watching-before.watching
		s.calls, s.perSec, err = wrkSaid(out)
		return err
	})
	return s, err
}

func (b *bench) usage() (s sample, err error) {
	if s.busy, err = busy(); err != nil {
		return s, err
	}
	if s.traffic, err = b.traffic.used(); err != nil {
		return s, err
	}
	s.watching, err = b.watching.used()
	return s, err
}

var (
	wrkTotal = regexp.MustCompile(`(\d+) requests in `)
	wrkRate  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
)

func wrkSaid(out string) (calls uint64, perSec float64, err error) {
	total, rate := wrkTotal.FindStringSubmatch(out), wrkRate.FindStringSubmatch(out)
	if total == nil || rate == nil || strings.Contains(out, "Non-2xx") || strings.Contains(out, "Socket errors") {
		return 0, 0, fmt.Errorf("wrk says %s", out)
	}
	if calls, err = strconv.ParseUint(total[1], 10, 64); err != nil {
		return 0, 0, err
	}
	perSec, err = strconv.ParseFloat(rate[1], 64)
	return calls, perSec, err
}

func perCall(d time.Duration, s sample) float64 {
	return float64(d.Microseconds()) / float64(s.calls)
}

// ends is how many ends of calls were captured.
func (s seen) ends() uint64 { return max(s.Client+s.Server+s.Other, s.Records) }

// lost is how many records of the kernel's and of the receiver's were lost.
func (s seen) lost() int64 {
	var n int64
	for name, value := range s.Metrics {
		if strings.HasPrefix(name, "lost_records{") || strings.HasPrefix(name, "dropped_records{") {
			n += value
		}
	}
	return n
}

// report prints medians. Each ratio and difference is against the measurement of
// variant A in the same round.
func report(chosen []variant, samples map[string][]sample) {
	fmt.Fprintln(os.Stdout, "\n| | requests/s | × A | CPU per call beyond A, µs, whole machine | only traffic and watcher | of it in the watcher | the same, per end captured | spans per call, client + server | lost |")
	fmt.Fprintln(os.Stdout, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	base := samples["A"]
	for _, v := range chosen {
		var rate, ratio, machine, groups, watcher, perEnd, client, server []float64
		var lost int64
		for i, s := range samples[v.letter] {
			rate = append(rate, s.perSec)
			watcher = append(watcher, perCall(s.watching, s))
			client = append(client, float64(s.Client)/float64(s.calls))
			server = append(server, float64(s.Server)/float64(s.calls))
			lost += s.lost()
			if ends := s.ends(); ends > 0 {
				perEnd = append(perEnd, float64(s.watching.Microseconds())/float64(ends))
			}
			if i < len(base) {
				ratio = append(ratio, s.perSec/base[i].perSec)
				machine = append(machine, perCall(s.busy, s)-perCall(base[i].busy, base[i]))
				groups = append(groups, perCall(s.traffic+s.watching, s)-perCall(base[i].traffic, base[i]))
			}
		}
		fmt.Fprintf(os.Stdout, "| %s: %s | %.0f | %.2f | %.1f | %.1f | %.1f | %.1f | %.4f + %.4f | %d |\n", v.letter, v.name,
			median(rate), median(ratio), median(machine), median(groups), median(watcher), median(perEnd), median(client), median(server), lost)
	}
}
