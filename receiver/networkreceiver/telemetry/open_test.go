// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// openRecord is the only record that says that a call is open.
func openRecord(t *testing.T, x *pair.Exchange, now int64, change ...func(*Settings)) (plog.LogRecord, *recorder) {
	t.Helper()
	var rec recorder
	b := New(testSettings(change...), budget.New(1<<20), &rec, &Stats{})
	b.Open(x, now)
	b.Flush()
	require.Equal(t, 1, rec.lines)
	return rec.logs[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), &rec
}

func TestOpen(t *testing.T) {
	whole := build(t, get())
	x := get()
	x.Response.Size, x.Response.Content.BodySize = 150, 7
	record, rec := openRecord(t, x, start+12e9)
	assert.Equal(t, "wirespan.call.open", record.EventName())
	assert.Equal(t, whole.span.TraceID(), record.TraceID())
	assert.Equal(t, whole.span.SpanID(), record.SpanID())
	assert.Equal(t, start+12e9, record.Timestamp().AsTime().UnixNano())
	assert.Empty(t, record.Body().AsRaw())
	assert.Zero(t, rec.spans)
	got := record.Attributes().AsRaw()
	for key, want := range map[string]any{
		"wirespan.side": "client", "wirespan.time.elapsed": int64(12e9), "http.request.method": "POST", "url.full": "http://shop.example/cart?id=1",
		"http.response.status_code": int64(200), "wirespan.time.first_response_byte": int64(2e6), "wirespan.request.size": int64(100),
		"wirespan.request.body.size": int64(10), "wirespan.response.size": int64(150), "wirespan.response.body.size": int64(7),
		"network.peer.address": "10.0.0.2", "network.protocol.name": "http",
	} {
		assert.Equal(t, want, got[key], key)
	}
	for _, key := range []string{"wirespan.time.last_response_byte", "wirespan.incomplete", "wirespan.missing.side", "error.type"} {
		assert.NotContains(t, got, key)
	}
	assert.Equal(t, 10, x.Request.Reserved, "it is lent")
}

func TestOpenWithoutResponse(t *testing.T) {
	x := get()
	x.Response = nil
	record, _ := openRecord(t, fromServer(x), start+10e9)
	got := record.Attributes().AsRaw()
	assert.Equal(t, "server", got["wirespan.side"])
	assert.Equal(t, build(t, fromServer(get())).span.SpanID(), record.SpanID())
	assert.NotContains(t, got, "wirespan.response.size")
	assert.NotContains(t, got, "wirespan.time.first_response_byte")
}

func TestOpenIsUrgentIfSlow(t *testing.T) {
	for slow, want := range map[time.Duration]Class{time.Second: Urgent, time.Minute: Ordinary, 0: Ordinary} {
		var class Class
		b := New(testSettings(func(s *Settings) { s.SlowCall = slow }), nil, &classLog{logs: &class}, &Stats{})
		b.Open(get(), start+10e9)
		b.Flush()
		assert.Equal(t, want, class, slow)
	}
}

// classLog notes the class of the last batch of logs.
type classLog struct {
	recorder
	logs *Class
}

func (c *classLog) Logs(class Class, _ plog.Logs, _ int) { *c.logs = class }

func TestOpenWithoutLogs(t *testing.T) {
	var rec recorder
	b := New(testSettings(func(s *Settings) { s.Logs = false }), nil, &rec, &Stats{})
	b.Open(get(), start+10e9)
	b.Flush()
	assert.Zero(t, rec.lines)
}

// When the time is up, what comes is counted, and lets go of its memory.
func TestAbandoned(t *testing.T) {
	var rec recorder
	var stats Stats
	over := false
	memory := budget.New(1 << 20)
	b := New(testSettings(func(s *Settings) { s.Abandoned = func() bool { return over } }), memory, &rec, &stats)
	b.Exchange(get())
	over = true
	x := get()
	x.Conn.Memory = memory.Account()
	require.True(t, x.Conn.Memory.Take(x.Request.Reserved+x.Response.Reserved))
	b.Exchange(x)
	b.Open(get(), start+12e9)
	b.Flush()
	assert.Equal(t, 1, rec.spans)
	assert.Equal(t, 1, rec.lines)
	assert.EqualValues(t, 1, stats.Abandoned.Load())
	assert.EqualValues(t, 2, stats.Exchanges.Load())
	assert.Zero(t, memory.Used())
}
