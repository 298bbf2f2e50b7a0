// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wirespan/wirespan/internal/testkit/load"
)

// quantiles of the latencies that are told.
var quantiles = []float64{.5, .9, .99, .999}

// latency measures latencies at half of the load that the machine can bear, with
// and without Wirespan, in an open loop: a request that has to wait for its turn
// has waited.
func (b *bench) latency(ctx context.Context) error {
	full, err := b.load(ctx, 0)
	if err != nil {
		return err
	}
	first, last := full[0].Due, full[len(full)-1].Done
	rate := float64(len(full)) / time.Duration(last-first).Seconds() / 2
	fmt.Fprintf(os.Stdout, "\nLatency at %.0f requests/s, half of what the generator reaches.\n\n", rate)
	fmt.Fprintln(os.Stdout, "| | p50 | p90 | p99 | p99.9 |\n| --- | --- | --- | --- | --- |")
	values := map[string]map[float64][]float64{}
	chosen := chosen("ABN")
	for round := range b.rounds {
		for _, v := range chosen {
			var calls []load.Call
			_, err := b.watched(ctx, v, round, func() error {
				calls, err = b.load(ctx, rate)
				return err
			})
			if err != nil {
				return err
			}
			sorted := load.Latencies(calls)
			if values[v.letter] == nil {
				values[v.letter] = map[float64][]float64{}
			}
			for _, q := range quantiles {
				values[v.letter][q] = append(values[v.letter][q], float64(load.Quantile(sorted, q))/1e3)
			}
			fmt.Fprintf(os.Stderr, "%d %s p50 %s p99 %s p99.9 %s of %d\n", round, v.letter,
				load.Quantile(sorted, .5), load.Quantile(sorted, .99), load.Quantile(sorted, .999), len(sorted))
		}
	}
	for _, v := range chosen {
		fmt.Fprintf(os.Stdout, "| %s: %s, µs", v.letter, v.name)
		for _, q := range quantiles {
			fmt.Fprintf(os.Stdout, " | %.0f", median(values[v.letter][q]))
		}
		fmt.Fprintln(os.Stdout, " |")
	}
	return nil
}

// load runs our own generator against nginx.
func (b *bench) load(ctx context.Context, rate float64) ([]load.Call, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	plan := load.Plan{
		Addr: b.addr, Path: "/orders.json", Name: "load", Connections: b.connections,
		Requests: 10_000_000, Duration: b.duration, Rate: rate,
	}
	log := filepath.Join(b.dir, "load")
	args := append([]string{"load", "-log", log}, plan.Args()...)
	if _, err := run(ctx, b.traffic, self, args...); err != nil {
		return nil, err
	}
	return load.Read(log)
}

// generate is our own load generator as a child of this program.
func generate(args []string) error {
	var plan load.Plan
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	plan.Flags(flags)
	log := flags.String("log", "", "file for what became of each request")
	if err := flags.Parse(args); err != nil {
		return err
	}
	calls, err := load.Run(plan)
	return errors.Join(err, load.Write(*log, calls))
}
