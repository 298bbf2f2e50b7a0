// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Live measures what capturing live traffic costs, and whether all of it is there.
//
// nginx and wrk use all cores while, in turns, nothing watches, the receiver does
// in several configurations, a reader that drops every record does, and tcpdump
// does. The receiver runs in a process of its own whose next component only counts:
// what is measured is the receiver, with no exporter behind it. It prints Markdown.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options of a run.
type options struct {
	rounds      int
	duration    time.Duration
	connections int
	body        int
	only        string
	parts       string
	profile     string
	bulk        int64
}

func main() {
	if len(os.Args) > 1 {
		if child, ok := children[os.Args[1]]; ok {
			exit(child(os.Args[2:]))
		}
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 7, "rounds; each measures every variant once")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "time of one measurement")
	flag.IntVar(&o.connections, "connections", 32, "connections of wrk")
	flag.IntVar(&o.body, "body", 2048, "bytes of a response's body")
	flag.StringVar(&o.only, "only", "", "letters of the variants to measure; all if empty")
	flag.StringVar(&o.parts, "parts", "saturation,kernel,latency,bulk,tls", "what to measure")
	flag.StringVar(&o.profile, "profile", "", "folder for CPU profiles of the receiver")
	flag.Int64Var(&o.bulk, "bulk", 1<<30, "bytes of a download and an upload")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := measure(ctx, o)
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func measure(ctx context.Context, o options) error {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	for part := range strings.SplitSeq(o.parts, ",") {
		switch part {
		case "saturation":
			err = b.saturation(ctx)
		case "kernel":
			err = b.kernel(ctx)
		case "latency":
			err = b.latency(ctx)
		case "bulk":
			err = b.bulk(ctx)
		case "tls":
			err = b.secure(ctx)
		default:
			err = fmt.Errorf("part %q is not known", part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
