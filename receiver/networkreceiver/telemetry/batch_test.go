// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

func TestFlushByCount(t *testing.T) {
	var rec recorder
	b := New(testSettings(func(s *Settings) { s.Batch.Records = 3 }), nil, &rec, &Stats{})
	process := get().Conn.Process
	for range 7 {
		x := get()
		x.Conn.Process = process
		b.Exchange(x)
	}
	assert.Equal(t, 6, rec.spans)
	assert.Len(t, rec.traces, 2)
	assert.Len(t, rec.logs, 2)
	b.Flush()
	b.Flush()
	assert.Equal(t, 7, rec.spans)
	assert.Equal(t, 7, rec.lines)
	assert.Len(t, rec.traces, 3, "nothing empty is handed over")
	for _, td := range rec.traces {
		assert.Equal(t, 1, td.ResourceSpans().Len(), "one resource per process")
	}
}

func TestFlushByAge(t *testing.T) {
	now := start
	var rec recorder
	b := New(testSettings(func(s *Settings) { s.Now = func() int64 { return now } }), nil, &rec, &Stats{})
	b.Tick(now)
	b.Exchange(get())
	now += int64(199 * time.Millisecond)
	b.Tick(now)
	assert.Zero(t, rec.spans)
	b.Exchange(get())
	now += int64(time.Millisecond)
	b.Tick(now)
	assert.Equal(t, 2, rec.spans)
	assert.Equal(t, 2, rec.lines)
}

// TestClockSetBack sets the system's clock back while a batch waits: it must not
// wait until the clock is there again.
func TestClockSetBack(t *testing.T) {
	now := start
	var rec recorder
	b := New(testSettings(func(s *Settings) { s.Now = func() int64 { return now } }), nil, &rec, &Stats{})
	b.Exchange(get())
	now -= int64(time.Hour)
	b.Tick(start + int64(50*time.Millisecond))
	assert.Equal(t, 1, rec.spans)
	assert.Equal(t, 1, rec.lines)
}

// TestTimestampsFollowTheClock sets the system's clock: timestamps follow, and
// durations stay.
func TestTimestampsFollowTheClock(t *testing.T) {
	for _, step := range []time.Duration{0, time.Hour, -time.Hour} {
		x := get()
		first, last := x.Request.First.Time, x.Response.Last.Time
		got := build(t, x, func(s *Settings) { s.ClockStep = func() int64 { return int64(step) } })
		assert.EqualValues(t, first+int64(step), got.span.StartTimestamp())
		assert.EqualValues(t, last+int64(step), got.span.EndTimestamp())
		assert.EqualValues(t, first+int64(step), got.log.Timestamp())
		assert.Equal(t, last-first, got.attrs[semconv.TimeLastResponseByte])
	}
}

// TestClasses sorts calls by how much they matter.
func TestClasses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*pair.Exchange)
		want   Class
	}{
		"ordinary":      {func(*pair.Exchange) {}, Ordinary},
		"failed":        {func(x *pair.Exchange) { x.Response, x.Missing = nil, "rst" }, Urgent},
		"nearly slow":   {func(x *pair.Exchange) { x.Response.Last.Time = x.Request.First.Time + int64(time.Second) - 1 }, Ordinary},
		"slow":          {func(x *pair.Exchange) { x.Response.Last.Time = x.Request.First.Time + int64(time.Second) }, Urgent},
		"seen in parts": {func(x *pair.Exchange) { x.Response, x.Missing = nil, "gap" }, Ordinary},
	} {
		t.Run(name, func(t *testing.T) {
			for _, slow := range []time.Duration{time.Second, 0} {
				var got classes
				b := New(testSettings(func(s *Settings) { s.SlowCall = slow }), nil, &got, &Stats{})
				x := get()
				tt.change(x)
				b.Exchange(x)
				b.Exchange(get())
				b.Flush()
				want := classes{}
				if slow > 0 {
					want[tt.want] += 2
				} else {
					want[Ordinary] += 2
				}
				want[Ordinary] += 2
				assert.Equal(t, want, got)
			}
		})
	}
}

// classes counts records of either signal by class.
type classes [Classes]int

func (c *classes) Traces(class Class, td ptrace.Traces, _ int) { c[class] += td.SpanCount() }
func (c *classes) Logs(class Class, ld plog.Logs, _ int)       { c[class] += ld.LogRecordCount() }

// TestBatchesStayBelowTheirSize fills batches with bodies of all sizes.
func TestBatchesStayBelowTheirSize(t *testing.T) {
	const limit, most = 1 << 20, 4 << 20
	var rec recorder
	b := New(testSettings(func(s *Settings) { s.Batch.Records = 1 << 30; s.Payload.Preview = 32 << 10 }), nil, &rec, &Stats{})
	for i := range 60 {
		x := get()
		process := *x.Conn.Process
		if i%3 == 0 {
			x.Conn.Process = &process
		}
		x.Request.Content.Body = []byte(strings.Repeat("x", (i*137_000)%(2<<20)))
		x.Response.Content.Body = x.Request.Content.Body
		b.Exchange(x)
	}
	b.Flush()
	require.Equal(t, 60, rec.lines)
	n := 0
	for _, ld := range rec.logs {
		size := (&plog.ProtoMarshaler{}).LogsSize(ld)
		assert.Less(t, size, most)
		if ld.LogRecordCount() > 1 {
			assert.Less(t, size, limit+limit/16)
		}
		n += ld.LogRecordCount()
	}
	require.Equal(t, 60, n)
	for _, td := range rec.traces {
		assert.Less(t, (&ptrace.ProtoMarshaler{}).TracesSize(td), limit+limit/16)
	}
	assert.Greater(t, len(rec.traces), 1)
}

func TestSignalsAlone(t *testing.T) {
	var rec recorder
	b := New(testSettings(func(s *Settings) { s.Traces = false }), nil, &rec, &Stats{})
	b.Exchange(get())
	b.Flush()
	assert.Zero(t, rec.spans)
	assert.Equal(t, 1, rec.lines)

	rec = recorder{}
	b = New(testSettings(func(s *Settings) { s.Logs = false }), nil, &rec, &Stats{})
	b.Exchange(get())
	b.Flush()
	assert.Equal(t, 1, rec.spans)
	assert.Zero(t, rec.lines)
}

func TestOneResourcePerProcess(t *testing.T) {
	var rec recorder
	b := New(testSettings(), nil, &rec, &Stats{})
	other, unknown := get(), get()
	other.Conn.Process = &capture.Process{PID: 5, Name: "other"}
	unknown.Conn.Process = nil
	first := get()
	again := get()
	again.Conn.Process = first.Conn.Process
	b.Exchange(first)
	b.Exchange(other)
	b.Exchange(unknown)
	b.Exchange(again)
	b.Flush()
	resources := rec.traces[0].ResourceSpans()
	require.Equal(t, 3, resources.Len())
	assert.Equal(t, 2, resources.At(0).ScopeSpans().At(0).Spans().Len())
	assert.Equal(t, SchemaURL, resources.At(0).SchemaUrl())
	assert.Equal(t, SchemaURL, resources.At(0).ScopeSpans().At(0).SchemaUrl())
	assert.Equal(t, map[string]any{semconv.HostName: "node-1", semconv.TelemetryDistroName: "wirespan", semconv.TelemetryDistroVersion: "1.2.3"}, resources.At(2).Resource().Attributes().AsRaw())
}
