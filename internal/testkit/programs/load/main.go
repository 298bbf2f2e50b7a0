// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command load sends what its flags say, writes what became of each request to
// the file -log, and says how long it took on the standard output.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/wirespan/wirespan/internal/testkit/load"
)

func main() {
	var plan load.Plan
	plan.Flags(flag.CommandLine)
	path := flag.String("log", "", "file for what became of each request")
	step := flag.Bool("step", false, "say \"paused\" and wait for a line on the standard input before the load, and after it")
	flag.Parse()

	if *step {
		lines := bufio.NewScanner(os.Stdin)
		plan.Pause = func() {
			fmt.Fprintln(os.Stdout, "paused")
			lines.Scan()
		}
	}
	calls, err := load.Run(plan)
	if err != nil {
		log.Print(err)
	}
	if *path != "" {
		if err := load.Write(*path, calls); err != nil {
			log.Fatal(err)
		}
	}
	report(calls)
	if err != nil {
		os.Exit(1)
	}
}

func report(calls []load.Call) {
	sorted := load.Latencies(calls)
	fmt.Fprintf(os.Stdout, "sent %d, answered %d", len(calls), len(sorted))
	for _, q := range []float64{.5, .9, .99, .999, 1} {
		fmt.Fprintf(os.Stdout, ", p%g %s", 100*q, load.Quantile(sorted, q).Round(time.Microsecond))
	}
	fmt.Fprintln(os.Stdout)
}
