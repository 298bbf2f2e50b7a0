// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// establish opens a connection from a port of the client.
func (s *script) establish(port uint16) {
	s.client = netip.AddrPortFrom(clientAddr.Addr(), port)
	s.run("> S 99", "< SA 299 100", "> A 100 300")
}

// Where memory is scarce the connection that is idle for longest goes, but not the last.
func TestScarceMemoryEvictsTheOldestIdle(t *testing.T) {
	s := newScript(t, Settings{})
	for port := range uint16(3) {
		s.establish(1 + port)
		s.run("tick 1ms")
	}
	others := int(s.mem.Limit()*7/8-s.mem.Used()) + 1
	require.True(t, s.mem.Take(others))
	s.client = netip.AddrPortFrom(clientAddr.Addr(), 1)
	s.run("> PA 100 300 a")
	assert.Equal(t, uint64(1), s.stats.Evicted.Load())
	assert.True(t, s.sink.conns[s.sink.opened[1]].closed, "the oldest idle one goes")
	assert.False(t, s.sink.conns[s.sink.opened[0]].closed, "this one is active")

	require.True(t, s.mem.Take(2*connCost))
	s.run("tick 1ms")
	assert.Equal(t, int64(1), s.stats.Open.Load(), "the last one stays")
	s.mem.Give(others + 2*connCost)
	s.run("> PA 101 300 b")
	assert.Equal(t, int64(1), s.stats.Open.Load())
	s.run("shutdown")
}

// A few handshakes among many connections that are idle are not what has to go.
func TestNewConnectionsAreNotEvictedByIdleOnes(t *testing.T) {
	s := newScript(t, Settings{MaxConnections: 20})
	for port := range uint16(20) {
		s.establish(1 + port)
	}
	s.client = netip.AddrPortFrom(clientAddr.Addr(), 100)
	s.run("> S 99")
	s.establish(101)
	assert.Zero(t, s.stats.EvictedHalf.Load())
	assert.Equal(t, uint64(2), s.stats.Evicted.Load())
	s.run("shutdown")
}

// One connection holds no more than its share behind a hole.
func TestHeldBytesAreLimitedByTheShare(t *testing.T) {
	s := newScript(t, Settings{MaxHeldBytes: 1 << 30, MaxHeldSegments: 1 << 20})
	require.True(t, s.mem.Take(int(s.mem.Limit()/2)))
	s.run("> S 99", "< SA 299 100", "> A 100 300")
	payload := make([]byte, 64<<10)
	for i := range 100 {
		s.table.Segment(&capture.Segment{
			Time: s.now, Transport: capture.TCP, Source: s.client, Destination: s.server, Flags: capture.ACK,
			Seq: 101 + uint32(2*i*len(payload)), Ack: 300, Payload: payload, WireLen: len(payload),
		})
		assert.LessOrEqual(t, s.mem.Used()-s.mem.Limit()/2, s.mem.Limit()/16+2*int64(connCost))
	}
	assert.Positive(t, s.stats.HolesLimited.Load())
	s.mem.Give(int(s.mem.Limit() / 2))
	s.run("shutdown")
}

// What is remembered of connections that are over, and of owners, is paid for too.
func TestMemoryOfWhatIsRemembered(t *testing.T) {
	s := newScript(t, Settings{})
	require.True(t, s.mem.Take(int(s.mem.Limit())-s.table.cost))
	for socket := range uint64(100) {
		s.table.Owner(socket, &capture.Process{PID: 1})
	}
	assert.Len(t, s.table.owners.bySocket, s.table.cost/ownerCost)
	assert.Equal(t, uint64(100-s.table.cost/ownerCost), s.stats.OwnersEvicted.Load())
	s.table.owners.clear()
	assert.Equal(t, s.mem.Limit()-int64(s.table.cost), s.mem.Used())
}

// Maps that a flood has filled are replaced.
func TestMapsShrink(t *testing.T) {
	m, largest := map[int]int{}, 0
	for i := range 10_000 {
		m[i] = i
	}
	compact(&m, &largest)
	assert.Equal(t, 10_000, largest)
	for i := range 9_000 {
		delete(m, i)
	}
	before := m
	compact(&m, &largest)
	assert.Equal(t, 1_000, largest)
	assert.Equal(t, before, m)
	delete(before, 9_999)
	assert.Len(t, m, 1_000, "it is another map")
}
