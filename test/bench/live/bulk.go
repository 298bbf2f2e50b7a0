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
	speed := map[string][]float64{}
	watched := chosen("BNE")
	for round := range b.rounds {
		for _, v := range append(chosen("A"), watched...) {
			for _, way := range []string{"download", "upload"} {
				perSec, s, err := b.transfer(ctx, v, round, way, file, addr)
				if err != nil {
					return err
				}
				speed[v.letter+way] = append(speed[v.letter+way], perSec)
				fmt.Fprintf(os.Stderr, "%d %s %s %.0f MB/s, lost %d\n", round, v.letter, way, perSec/1e6, s.lost())
			}
		}
	}
	fmt.Fprintf(os.Stdout, "\n| %d MB | MB/s | × A |\n| --- | --- | --- |\n", b.options.bulk>>20)
	for _, way := range []string{"download", "upload"} {
		fmt.Fprintf(os.Stdout, "| %s, nobody watches | %.0f | 1.00 |\n", way, median(speed["A"+way])/1e6)
		for _, v := range watched {
			var ratio []float64
			for i, with := range speed[v.letter+way] {
				ratio = append(ratio, with/speed["A"+way][i])
			}
			fmt.Fprintf(os.Stdout, "| %s, %s | %.0f | %.3f |\n", way, v.name, median(speed[v.letter+way])/1e6, median(ratio))
		}
	}
	return nil
}

// transfer gives the bytes per second of one transfer.
func (b *bench) transfer(ctx context.Context, v variant, round int, way, file, sink string) (perSec float64, s seen, err error) {
	args := []string{"-sS", "-o", "/dev/null", "-w", "%{speed_" + way + "}"}
	b.port = portOf(b.addr)
	if way == "upload" {
		b.port = portOf(sink)
		args = append(args, "-H", "Expect:", "-T", file, "http://"+sink+"/")
	} else {
		args = append(args, "http://"+b.addr+"/bulk")
	}
	defer func() { b.port = portOf(b.addr) }()
	s, err = b.watched(ctx, v, round, func() error {
		out, err := run(ctx, b.traffic, "curl", args...)
		if err != nil {
			return err
		}
		perSec, err = strconv.ParseFloat(out, 64)
		return err
	})
	return perSec, s, err
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
