// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bytes"
	"context"
	"maps"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// recorder keeps what all shards of a source hand over.
type recorder struct {
	t      *testing.T
	source *Source
	stats  Stats
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	segments []seen
	owners   map[uint64][]*capture.Process
	plain    map[stream][]byte
	late     map[stream]uint64 // where the positions begin
	jumps    int               // of the position of plaintext
	lost     [capture.LossReasons]uint64
	ticks    int
}

type seen struct {
	capture.Segment
	shard int
}

type shardHandler struct {
	*recorder
	shard int
}

func (h shardHandler) Segment(seg *capture.Segment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := seen{*seg, h.shard}
	s.Payload = bytes.Clone(seg.Payload)
	h.segments = append(h.segments, s)
}

func (h shardHandler) Plain(p *capture.Plain) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := stream{p.Socket, p.Direction}
	const positionLate = 1 // as in bpf/lib/tls/tls.h
	if h.plain[at] == nil && p.Offset == positionLate {
		h.late[at] = positionLate
	}
	if h.late[at]+uint64(len(h.plain[at])) != p.Offset {
		h.jumps++
	}
	h.plain[at] = append(h.plain[at], p.Payload...)
}

func (h shardHandler) Owner(socket uint64, p *capture.Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.owners[socket] = append(h.owners[socket], p)
}

func (h shardHandler) Lost(n uint64, reason capture.LossReason) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost[reason] += n
}

func (h shardHandler) Tick(int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ticks++
}

// record captures until the test ends.
func record(t *testing.T, settings Settings) *recorder {
	t.Helper()
	if settings.Shards == 0 {
		settings.Shards = 2
	}
	r := &recorder{t: t, owners: make(map[uint64][]*capture.Process), plain: make(map[stream][]byte), late: make(map[stream]uint64)}
	r.source = New(settings, zaptest.NewLogger(t), &r.stats)
	require.NoError(t, r.source.Start(t.Context()))
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	for shard := range settings.Shards {
		r.done.Go(func() { assert.NoError(t, r.source.Run(ctx, shard, shardHandler{r, shard})) })
	}
	t.Cleanup(r.stop)
	return r
}

// stop ends the capture. All that was sent before is handed over then.
func (r *recorder) stop() {
	r.cancel()
	r.done.Wait()
	assert.NoError(r.t, r.source.Close())
}

// joinedLate gives the streams of which the first plaintext was not seen.
func (r *recorder) joinedLate() map[stream]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.late)
}

// port gives the segments that have this port at either end.
func (r *recorder) port(port uint16) []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []seen
	for _, s := range r.segments {
		if s.Source.Port() == port || s.Destination.Port() == port {
			all = append(all, s)
		}
	}
	return all
}

// owner is the process that a socket belonged to last.
func (r *recorder) owner(socket uint64) *capture.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.owners[socket]
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// side is one end of the connections of a port.
type side struct {
	sockets map[uint64]bool
	out, in []byte
}

// stream is one direction of a socket, to leave out what was sent again.
type stream struct {
	socket    uint64
	direction capture.Direction
}

// unseen is the part of a segment's payload that is behind what came before.
func unseen(next map[stream]uint32, s *seen) []byte {
	at, end := stream{s.Socket, s.Direction}, s.Seq+uint32(len(s.Payload))
	if s.Transport == capture.UDP || len(s.Payload) == 0 {
		return s.Payload
	}
	from, known := next[at]
	if known && int32(end-from) <= 0 {
		return nil
	}
	next[at] = end
	if known && int32(from-s.Seq) > 0 {
		return s.Payload[from-s.Seq:]
	}
	return s.Payload
}

// sides separates a server's sockets from its clients'.
func sides(all []seen, port uint16) (client, server side) {
	client.sockets, server.sockets = make(map[uint64]bool), make(map[uint64]bool)
	next := make(map[stream]uint32)
	for _, s := range all {
		payload := unseen(next, &s)
		local := s.Source
		if s.Direction == capture.Ingress {
			local = s.Destination
		}
		end := &client
		if local.Port() == port {
			end = &server
		}
		if !s.Listener {
			end.sockets[s.Socket] = true
		}
		if s.Direction == capture.Egress {
			end.out = append(end.out, payload...)
		} else {
			end.in = append(end.in, payload...)
		}
	}
	return client, server
}

func only(t *testing.T, sockets map[uint64]bool) uint64 {
	t.Helper()
	require.Len(t, sockets, 1)
	for s := range sockets {
		return s
	}
	return 0
}

func portOf(t *testing.T, address string) uint16 {
	t.Helper()
	a, err := netip.ParseAddrPort(address)
	require.NoError(t, err)
	return a.Port()
}

// settle gives the kernel's softirqs time for what is not waited for by anyone:
// the last FIN of a connection. No result depends on it.
func settle() { time.Sleep(20 * time.Millisecond) }
