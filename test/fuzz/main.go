// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Fuzz runs the fuzz targets of the repository one after another, each for the
// same time, and prints what came of each. Its arguments are regular expressions
// of targets ("conn.FuzzTable$") in the order in which these are to run; without
// one it runs all. A failure does not keep the others from running, but makes the
// exit status 1. What a run wrote is in build/fuzz.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// options say how each target runs.
type options struct {
	time     time.Duration
	parallel int
	jobs     int
	log      string
}

func main() {
	var o options
	flag.DurationVar(&o.time, "time", 20*time.Second, "how long each target runs")
	flag.IntVar(&o.parallel, "parallel", 1, "worker processes of a target")
	flag.IntVar(&o.jobs, "jobs", 1, "targets at a time")
	flag.StringVar(&o.log, "log", "build/fuzz", "folder for what each run writes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := fuzz(ctx, &o, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func fuzz(ctx context.Context, o *options, patterns []string) (ok bool, err error) {
	targets, err := find(patterns)
	if err != nil {
		return false, fmt.Errorf("find fuzz targets: %w", err)
	}
	if err := os.MkdirAll(o.log, 0o755); err != nil {
		return false, err
	}
	outcomes := make([]outcome, len(targets))
	next := make(chan int)
	var running sync.WaitGroup
	for range max(o.jobs, 1) {
		running.Go(func() {
			for i := range next {
				outcomes[i] = run(ctx, o, targets[i])
				fmt.Fprintf(os.Stderr, "%v %v: %v, %d executions\n", time.Now().Format(time.TimeOnly), targets[i], outcomes[i].result, outcomes[i].executions)
			}
		})
	}
	for i := range targets {
		next <- i
	}
	close(next)
	running.Wait()
	return table(os.Stdout, targets, outcomes), nil
}
