// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"context"
	"fmt"
	"net/netip"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadatatest"
)

// stressSlack is for what the budget does not see and does not grow: spare buffers and
// the caches of stage 5.
const stressSlack = 2 << 20

// stress is a receiver whose live segments a test makes, in a time of its own.
type stress struct {
	t       *testing.T
	tel     *componenttest.Telemetry
	run     *networkReceiver
	handler capture.Handler
	next    sieve
	now     int64
	ticked  int64
	sockets uint64
	idle    uint64 // heap before
	peak    uint64 // of the heap, besides that
}

// sieve is a consumer that keeps nothing but the log records of ordinary calls.
type sieve struct {
	stuck atomic.Pointer[chan struct{}] // not nil: takes nothing until it is closed
	mu    sync.Mutex
	calls map[string]string // response bodies by path
}

// handlerSource hands the handler of its one shard over.
type handlerSource struct{ handlers chan capture.Handler }

func (*handlerSource) Shards() int                 { return 1 }
func (*handlerSource) Start(context.Context) error { return nil }
func (*handlerSource) Close() error                { return nil }
func (s *handlerSource) Run(ctx context.Context, _ int, h capture.Handler) error {
	s.handlers <- h
	<-ctx.Done()
	return nil
}

func newStress(t *testing.T) *stress {
	t.Helper()
	s := &stress{t: t, tel: componenttest.NewTelemetry(), now: 1_700_000_000e9}
	t.Cleanup(func() { require.NoError(t, s.tel.Shutdown(context.Background())) })
	s.next.calls = map[string]string{}
	traces, err := consumer.NewTraces(s.next.traces)
	require.NoError(t, err)
	logs, err := consumer.NewLogs(s.next.logs)
	require.NoError(t, err)
	src := &handlerSource{make(chan capture.Handler, 1)}
	cfg := NewDefaultConfig()
	cfg.Memory.Limit = stressLimit
	s.run = &networkReceiver{
		cfg: cfg, set: metadatatest.NewSettings(s.tel), dissectors: registry.All(),
		newSource:  func(*Config, receiver.Settings) (source, error) { return source{Source: src}, nil },
		nextTraces: traces, nextLogs: logs,
	}
	require.NoError(t, s.run.Start(t.Context(), componenttest.NewNopHost(), func(*componentstatus.Event) {}))
	s.handler = <-src.handlers
	s.call("before")
	s.idle = heap()
	return s
}

// heap is what is in use after garbage collection, twice because of pools.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// measure compares what the receiver holds with its limit.
func (s *stress) measure() {
	s.t.Helper()
	held := heap()
	held -= min(held, s.idle)
	s.peak = max(s.peak, held)
	used := s.value("memory_used", "")
	assert.LessOrEqual(s.t, used, int64(stressLimit))
	assert.LessOrEqual(s.t, held, uint64(stressLimit*11/10+stressSlack), "the heap, of which %d are in the budget", used)
}

// value is the sum of a metric's series that have a label's value.
func (s *stress) value(metric, label string) (sum int64) {
	s.t.Helper()
	m, err := s.tel.GetMetric("otelcol_receiver_network_" + metric)
	require.NoError(s.t, err)
	var points []metricdata.DataPoint[int64]
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		points = data.DataPoints
	case metricdata.Gauge[int64]:
		points = data.DataPoints
	}
	for _, p := range points {
		has := label == ""
		for _, kv := range p.Attributes.ToSlice() {
			has = has || kv.Value.AsString() == label
		}
		if has {
			sum += p.Value
		}
	}
	return sum
}

// pass lets time pass.
func (s *stress) pass(ns int64) {
	const tick = 100e6
	for end := s.now + ns; s.now < end; {
		s.now = min(s.now+tick, end)
		s.tick()
	}
}

func (s *stress) tick() {
	s.ticked = s.now
	s.handler.Tick(s.now)
}

// link is one connection of this machine.
type link struct {
	*stress
	seg capture.Segment
	seq [2]uint32
	at  [2]netip.AddrPort // local, remote
}

// link makes a connection with addresses of its own.
func (s *stress) link() *link {
	s.sockets++
	n := s.sockets
	return &link{
		stress: s,
		seg:    capture.Segment{Socket: n, NetNS: 1, Transport: capture.TCP},
		seq:    [2]uint32{1000, 2000},
		at: [2]netip.AddrPort{
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 24), byte(n >> 16)}), uint16(1024+n%60000)),
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(n >> 16), byte(n >> 8)}), 80),
		},
	}
}

// emit captures one segment of a direction.
func (l *link) emit(d conn.Dir, flags capture.Flags, payload []byte) {
	l.now += 1000
	if l.now-l.ticked > 100e6 {
		l.tick()
	}
	seg := l.seg
	seg.Time, seg.Flags, seg.Payload, seg.WireLen = l.now, flags, payload, len(payload)
	seg.Seq, seg.Ack = l.seq[d], l.seq[d.Other()]
	seg.Source, seg.Destination, seg.Direction = l.at[d], l.at[d.Other()], capture.Egress
	if d == conn.In {
		seg.Direction = capture.Ingress
	}
	l.seq[d] += uint32(len(payload))
	if flags&(capture.SYN|capture.FIN) != 0 {
		l.seq[d]++
	}
	l.handler.Segment(&seg)
}

func (l *link) open() *link {
	l.emit(conn.Out, capture.SYN, nil)
	l.emit(conn.In, capture.SYN|capture.ACK, nil)
	l.emit(conn.Out, capture.ACK, nil)
	return l
}

func (l *link) send(d conn.Dir, payload []byte) { l.emit(d, capture.ACK|capture.PSH, payload) }

func (l *link) close() {
	l.emit(conn.Out, capture.ACK|capture.FIN, nil)
	l.emit(conn.In, capture.ACK|capture.FIN, nil)
}

// call makes an ordinary call, and requires that all of it is captured.
func (s *stress) call(name string) {
	s.t.Helper()
	body := strings.Repeat("all of "+name+" ", 100)
	l := s.link().open()
	l.send(conn.Out, fmt.Appendf(nil, "POST /%s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", name))
	l.send(conn.In, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", len(body)))
	l.send(conn.In, []byte(body))
	l.close()
	require.Eventually(s.t, func() bool {
		s.pass(100e6)
		return s.next.body(name) == body
	}, 5*time.Second, 5*time.Millisecond, "the call is not captured completely: %q", s.next.body(name))
}

// end requires that with time all of it is let go of.
func (s *stress) end() {
	s.t.Helper()
	s.pass(int64(2 * s.run.cfg.Connections.IdleTimeout))
	s.pass(3700e9) // and routes
	assert.Eventually(s.t, func() bool { s.pass(100e6); return s.value("memory_used", "") < 4<<10 }, 5*time.Second, 5*time.Millisecond)
	assert.Zero(s.t, s.value("tracked_connections", ""))
	held := heap()
	assert.Less(s.t, held-min(held, s.idle), uint64(stressSlack), "heap when all is over")
	require.NoError(s.t, s.run.Shutdown(s.t.Context()))
	s.t.Logf("at most %.1f MiB of heap with a limit of %d MiB", float64(s.peak)/(1<<20), stressLimit>>20)
}

func (c *sieve) wait(ctx context.Context) error {
	if stuck := c.stuck.Load(); stuck != nil {
		select {
		case <-*stuck:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *sieve) traces(ctx context.Context, _ ptrace.Traces) error { return c.wait(ctx) }

func (c *sieve) logs(ctx context.Context, ld plog.Logs) error {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				c.note(record)
			}
		}
	}
	return c.wait(ctx)
}

func (c *sieve) note(record plog.LogRecord) {
	url, ok := record.Attributes().Get("url.full")
	_, incomplete := record.Attributes().Get("wirespan.incomplete")
	if !ok || incomplete || record.Body().Type() != pcommon.ValueTypeMap {
		return
	}
	response, ok := record.Body().Map().Get("response")
	if !ok {
		return
	}
	body, ok := response.Map().Get("body")
	if !ok || !strings.HasPrefix(body.Str(), "all of ") {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[path.Base(url.Str())] = strings.Clone(body.Str())
}

func (c *sieve) body(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[name]
}

func (c *sieve) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.calls)
}
