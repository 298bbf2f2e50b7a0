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

	mu   sync.Mutex // guards page and the order of writes
	page page
}

func newConsole(cfg *Config, out io.Writer) *console {
	return &console{cfg: cfg, out: out, page: page{colour: wantColour(cfg.Colour, out)}}
}

func outputOf(cfg *Config) io.Writer {
	if cfg.Output == OutputStderr {
		return os.Stderr
	}
	return os.Stdout
}

// wantColour follows https://no-color.org.
func wantColour(choice string, out io.Writer) bool {
	switch choice {
	case ColourAlways:
		return true
	case ColourNever:
		return false
	}
	f, ok := out.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

func (c *console) pushTraces(_ context.Context, td ptrace.Traces) error {
	if c.hasLogs.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if err := c.print(callOfSpan(rs.Resource(), span)); err != nil {
					return err
				}
			}
		}
	}
	return c.flush()
}

func (c *console) pushLogs(_ context.Context, ld plog.Logs) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				if err := c.print(callOfRecord(rl.Resource(), record)); err != nil {
					return err
				}
			}
		}
	}
	return c.flush()
}

func (c *console) print(x call) error {
	if !c.wants(x.side) {
		return nil
	}
	if c.cfg.Format == FormatLine {
		c.page.line(&x)
	} else {
		c.page.detail(&x, c.cfg.Headers, c.cfg.MaxBody)
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
