// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"context"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

// plant is a receiver without its life cycle: from one shard's segments to what
// the next components get.
type plant struct {
	t        *testing.T
	receiver *networkReceiver
	memory   *budget.Budget
	shard    *shardPipeline

	spans, records atomic.Uint64 // that the next components got
	excess         atomic.Int64  // of the largest batch, in bytes
	segments       uint64
}

// maxRecord is far above what one record can take with the limits of hostileConfig.
const maxRecord = 256 << 10

// hostileConfig has limits that small inputs reach.
func hostileConfig() *Config {
	cfg := NewDefaultConfig()
	cfg.Memory.Limit = 1 << 20
	cfg.Connections.Max, cfg.Connections.HeldBytes, cfg.Connections.HeldSegments = 8, 8<<10, 8
	for _, p := range []*ProtocolConfig{cfg.Protocols["http"], cfg.Protocols["http2"], cfg.Protocols["dns"]} {
		p.MaxHeaderBytes, p.MaxBodyBytes, p.MaxOutstanding = 4<<10, 2<<10, 4
	}
	cfg.Batch.MaxRecords, cfg.Queue.Batches = 20, 2
	return cfg
}

// limitlessConfig has the highest limits that are accepted, but for memory.
func limitlessConfig() *Config {
	cfg := NewDefaultConfig()
	cfg.Memory.Limit = 1 << 20
	cfg.Connections = ConnectionsConfig{Max: math.MaxInt, IdleTimeout: math.MaxInt64, HeldBytes: math.MaxInt64, HeldSegments: math.MaxInt}
	for _, p := range []*ProtocolConfig{cfg.Protocols["http"], cfg.Protocols["http2"], cfg.Protocols["dns"]} {
		p.MaxHeaderBytes, p.MaxBodyBytes, p.MaxOutstanding, p.ResponseTimeout = math.MaxInt64, math.MaxInt64, math.MaxInt, math.MaxInt64
	}
	cfg.Payload.SpanPreview = math.MaxInt64
	cfg.Batch = BatchConfig{Timeout: math.MaxInt64, MaxRecords: math.MaxInt, MaxBytes: math.MaxInt64}
	cfg.Queue.Batches = math.MaxInt
	return cfg
}

func newPlant(t *testing.T, src source, cfg *Config) *plant {
	t.Helper()
	p := &plant{t: t}
	traces, err := consumer.NewTraces(func(_ context.Context, batch ptrace.Traces) error {
		p.spans.Add(uint64(batch.SpanCount()))
		p.measure((&ptrace.ProtoMarshaler{}).TracesSize(batch), batch.SpanCount())
		return nil
	})
	require.NoError(t, err)
	logs, err := consumer.NewLogs(func(_ context.Context, batch plog.Logs) error {
		p.records.Add(uint64(batch.LogRecordCount()))
		p.measure((&plog.ProtoMarshaler{}).LogsSize(batch), batch.LogRecordCount())
		return nil
	})
	require.NoError(t, err)
	p.receiver = &networkReceiver{
		cfg: cfg, set: receivertest.NewNopSettings(metadata.Type), dissectors: registry.All(),
		nextTraces: traces, nextLogs: logs, source: src,
	}
	p.memory = budget.New(int64(cfg.Memory.Limit))
	require.NoError(t, p.receiver.startDeliveries(p.memory))
	p.shard = newShardPipeline(p.receiver, p.memory)
	return p
}

// measure notes by how much a batch is larger than it can be.
func (p *plant) measure(bytes, records int) {
	if p.receiver.cfg.Batch.MaxBytes == math.MaxInt64 {
		return
	}
	if excess := int64(bytes - records*maxRecord); excess > p.excess.Load() {
		p.excess.Store(excess)
	}
}

// bounded checks what must be true at any time.
func (p *plant) bounded() {
	cfg, stats := p.receiver.cfg, &p.shard.stats
	if used := p.memory.Used(); used < 0 || used > p.memory.Limit() {
		p.t.Fatalf("%d bytes of memory are taken, the limit is %d", used, p.memory.Limit())
	}
	if open := stats.conn.Open.Load(); open > int64(cfg.Connections.Max) {
		p.t.Fatalf("%d connections are open, the limit is %d", open, cfg.Connections.Max)
	}
}

// finish checks the accounts of a pipeline that was shut down and flushed.
func (p *plant) finish() {
	p.receiver.finishDeliveries(p.t.Context())
	p.bounded()
	stats := &p.shard.stats
	require.Zero(p.t, p.memory.Used(), "memory that nobody gave back")
	require.Zero(p.t, stats.conn.Open.Load()+stats.conn.HalfOpen.Load()+stats.conn.Pending.Load(), "connections that are left")
	require.Equal(p.t, p.segments, stats.conn.Segments.Load(), "segments")
	require.Zero(p.t, stats.engine.Unreleased.Load(), "conversations kept memory")
	stats.engine.Each(func(metric, protocol, reason string, n int64) {
		if metric == "panics" || reason == "misuse" || reason == "stalled" {
			require.Zerof(p.t, n, "%s %s %s", protocol, metric, reason)
		}
	})
	exchanges := stats.pair.Paired.Load() + stats.pair.OneWay.Load() + stats.pair.RequestMissing.Load() + stats.pair.ResponseMissing.Load()
	require.Equal(p.t, exchanges, stats.telemetry.Exchanges.Load(), "exchanges")
	var dropped uint64
	p.receiver.traces.eachDrop(func(_ dropReason, _ telemetry.Class, n uint64) { dropped += n })
	require.Equal(p.t, stats.telemetry.Spans.Load(), p.spans.Load()+dropped, "spans")
	dropped = 0
	p.receiver.logs.eachDrop(func(_ dropReason, _ telemetry.Class, n uint64) { dropped += n })
	require.Equal(p.t, stats.telemetry.LogRecords.Load(), p.records.Load()+dropped, "log records")
	require.Zero(p.t, p.excess.Load(), "bytes too many in a batch")
}

// watched is a source that ends after so many segments, whatever it has to read.
type watched struct {
	capture.Source
	plant *plant
	most  uint64
}

func (w *watched) Run(ctx context.Context, shard int, h capture.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return w.Source.Run(ctx, shard, &watchedHandler{h, w, cancel})
}

type watchedHandler struct {
	capture.Handler
	*watched
	stop context.CancelFunc
}

func (w *watchedHandler) Segment(seg *capture.Segment) {
	w.plant.segments++
	w.Handler.Segment(seg)
	w.plant.bounded()
	if w.plant.segments >= w.most {
		w.stop()
	}
}

// FuzzCapture reads any bytes as a capture file, through all stages. Each frame, each
// segment and each record must be accounted for, and no limit may be passed.
func FuzzCapture(f *testing.F) {
	for _, content := range seed.Captures(f) {
		f.Add(content)
	}
	file := filepath.Join(f.TempDir(), "fuzzed.pcap")
	f.Fuzz(func(t *testing.T, content []byte) {
		require.NoError(t, os.WriteFile(file, content, 0o600))
		src := pcapSource(&PcapConfig{Files: []string{file}}, 1, zap.NewNop())
		p := newPlant(t, src, hostileConfig())
		p.receiver.source.Source = &watched{Source: src.Source, plant: p, most: 2000}
		require.NoError(t, src.Start(t.Context()))
		_ = p.shard.run(t.Context(), p.receiver.source, 0) // damage is to be expected
		require.NoError(t, src.Close())
		p.finish()

		counts := map[string]uint64{}
		src.observe(func(kind string, n uint64) { counts[kind] = n })
		src.lost(func(reason string, n uint64) { counts["lost "+reason] = n })
		require.Equal(t, p.segments, counts["segment"]-counts["translated"])
		require.Equal(t, counts["packet"], counts["segment"]+counts["not_transport"]+counts["unknown_payload"]+counts["unsupported"]+counts["fragment"]+
			counts["lost malformed"]+counts["lost truncated"], "frames: %v", counts)
	})
}

// FuzzConnection lets two ends say anything, in segments that are lost, doubled,
// contradicted and put in any order, live and in a file.
func FuzzConnection(f *testing.F) {
	order := []byte{2, 3, 18, 33, 6, 7, 26, 43, 48, 2, 3, 58, 66}
	for i, c := range seed.Conversations(f) {
		there, back := c.Bytes()
		kind := byte(i%16) << 1
		if c.UDP {
			kind |= kindUDP
		}
		f.Add(there, back, order[:i%(len(order)+1)], kind)
	}
	f.Fuzz(func(t *testing.T, there, back, order []byte, kind byte) {
		trims := &trimming{Source: newFakeSource(), until: map[trimmed]uint32{}}
		cfg := hostileConfig()
		if kind&kindNoLimits != 0 {
			cfg = limitlessConfig()
		}
		p := newPlant(t, source{Source: trims}, cfg)
		c := newFuzzedConnection(p, kind, [2][]byte{there, back})
		c.trims = trims
		for _, op := range order[:min(len(order), 300)] {
			c.step(op)
		}
		c.rest()
		p.shard.table.Shutdown(c.now)
		p.shard.builder.Flush()
		p.finish()
	})
}

// Circumstances of a fuzzed connection.
const (
	kindUDP = 1 << iota
	kindMidway
	kindLive
	kindBothEnds // captured
	kindNoLimits
)

// trimming is a source that leaves out what it is told to.
type trimming struct {
	capture.Source
	until map[trimmed]uint32
}

type trimmed struct {
	socket    uint64
	direction capture.Direction
}

func (s *trimming) Trim(socket uint64, d capture.Direction, until uint32) {
	s.until[trimmed{socket, d}] = until
}

func (s *trimming) Untrim(socket uint64, d capture.Direction) { delete(s.until, trimmed{socket, d}) }

// take leaves out a payload that nobody needs.
func (s *trimming) take(seg *capture.Segment) {
	until, ok := s.until[trimmed{seg.Socket, seg.Direction}]
	if ok && int32(until-seg.Seq)-int32(seg.WireLen) >= 0 {
		seg.Payload = nil
	}
}

type fuzzedConnection struct {
	plant *plant
	trims *trimming // nil during the handshake
	kind  byte
	now   int64
	ends  [2]netip.AddrPort
	said  [2][]byte // what is not sent yet
	next  [2]uint32
}

func newFuzzedConnection(p *plant, kind byte, said [2][]byte) *fuzzedConnection {
	c := &fuzzedConnection{
		plant: p, kind: kind, now: 1_700_000_000_000_000_000, said: said, next: [2]uint32{0xfffffff0, 5000},
		ends: [2]netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("192.0.2.2:80")},
	}
	if kind&kindLive != 0 {
		p.shard.table.Owner(1, &capture.Process{PID: 7, Name: "client", CommandLine: []string{"client", "--password=x"}})
	}
	if kind&(kindMidway|kindUDP) == 0 {
		c.send(0, capture.SYN, nil, 0)
		c.next[0]++
		c.send(1, capture.SYN|capture.ACK, nil, 0)
		c.next[1]++
		c.send(0, capture.ACK, nil, 0)
	}
	return c
}

// take cuts what a direction says next.
func (c *fuzzedConnection) take(d byte, n int) []byte {
	n = min(n, len(c.said[d]))
	b := c.said[d][:n]
	c.said[d] = c.said[d][n:]
	return b
}

// send captures one segment whose payload begins ahead of what was said. Both ends of
// it may be captured.
func (c *fuzzedConnection) send(d byte, flags capture.Flags, payload []byte, ahead int) {
	c.now += 1e6
	seg := capture.Segment{
		Time: c.now, Transport: capture.TCP, Source: c.ends[d], Destination: c.ends[1-d], Flags: flags,
		Seq: c.next[d] + uint32(ahead), Payload: append([]byte(nil), payload...), WireLen: len(payload),
	}
	if flags&capture.ACK != 0 {
		seg.Ack = c.next[1-d]
	}
	if c.kind&kindUDP != 0 {
		seg.Transport, seg.Flags, seg.Seq, seg.Ack = capture.UDP, 0, 0, 0
	}
	for end := range byte(2) {
		if c.kind&kindLive != 0 {
			seg.Socket, seg.NetNS, seg.Direction = uint64(end)+1, 1, capture.Egress
			if end != d {
				seg.Direction = capture.Ingress
			}
		}
		own := seg
		if c.trims != nil {
			c.trims.take(&own)
		}
		c.plant.segments++
		c.plant.shard.table.Segment(&own)
		c.plant.bounded()
		if c.kind&kindLive == 0 || c.kind&kindBothEnds == 0 {
			break
		}
	}
	clear(seg.Payload) // it was borrowed
}

// step does one thing: a bit of direction, two of size, four of what.
func (c *fuzzedConnection) step(op byte) {
	d, n := op&1, [...]int{1, 9, 100, 1448}[op>>1&3]
	const data = capture.ACK | capture.PSH
	switch op >> 3 & 15 {
	default:
		b := c.take(d, n)
		c.send(d, data, b, 0)
		c.next[d] += uint32(len(b))
	case 2: // lost
		c.next[d] += uint32(len(c.take(d, n)))
	case 3: // in the wrong order
		first, second := c.take(d, n), c.take(d, n)
		c.send(d, data, second, len(first))
		c.send(d, data, first, 0)
		c.next[d] += uint32(len(first) + len(second))
	case 4: // twice, with other bytes
		b := c.take(d, n)
		c.send(d, data, c.said[d][:min(n, len(c.said[d]))], len(b)/2)
		c.send(d, data, b, 0)
		c.next[d] += uint32(len(b))
	case 5: // time passes
		c.now += int64(n) * 1e9
		c.plant.shard.table.Tick(c.now)
	case 6: // records are lost, and bytes of which the other end knows
		c.plant.shard.table.Lost(1, capture.LossRingFull)
		c.next[d] += uint32(len(c.take(d, n)))
		c.send(1-d, capture.ACK, nil, 0)
	case 7: // only the head of a segment is captured
		b := c.take(d, n)
		c.now += 1e6
		seg := capture.Segment{
			Time: c.now, Transport: capture.TCP, Source: c.ends[d], Destination: c.ends[1-d], Flags: data,
			Seq: c.next[d], Ack: c.next[1-d], Payload: b[: len(b)/2 : len(b)/2], WireLen: len(b) + 40*n,
		}
		c.next[d] += uint32(seg.WireLen)
		c.plant.segments++
		c.plant.shard.table.Segment(&seg)
	case 8:
		c.send(d, [...]capture.Flags{capture.FIN | capture.ACK, capture.RST, capture.SYN, 0}[op>>1&3], nil, 0)
	}
}

// rest says what is left, in turns, and ends the connection in order.
func (c *fuzzedConnection) rest() {
	for len(c.said[0])+len(c.said[1]) > 0 {
		c.step(3 << 1)
		c.step(3<<1 | 1)
	}
	c.send(0, capture.FIN|capture.ACK, nil, 0)
	c.send(1, capture.FIN|capture.ACK, nil, 0)
}
