// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
)

// call is a call of a handler: a segment, a tick or a loss.
type call struct {
	segment capture.Segment
	tick    int64
	lost    uint64
	reason  capture.LossReason
}

// caller keeps all calls in their order.
type caller struct{ calls []call }

func (c *caller) Segment(seg *capture.Segment) {
	kept := *seg
	kept.Payload = bytes.Clone(seg.Payload)
	c.calls = append(c.calls, call{segment: kept})
}
func (*caller) Owner(uint64, *capture.Process) {}
func (c *caller) Lost(n uint64, reason capture.LossReason) {
	c.calls = append(c.calls, call{lost: n, reason: reason})
}
func (c *caller) Tick(now int64) { c.calls = append(c.calls, call{tick: now}) }

// manyConnections is a capture of 50 connections in turns, with pauses, malformed
// frames, an incomplete datagram, and payloads from none to more than fits a batch.
func manyConnections(t testing.TB) string {
	var frames []frame
	at := time.Duration(0)
	for i := range 3000 {
		client := netip.AddrPortFrom(clientV4.Addr(), uint16(20000+i%50))
		payload := strings.Repeat(string(rune('a'+i%26)), i*37%1400)
		at += time.Duration(i%7) * time.Millisecond
		switch {
		case i%500 == 100:
			frames = append(frames, frame{link: 101, data: []byte{0x45, 0, 0}, at: at}, frame{link: 101, data: []byte{0x51}, at: at})
		case i%500 == 200:
			payload = strings.Repeat("0123456789abcdef", 4000)
		case i == 1234:
			parts := fragmentsOf(bytesOf(t, tcpPacket(client, serverV4, strings.Repeat("x", 2000))), 7, 800)
			frames = append(frames, frame{link: 101, data: parts[0], at: at})
		}
		frames = append(frames, frame{link: 101, data: bytesOf(t, tcpPacket(client, serverV4, payload)), at: at})
	}
	return writeFile(t, "many.pcap", pcapFile(binary.LittleEndian, false, frames...))
}

// dispatch runs a handler per shard.
func dispatch(t testing.TB, path string, handlers ...capture.Handler) {
	t.Helper()
	s := pcap.New(pcap.Settings{Files: []string{path}, Shards: len(handlers)}, zap.NewNop(), new(pcap.Stats))
	require.NoError(t, s.Start(t.Context()))
	var wg sync.WaitGroup
	for shard, h := range handlers {
		wg.Go(func() { assert.NoError(t, s.Run(t.Context(), shard, h)) })
	}
	wg.Wait()
	require.NoError(t, s.Close())
}

// Each shard gets the calls that one shard gets, without the segments of others, in
// the same order. Losses come to the first one.
func TestShardsGetTheCallsOfOne(t *testing.T) {
	path := manyConnections(t)
	one := new(caller)
	dispatch(t, path, one)
	all := []*caller{{}, {}, {}}
	dispatch(t, path, all[0], all[1], all[2])
	home := map[netip.AddrPort]int{}
	for shard, c := range all {
		for i := range c.calls {
			if client := c.calls[i].segment.Source; client.IsValid() {
				home[client] = shard
			}
		}
	}
	losses := 0
	for shard, c := range all {
		var want []call
		for i := range one.calls {
			switch e := &one.calls[i]; {
			case e.lost > 0 && shard > 0, e.segment.Source.IsValid() && home[e.segment.Source] != shard:
			default:
				want = append(want, *e)
				losses += int(e.lost)
			}
		}
		assert.Len(t, c.calls, len(want))
		assert.True(t, assert.ObjectsAreEqual(want, c.calls), "shard %d", shard)
		assert.Greater(t, len(c.calls), 500)
	}
	assert.Equal(t, 13, losses)
}

// leaver ends its context with its first segment.
type leaver struct {
	caller
	leave context.CancelFunc
}

func (l *leaver) Segment(seg *capture.Segment) {
	l.caller.Segment(seg)
	l.leave()
}

// One that leaves does not hold up the others.
func TestShardLeaves(t *testing.T) {
	path := manyConnections(t)
	want := []*caller{{}, {}}
	dispatch(t, path, want[0], want[1])

	s := pcap.New(pcap.Settings{Files: []string{path}, Shards: 2}, zap.NewNop(), new(pcap.Stats))
	require.NoError(t, s.Start(t.Context()))
	ctx, leave := context.WithCancel(t.Context())
	first, second := &leaver{leave: leave}, new(caller)
	var wg sync.WaitGroup
	wg.Go(func() { assert.NoError(t, s.Run(ctx, 0, first)) })
	wg.Go(func() { assert.NoError(t, s.Run(t.Context(), 1, second)) })
	wg.Wait()
	assert.Less(t, len(first.calls), len(want[0].calls))
	assert.Len(t, second.calls, len(want[1].calls))
	require.NoError(t, s.Close())
}

// Close ends what runs in the background, whatever has been run (goleak looks).
func TestCloseEndsReading(t *testing.T) {
	path := manyConnections(t)
	for running := range 3 {
		s := pcap.New(pcap.Settings{Files: []string{path}, Shards: 3}, zap.NewNop(), new(pcap.Stats))
		require.NoError(t, s.Start(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for shard := range running {
			wg.Go(func() { assert.NoError(t, s.Run(ctx, shard, &leaver{leave: cancel})) })
		}
		wg.Wait()
		cancel()
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
	}
}
