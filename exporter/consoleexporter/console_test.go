// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
)

var update = flag.Bool("update", false, "write the golden files")

func init() {
	time.Local = time.UTC // golden files show times of day
	os.Unsetenv("NO_COLOR")
}

func printed(t *testing.T, change func(*Config), ld plog.Logs) string {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	change(cfg)
	var out bytes.Buffer
	c := newConsole(cfg, &out)
	require.NoError(t, c.pushLogs(t.Context(), ld))
	require.NoError(t, c.close())
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestGolden(t *testing.T) {
	tests := map[string]struct {
		side   side
		change func(*Config)
	}{
		"detail_client.txt": {clientSide, func(*Config) {}},
		"detail_server.txt": {serverSide, func(*Config) {}},
		"detail_color.txt":  {clientSide, func(c *Config) { c.Color = ColorAlways }},
		"detail_merged.txt": {bothSides, func(*Config) {}},
		"line_merged.txt":   {bothSides, func(c *Config) { c.Format = FormatLine }},
		"line_both.txt":     {bothSides, func(c *Config) { c.Format, c.Sides = FormatLine, SidesBoth }},
		"detail_brief.txt":  {clientSide, func(c *Config) { c.Headers, c.MaxBody = false, 17 }},
		"line_client.txt":   {clientSide, func(c *Config) { c.Format = FormatLine }},
		"line_server.txt":   {serverSide, func(c *Config) { c.Format = FormatLine }},
		"line_color.txt":    {serverSide, func(c *Config) { c.Format, c.Color = FormatLine, ColorAlways }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ld, _ := checkout(tt.side)
			if tt.side == bothSides {
				ld, _ = bothEnds()
			}
			golden(t, name, printed(t, tt.change, ld))
		})
	}
	golden(t, "streams.txt", printed(t, func(c *Config) { c.Format = FormatLine }, streams(t)))
	golden(t, "streams_detail.txt", printed(t, func(*Config) {}, streams(t)))
}

// A span tells the same call as its log record, but for the headers.
func TestSpanAndRecordAgree(t *testing.T) {
	for _, s := range []side{clientSide, serverSide} {
		ld, td := checkout(s)
		cfg := createDefaultConfig().(*Config)
		cfg.Headers = false
		var ofRecord, ofSpan bytes.Buffer
		cfg.WaitDuration = 0
		require.NoError(t, newConsole(cfg, &ofRecord).pushLogs(t.Context(), ld))
		require.NoError(t, newConsole(cfg, &ofSpan).pushTraces(t.Context(), td))
		assert.Equal(t, ofRecord.String(), ofSpan.String())
	}
}

// Both ends of a call meet in either signal.
func TestBothEndsAreOneEntry(t *testing.T) {
	ld, td := bothEnds()
	cfg := createDefaultConfig().(*Config)
	cfg.Headers = false
	var ofRecords, ofSpans bytes.Buffer
	c := newConsole(cfg, &ofRecords)
	require.NoError(t, c.pushLogs(t.Context(), ld))
	require.NoError(t, c.close())
	c = newConsole(cfg, &ofSpans)
	require.NoError(t, c.pushTraces(t.Context(), td))
	require.NoError(t, c.close())
	assert.Equal(t, ofRecords.String(), ofSpans.String())
	assert.Equal(t, 1, strings.Count(ofRecords.String(), "API: "))
	assert.Contains(t, ofRecords.String(), ", both ends\n")
}

func TestSides(t *testing.T) {
	client, _ := checkout(clientSide)
	server, _ := checkout(serverSide)
	tests := []struct {
		sides          string
		client, server bool
	}{
		{SidesMerged, true, true},
		{SidesBoth, true, true},
		{SidesClient, true, false},
		{SidesServer, false, true},
	}
	for _, tt := range tests {
		change := func(c *Config) { c.Sides = tt.sides }
		assert.Equal(t, tt.client, printed(t, change, client) != "", tt.sides)
		assert.Equal(t, tt.server, printed(t, change, server) != "", tt.sides)
	}
}

func TestColorOnlyOnATerminal(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(r.Close(), w.Close())) })

	assert.False(t, wantColor(ColorAuto, w), "a pipe is no terminal")
	assert.False(t, wantColor(ColorAuto, &bytes.Buffer{}))
	assert.True(t, wantColor(ColorAlways, w))
	assert.False(t, wantColor(ColorNever, w))

	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, terminal.Close()) })
	t.Setenv("TERM", "xterm")
	assert.True(t, wantColor(ColorAuto, terminal))
	t.Setenv("TERM", "dumb")
	assert.False(t, wantColor(ColorAuto, terminal))
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	assert.False(t, wantColor(ColorAuto, terminal))
}

// Only who sits at a terminal is greeted, and once.
func TestGreeting(t *testing.T) {
	var out bytes.Buffer
	c := newConsole(createDefaultConfig().(*Config), &out)
	c.greet()
	assert.Empty(t, out.String())

	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, terminal.Close()) })
	c = newConsole(createDefaultConfig().(*Config), terminal)
	c.greet()
	c.greet()
	assert.True(t, c.met)
	assert.Empty(t, c.page.b)
}

func TestBatchesArePrintedWhole(t *testing.T) {
	ld := plog.NewLogs()
	for range 2000 { // several times flushAt
		one, _ := checkout(clientSide)
		one.ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	}
	got := printed(t, func(*Config) {}, ld)
	assert.Equal(t, 2000, bytes.Count([]byte(got), []byte("POST /api/v1/checkout\n")))
}

type brokenTerminal struct{ writes int }

func (b *brokenTerminal) Write([]byte) (int, error) {
	b.writes++
	return 0, os.ErrClosed
}

// What a broken terminal did not take is not offered again.
func TestWriteErrorIsPermanent(t *testing.T) {
	out := &brokenTerminal{}
	cfg := createDefaultConfig().(*Config)
	cfg.WaitDuration = 0
	c := newConsole(cfg, out)
	ld, _ := checkout(clientSide)
	err := c.pushLogs(t.Context(), ld)
	require.ErrorIs(t, err, os.ErrClosed)
	assert.True(t, consumererror.IsPermanent(err))
	assert.Empty(t, c.page.b)
	require.NoError(t, c.pushLogs(t.Context(), plog.NewLogs()))
	assert.Equal(t, 1, out.writes)
}
