// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

var longRun = flag.Int("calls", 1_000_000, "calls in BenchmarkLength's long run")

// BenchmarkLength is the CPU time of a call in a short run and in a long one, and
// what is on the heap at the end of each. Their calls are the same ones, again and
// again on the same connections.
func BenchmarkLength(b *testing.B) {
	const short = 100_000
	var first, last length
	for b.Loop() {
		first = measure(b, short)
		last = measure(b, *longRun)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(first.perCall, fmt.Sprintf("ns/call-%d", short))
	b.ReportMetric(last.perCall, fmt.Sprintf("ns/call-%d", *longRun))
	b.ReportMetric(last.perCall/first.perCall, "x-short")
	b.ReportMetric(last.tail/last.head, "x-first-tenth") // the last tenth of the long run
	b.ReportMetric(float64(first.heap)/(1<<20), "short-MiB-heap")
	b.ReportMetric(float64(last.heap)/(1<<20), "long-MiB-heap")
}

// length is what a run of some length has taken.
type length struct {
	perCall    float64 // CPU time, ns
	head, tail float64 // of the first and the last tenth of the calls
	heap       uint64  // live at the end, before the connections are closed
}

func measure(b *testing.B, calls int) (l length) {
	s := newShard()
	source := &loop{connections: 100, calls: calls}
	tenths := make([]time.Duration, 0, 11)
	source.progress = func() { tenths = append(tenths, cpu(syscall.RUSAGE_SELF)) }
	runtime.GC()
	require.NoError(b, source.Run(context.Background(), 0, s))
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	l.heap = m.HeapAlloc
	s.Handler.(*conn.Table).Shutdown(0)
	s.builder.Flush()
	require.EqualValues(b, calls, s.records.Spans.Load())
	require.Zero(b, s.records.Incomplete.Load())
	require.Len(b, tenths, 11)
	l.perCall = float64(tenths[10]-tenths[0]) / float64(calls)
	l.head, l.tail = float64(tenths[1]-tenths[0]), float64(tenths[10]-tenths[9])
	return l
}

// loop is a source of calls on keep-alive connections, without a file: the same
// bytes each time, with the sequence numbers and times that come next.
type loop struct {
	connections, calls int
	progress           func() // at the start and after each tenth
}

var _ capture.Source = (*loop)(nil)

func (*loop) Shards() int                 { return 1 }
func (*loop) Start(context.Context) error { return nil }
func (*loop) Close() error                { return nil }

// Run implements capture.Source.
func (l *loop) Run(_ context.Context, _ int, h capture.Handler) error {
	ends := make([]endpoints, l.connections)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano()
	send := func(e *endpoints, from int, flags capture.Flags, payload []byte) {
		now += int64(frameGap)
		h.Segment(e.segment(now, from, flags, payload))
	}
	for i := range ends {
		ends[i] = newEndpoints(i)
		send(&ends[i], 0, capture.SYN, nil)
		send(&ends[i], 1, capture.SYN|capture.ACK, nil)
		send(&ends[i], 0, capture.ACK, nil)
	}
	request := []byte("GET /api/v1/orders HTTP/1.1\r\nHost: orders.shop.example\r\nAccept: application/json\r\n\r\n")
	body := jsonBody(200)
	response := append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body)), body...)
	for i := range l.calls {
		if i%(l.calls/10) == 0 {
			l.progress()
		}
		e := &ends[i%l.connections]
		send(e, 0, capture.ACK|capture.PSH, request)
		send(e, 1, capture.ACK|capture.PSH, response)
		if i%1000 == 0 {
			h.Tick(now)
		}
	}
	l.progress()
	return nil
}

// endpoints is one connection: its addresses, and what each end sends next.
type endpoints struct {
	addr [2]netip.AddrPort
	seq  [2]uint32
	next capture.Segment
}

func newEndpoints(i int) endpoints {
	return endpoints{
		addr: [2]netip.AddrPort{
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, 1}), uint16(20000+i)),
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, 0, 1}), 8080),
		},
		seq: [2]uint32{uint32(i)*2654435761 + 1, uint32(i)*40503 + 77},
	}
}

func (e *endpoints) segment(now int64, from int, flags capture.Flags, payload []byte) *capture.Segment {
	e.next = capture.Segment{
		Time: now, Transport: capture.TCP, Source: e.addr[from], Destination: e.addr[1-from],
		Seq: e.seq[from], Flags: flags, Payload: payload, WireLen: len(payload),
	}
	if flags&capture.ACK != 0 {
		e.next.Ack = e.seq[1-from]
	}
	e.seq[from] += uint32(len(payload))
	if flags&(capture.SYN|capture.FIN) != 0 {
		e.seq[from]++
	}
	return &e.next
}
