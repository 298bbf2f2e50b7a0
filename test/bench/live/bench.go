// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench is nginx, with something to serve, and the groups of those who make the
// traffic and those who watch it.
type bench struct {
	options
	dir      string
	addr     string
	port     int
	nginx    *process
	traffic  *group
	watching *group
}

func newBench(o options) (_ *bench, err error) {
	b := &bench{options: o}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "wirespan-bench-"); err != nil {
		return b, fmt.Errorf("make folder: %w", err)
	}
	if b.traffic, err = newGroup("traffic"); err != nil {
		return b, err
	}
	if b.watching, err = newGroup("watching"); err != nil {
		return b, err
	}
	if b.addr, err = freeAddr(); err != nil {
		return b, err
	}
	b.port = portOf(b.addr)
	files := filepath.Join(b.dir, "files")
	if err = os.MkdirAll(files, 0o755); err != nil {
		return b, err
	}
	if err = os.WriteFile(filepath.Join(files, "orders.json"), jsonBody(o.body), 0o644); err != nil {
		return b, err
	}
	b.nginx, err = startNginx(b.traffic, b.dir, b.addr, "")
	return b, err
}

func (b *bench) close() {
	if b.nginx != nil {
		if err := b.nginx.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	for _, g := range []*group{b.traffic, b.watching} {
		if g != nil {
			g.close()
		}
	}
	_ = os.RemoveAll(b.dir)
}

// chosen are the variants that were asked for and can be had.
func (b *bench) chosen() []variant {
	return slices.DeleteFunc(slices.Clone(variants), func(v variant) bool {
		return b.only != "" && !strings.Contains(b.only, v.letter) || !v.available()
	})
}

// jsonBody is a list of orders of exactly n bytes.
func jsonBody(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"orders":[`)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":%d,"customer":"Jane Doe","status":"confirmed","created":"2026-01-02T03:04:05Z","total":%d.99,"items":[{"sku":"A-%04d","name":"Blue kettle","quantity":2}]},`,
			100000+i, i%300, i)
	}
	return append([]byte(b.String()[:n-2]), ']', '}')
}

// watched runs something while a variant watches, and gives what it has seen. The
// watcher gets some time to come up, and to finish what it has not read yet.
func (b *bench) watched(ctx context.Context, v variant, round int, do func() error) (seen, error) {
	p, err := v.watch(b, round)
	if err != nil {
		return seen{}, err
	}
	time.Sleep(settle)
	err = errors.Join(do(), ctx.Err())
	s, stopped := v.said(p)
	return s, errors.Join(err, stopped)
}

// settle is how long a watcher has before and after what it watches.
const settle = 500 * time.Millisecond

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	switch n := len(v); {
	case n == 0:
		return 0
	case n%2 == 0:
		return (v[n/2-1] + v[n/2]) / 2
	default:
		return v[n/2]
	}
}
