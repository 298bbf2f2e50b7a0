// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// bulk measures a large download and a large upload with and without Wirespan.
func (b *bench) bulk(ctx context.Context) error {
	file := filepath.Join(b.dir, "files", "bulk")
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("create bulk file: %w", err)
	}
	if err := f.Truncate(b.options.bulk); err != nil {
		return fmt.Errorf("grow bulk file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close bulk file: %w", err)
	}
	stop, addr, err := b.startSink()
	if err != nil {
		return err
	}
	defer stop()
	done := map[string][]bulkSample{}
	var watched []variant
	for _, v := range b.chosen() {
		if strings.Contains("BNE", v.letter) {
			watched = append(watched, v)
		}
	}
	for round := range b.rounds {
		for _, v := range append(chosen("A"), watched...) {
			for _, way := range []string{"download", "upload"} {
				s, err := b.transfer(ctx, v, round, way, file, addr)
				if err != nil {
					return err
				}
				done[v.letter+way] = append(done[v.letter+way], s)
				fmt.Fprintf(os.Stderr, "%d %s %s %.0f MB/s, CPU %d ms, in the watcher %d, records %d, lost %d\n", round, v.letter, way, s.perSec/1e6,
					s.cpu.Milliseconds(), s.watcher.Milliseconds(), s.Metrics["packets{}"], s.lost())
			}
		}
	}
	fmt.Fprintf(os.Stdout, "\n| %d MB | MB/s | × A | CPU of traffic and watcher, ms | × A | of it in the watcher |\n| --- | --- | --- | --- | --- | --- |\n", b.options.bulk>>20)
	for _, way := range []string{"download", "upload"} {
		for _, v := range append(chosen("A"), watched...) {
			var speed, faster, cpu, costlier, watcher []float64
			for i, s := range done[v.letter+way] {
				base := done["A"+way][i]
				speed, faster = append(speed, s.perSec), append(faster, s.perSec/base.perSec)
				cpu, costlier = append(cpu, float64(s.cpu.Milliseconds())), append(costlier, s.cpu.Seconds()/base.cpu.Seconds())
				watcher = append(watcher, float64(s.watcher.Milliseconds()))
			}
			fmt.Fprintf(os.Stdout, "| %s, %s | %.0f | %.3f | %.0f | %.3f | %.0f |\n", way, v.name, median(speed)/1e6, median(faster), median(cpu), median(costlier), median(watcher))
		}
	}
	return nil
}

// bulkSample is one transfer.
type bulkSample struct {
	seen
	perSec  float64       // bytes
	cpu     time.Duration // of the traffic and the watcher, with the kernel's work for them
	watcher time.Duration // of it in the watcher
}

// transfer makes one transfer.
func (b *bench) transfer(ctx context.Context, v variant, round int, way, file, sink string) (s bulkSample, err error) {
	args := []string{"-sS", "-o", "/dev/null", "-w", "%{speed_" + way + "}"}
	b.port = portOf(b.addr)
	if way == "upload" {
		b.port = portOf(sink)
		args = append(args, "-H", "Expect:", "-T", file, "http://"+sink+"/")
	} else {
		args = append(args, "http://"+b.addr+"/bulk")
	}
	defer func() { b.port = portOf(b.addr) }()
	s.seen, err = b.watched(ctx, v, round, func() error {
		// What a watcher does when a program runs for the first time is no part of a transfer.
		if _, err := run(ctx, b.traffic, "curl", "-sS", "-o", "/dev/null", "-r", "0-0", "http://"+b.addr+"/bulk"); err != nil {
			return err
		}
		time.Sleep(2 * settle)
		before, err := b.usage()
		if err != nil {
			return err
		}
		out, err := run(ctx, b.traffic, "curl", args...)
		if err != nil {
			return err
		}
		time.Sleep(settle)
		after, err := b.usage()
		if err != nil {
			return err
		}
		s.watcher = after.watching - before.watching
		s.cpu = after.traffic - before.traffic + s.watcher
		s.perSec, err = strconv.ParseFloat(out, 64)
		return err
	})
	return s, err
}

// startSink starts a server that takes uploads and does nothing with them.
func (b *bench) startSink() (stop func(), addr string, err error) {
	if addr, err = freeAddr(); err != nil {
		return nil, "", err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", fmt.Errorf("find own program: %w", err)
	}
	p, err := start(b.traffic, nil, self, "sink", addr)
	if err != nil {
		return nil, "", err
	}
	if err := p.await(ready, 5*time.Second); err != nil {
		return nil, "", err
	}
	return func() {
		if err := p.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}, addr, nil
}

// sink is the server that startSink starts.
func sink(args []string) error {
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.CopyBuffer(io.Discard, r.Body, make([]byte, 256<<10))
		if err == nil {
			_, _ = fmt.Fprintln(w, n)
		}
	})}
	go func() { _ = server.Serve(l) }()
	untilStopped()
	return server.Close()
}
