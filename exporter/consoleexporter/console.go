// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/term"
)

// flushAt is how much is rendered before it is written.
const flushAt = 64 << 10

// console is one configured exporter. Both signals share it.
type console struct {
	cfg *Config
	out io.Writer
	// hasLogs is set where log records are connected. They carry the whole
	// payload, so spans of the same calls are not printed as well.
	hasLogs atomic.Bool

	mu    sync.Mutex // guards what follows and the order of writes
	page  page
	hold  hold
	timer *time.Timer // nil while nothing is held
	met   bool        // has greeted
	err   error       // of a write outside of a push, for the next one
}

func newConsole(cfg *Config, out io.Writer) *console {
	return &console{
		cfg:  cfg,
		out:  out,
		page: page{color: wantColor(cfg.Color, out)},
		hold: hold{wait: cfg.WaitDuration},
	}
}

func outputOf(cfg *Config) io.Writer {
	if cfg.Output == OutputStderr {
		return os.Stderr
	}
	return os.Stdout
}

// wantColor follows https://no-color.org.
func wantColor(choice string, out io.Writer) bool {
	switch choice {
	case ColorAlways:
		return true
	case ColorNever:
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(out)
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// greet tells who sits at a terminal what will happen there, once.
func (c *console) greet() {
	if !isTerminal(c.out) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.met {
		c.met = true
		c.page.in(dim, func() { c.page.own("Calls are shown here when they are over. Ctrl-C ends.") })
		c.page.own("\n\n")
		_ = c.flush() // if it fails, so does the first call
	}
}

func (c *console) pushTraces(_ context.Context, td ptrace.Traces) error {
	if c.hasLogs.Load() {
		return nil
	}
	return c.push(func(take func(entry) error) error {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					if err := take(entryOfSpan(rs.Resource(), span, c.cfg.MaxBody)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

func (c *console) pushLogs(_ context.Context, ld plog.Logs) error {
	return c.push(func(take func(entry) error) error {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, record := range sl.LogRecords().All() {
					if err := take(entryOfRecord(rl.Resource(), record, c.cfg.MaxBody)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// push takes the entries of a batch.
func (c *console) push(each func(take func(entry) error) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	err := each(func(x entry) error { return c.take(&x, now) })
	if err == nil {
		err = c.hold.release(now, c.print)
	}
	if err == nil {
		err = c.flush()
	}
	c.schedule(now)
	if err == nil {
		err, c.err = c.err, nil
	}
	return err
}

func (c *console) take(x *entry, now time.Time) error {
	if !c.wants(x.side) {
		return nil
	}
	if c.cfg.Sides != SidesMerged {
		x.match = ""
	}
	if c.cfg.WaitDuration == 0 {
		return c.print(x)
	}
	c.hold.add(x, now)
	if c.hold.full() {
		return c.hold.release(now, c.print)
	}
	return nil
}

// schedule makes sure that what is held will be printed.
func (c *console) schedule(now time.Time) {
	if c.timer != nil {
		return
	}
	if d, ok := c.hold.next(now); ok {
		c.timer = time.AfterFunc(d, c.tick)
	}
}

// tick prints what has waited for long enough.
func (c *console) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = nil
	now := time.Now()
	err := c.hold.release(now, c.print)
	if err == nil {
		err = c.flush()
	}
	if err != nil {
		c.err = err
	}
	c.schedule(now)
}

// close prints everything that is held. What comes afterwards is printed as well.
func (c *console) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if err := c.hold.releaseAll(c.print); err != nil {
		return err
	}
	return c.flush()
}

func (c *console) print(x *entry) error {
	if c.cfg.Format == FormatLine {
		c.page.line(x, c.cfg.Sides == SidesBoth)
	} else {
		c.page.detail(x, c.cfg.Headers, c.cfg.MaxBody)
	}
	if len(c.page.b) < flushAt {
		return nil
	}
	return c.flush()
}

// wants lets records of neither side pass: what does not say its side is not
// left out by a choice between sides.
func (c *console) wants(s side) bool {
	switch c.cfg.Sides {
	case SidesClient:
		return s != serverSide
	case SidesServer:
		return s != clientSide
	}
	return true
}

// flush empties the page also when the write fails: part of it may be on the
// terminal, and printing a call twice is worse than not printing it.
func (c *console) flush() error {
	if len(c.page.b) == 0 {
		return nil
	}
	_, err := c.out.Write(c.page.b)
	c.page.b = c.page.b[:0]
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("write calls: %w", err))
	}
	return nil
}
