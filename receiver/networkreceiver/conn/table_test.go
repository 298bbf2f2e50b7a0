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

func TestLive(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []string
		events []string
	}{
		{
			"client",
			[]string{"c> S 99", "c< SA 299 100", "c> PA 100 300 ask", "c< PA 300 103 answer", "c> FA 103 306", "c< FA 306 104"},
			[]string{"copen", "c> ask", "c} answer", "c> end fin", "c} end fin", "cclose fin"},
		},
		{
			"server",
			[]string{"l< S 99", "l> SA 299 100", "s< PA 100 300 ask", "s> PA 300 103 answer", "s> FA 306 103", "s< FA 103 307"},
			[]string{"sopen", "s} ask", "s> answer", "s> end fin", "s} end fin", "sclose fin"},
		},
		{
			"the kernel shows nobody the other end's FIN",
			[]string{"c> S 99", "c< SA 299 100", "c> PA 100 300 ask", "c< PA 300 103 answer", "c> FA 103 306", "tick 59s", "tick 2s"},
			[]string{"copen", "c> ask", "c} answer", "c> end fin", "c} end fin", "cclose fin"},
		},
		{
			"the answer comes long after the FIN",
			[]string{"c> S 99", "c< SA 299 100", "c> FPA 100 300 ask", "tick 50s", "c< PA 300 104 part", "tick 50s", "c< PA 304 104 part"},
			[]string{"copen", "c> ask", "c> end fin", "c} part", "c} part"},
		},
		{
			"first bytes at the listener",
			[]string{"l< S 99", "l> SA 299 100", "l< PA 100 300 ask", "l< FA 103 300", "s> PA 300 104 answer"},
			[]string{"sopen", "s} ask", "s} end fin", "s> answer"},
		},
		{
			"SYN data at the listener",
			[]string{"l< S 99 0 ask", "l> SA 299 103", "s> PA 300 103 answer"},
			[]string{"sopen", "s} ask", "s> answer"},
		},
		{
			"the server speaks first",
			[]string{"l< S 99", "l> SA 299 100", "l< A 100 300", "s> PA 300 100 hello", "s< PA 100 305 ask"},
			[]string{"sopen", "s> hello", "s} ask"},
		},
		{
			"SYN with another number at the listener",
			[]string{"l< S 99", "l> SA 299 100", "l< S 999", "l> SA 2999 1000", "s< PA 1000 3000 ask"},
			[]string{"sopen", "s} ask"},
		},
		{
			"handshake reset",
			[]string{"l< S 99", "l> SA 299 100", "l< R 100 0", "s> PA 300 100 x"},
			[]string{"sopen", "s> x"},
		},
		{
			"both ends",
			[]string{
				"c> S 99", "l< S 99", "l> SA 299 100", "c< SA 299 100",
				"c> PA 100 300 ask", "s< PA 100 300 ask", "s> PA 300 103 answer", "c< PA 300 103 answer",
				"s> FA 306 103", "c< FA 306 103", "c> FA 103 307", "s< FA 103 307",
			},
			[]string{
				"copen", "c> ask", "sopen", "s} ask", "s> answer", "c} answer",
				"s> end fin", "c} end fin", "c> end fin", "cclose fin", "s} end fin", "sclose fin",
			},
		},
		{
			"acknowledged in a live capture means lost",
			[]string{"c> S 99", "c< SA 299 100", "c> PA 110 300 x", "c< A 300 111", "c> PA 111 305 y"},
			[]string{"copen", "c> gap 10", "c> x", "c} gap 5", "c> y"},
		},
		{
			"what a socket sends is in order, also midway",
			[]string{"c> PA 100 300 a", "c> PA 101 300 b", "c< PA 300 102 c"},
			[]string{"copen", "c> a", "c> b", "c} c"},
		},
		{
			"a forged SYN",
			[]string{"c> PA 100 300 a", "c< S 77777", "c< SA 77777 8", "c> PA 101 300 b"},
			[]string{"copen", "c> a", "c> b"},
		},
		{
			"the socket connects again",
			[]string{"c> S 99", "c< RA 0 100", "reset c", "c> S 999", "c< SA 299 1000", "c> PA 1000 300 a"},
			[]string{"copen", "c> end rst", "c} end rst", "cclose rst", "copen", "c> a"},
		},
		{
			"far ahead after a long loss",
			[]string{"c> PA 100 300 a", "c> PA 200000000 300 b", "c> PA 200000001 300 c", "c> PA 200000002 300 d"},
			[]string{"copen", "c> a", "c> gap 199999901", "c> d"},
		},
		{
			"far back: what was followed was not the stream",
			[]string{
				"c> PA 100 300 a", "c> PA 200000000 300 b", "c> PA 200000001 300 c", "c> PA 200000002 300 d",
				"c> PA 101 300 e", "c> PA 102 300 f", "c> PA 103 300 g",
			},
			[]string{
				"copen", "c> a", "c> gap 199999901", "c> d", "c> end reused", "c} end reused", "cclose reused",
				"copen", "c> g",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Settings{}).run(tt.script...)
			s.want(tt.events...)
			assert.Zero(t, s.stats.Pending.Load())
			for _, c := range s.sink.opened {
				assert.True(t, c.Live)
				assert.Equal(t, uint32(4026531840), c.NetNS)
			}
			s.run("shutdown")
		})
	}
}

func TestBothEndsAreCaptured(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> S 99", "l< S 99", "l> SA 299 100", "c< SA 299 100", "c> PA 100 300 ask")
	client := s.sink.opened[0]
	assert.False(t, client.PeerCaptured, "the other end may never be accepted")
	s.run("s< PA 100 300 ask")
	server := s.sink.opened[1]
	assert.True(t, client.PeerCaptured)
	assert.True(t, server.PeerCaptured)
	assert.Equal(t, clientAddr, client.Local)
	assert.Equal(t, serverAddr, client.Remote)
	assert.Equal(t, serverAddr, server.Local)
	assert.Equal(t, clientAddr, server.Remote)
	assert.Equal(t, InitiatorLocal, client.Initiator)
	assert.Equal(t, InitiatorRemote, server.Initiator)
	assert.Equal(t, int64(3e6), client.Established-client.Started)
	assert.Zero(t, server.Established, "when the last step came is not known")
	s.run("shutdown")
}

func TestOtherConnectionWithEqualAddressesIsNotThePeer(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> S 99", "l< S 555", "l> SA 299 556", "s< PA 556 300 ask")
	assert.False(t, s.sink.opened[0].PeerCaptured)
	assert.False(t, s.sink.opened[1].PeerCaptured)
	s.run("shutdown")
}

func TestEstablishedAtTheListener(t *testing.T) {
	s := newScript(t, Settings{}).run("l< S 99", "l> SA 299 100", "l< A 100 300", "tick 2s", "s< PA 100 300 ask")
	c := s.sink.opened[0]
	assert.Equal(t, someTime+1e6, c.Started)
	assert.Equal(t, someTime+3e6, c.Established)
}

// A connection to a service address: what leaves goes to the translated address,
// what comes bears the service's.
func TestTranslatedAddresses(t *testing.T) {
	service := netip.MustParseAddrPort("10.96.0.1:443")
	t.Run("client", func(t *testing.T) {
		s := newScript(t, Settings{}).run("c> S 99")
		c := s.sink.opened[0]
		assert.Equal(t, serverAddr, c.Remote)
		s.server = service
		s.run("c< SA 299 100")
		s.server = serverAddr
		s.run("c> PA 100 300 ask")
		s.server = service
		s.run("c< PA 300 103 answer")
		s.want("copen", "c> ask", "c} answer")
		assert.Equal(t, service, c.Remote)
		assert.Equal(t, serverAddr, c.RemoteNAT)
		assert.Equal(t, clientAddr, c.Local)
	})
	t.Run("server", func(t *testing.T) {
		redirected := netip.MustParseAddrPort("10.0.0.2:8080")
		s := newScript(t, Settings{})
		s.server = redirected
		s.run("l< S 99")
		s.server = serverAddr
		s.run("l> SA 299 100")
		s.server = redirected
		s.run("l< PA 100 300 ask")
		s.server = serverAddr
		s.run("s> PA 300 103 answer")
		s.want("sopen", "s} ask", "s> answer")
		assert.Equal(t, redirected, s.sink.opened[0].Local)
		assert.Equal(t, clientAddr, s.sink.opened[0].Remote)
		assert.False(t, s.sink.opened[0].RemoteNAT.IsValid())
	})
}

func TestResetFromTheKernelsOwnSocket(t *testing.T) {
	s := newScript(t, Settings{}).run("c> S 99", "c< SA 299 100", "c> FPA 100 300 ask")
	seg := s.segment([]string{"c>", "R", "104"})
	seg.Socket = 4711
	s.table.Segment(&seg)
	s.want("copen", "c> ask", "c> end fin", "c} end rst", "cclose rst")
}

func TestOwners(t *testing.T) {
	one, two := &capture.Process{PID: 1}, &capture.Process{PID: 2}
	t.Run("before the first segment", func(t *testing.T) {
		s := newScript(t, Settings{})
		s.table.Owner(clientSocket, one)
		s.run("c> S 99")
		assert.Same(t, one, s.sink.opened[0].Process)
	})
	t.Run("afterwards, and again", func(t *testing.T) {
		s := newScript(t, Settings{}).run("c> S 99")
		assert.Nil(t, s.sink.opened[0].Process)
		s.table.Owner(clientSocket, one)
		s.table.Owner(clientSocket, two)
		assert.Same(t, two, s.sink.opened[0].Process)
	})
	t.Run("not of the connection before", func(t *testing.T) {
		for _, end := range []string{"c> RA 100 0", "c> S 777"} {
			s := newScript(t, Settings{}).run("c> S 99")
			s.table.Owner(clientSocket, one)
			s.run("c< SA 299 100", end, "c> S 777")
			require.Len(t, s.sink.opened, 2)
			assert.Nil(t, s.sink.opened[1].Process)
		}
	})
	t.Run("of the next connection of the socket", func(t *testing.T) {
		s := newScript(t, Settings{}).run("c> S 99")
		s.table.Owner(clientSocket, two)
		s.run("c> S 777")
		assert.Same(t, two, s.sink.opened[1].Process)
	})
	t.Run("of a socket that was idle", func(t *testing.T) {
		s := newScript(t, Settings{}).run("c> PA 100 300 a")
		s.table.Owner(clientSocket, one)
		s.run("tick 20m", "c> PA 101 300 b")
		assert.Same(t, one, s.sink.opened[1].Process)
	})
	t.Run("bounded", func(t *testing.T) {
		s := newScript(t, Settings{MaxOwners: 10})
		for i := range uint64(100) {
			s.table.Owner(1000+i, one)
		}
		assert.Len(t, s.table.owners.bySocket, 10)
		assert.Equal(t, uint64(90), s.stats.OwnersEvicted.Load())
	})
}

func TestOwnTraffic(t *testing.T) {
	self := &capture.Process{PID: 7}
	t.Run("known before", func(t *testing.T) {
		s := newScript(t, Settings{OwnPID: 7})
		s.table.Owner(clientSocket, self)
		s.run("c> S 99", "c< SA 299 100", "c> PA 100 300 export", "c> FA 106 300")
		s.want([]string(nil)...)
		assert.Equal(t, uint64(4), s.stats.OwnSegments.Load())
	})
	t.Run("known later", func(t *testing.T) {
		s := newScript(t, Settings{OwnPID: 7}).run("c> S 99", "c< SA 299 100", "c< PA 305 100 x")
		s.table.Owner(clientSocket, self)
		s.run("c> PA 100 300 export")
		s.want("copen", "c> end ", "c} end ", "cclose ")
		assert.Equal(t, uint64(1), s.stats.ClosedOwn.Load())
		assert.Equal(t, uint64(1), s.stats.OwnSegments.Load())
	})
	t.Run("is nobody's captured peer", func(t *testing.T) {
		s := newScript(t, Settings{OwnPID: 7})
		s.run("c> S 99", "l< S 99", "l> SA 299 100", "s> PA 300 100 x")
		assert.True(t, s.sink.opened[0].PeerCaptured)
		s.table.Owner(acceptedSocket, self)
		assert.False(t, s.sink.opened[0].PeerCaptured)
	})
	t.Run("accepted socket", func(t *testing.T) {
		s := newScript(t, Settings{OwnPID: 7})
		s.table.Owner(acceptedSocket, self)
		s.run("l< S 99", "l> SA 299 100", "l< PA 100 300 x", "s> PA 300 101 x", "shutdown")
		s.want([]string(nil)...)
	})
}

func TestSYNFloodAtAListener(t *testing.T) {
	s := newScript(t, Settings{MaxPending: 100})
	s.sink.quiet = true
	s.run("l< S 99", "l> SA 299 100", "l< PA 100 300 ask")
	for i := range 1000 {
		s.client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), 1234)
		s.run("l< S 99", "l> SA 299 100")
	}
	assert.Equal(t, int64(100), s.stats.Pending.Load())
	assert.Equal(t, uint64(901), s.stats.PendingEvicted.Load())
	s.client = clientAddr
	s.sink.quiet = false
	s.run("s> PA 300 103 answer")
	s.want("sopen", "s} ask", "s> answer")
	s.run("tick 2m")
	assert.Zero(t, s.stats.Pending.Load())
	assert.Equal(t, uint64(99), s.stats.PendingExpired.Load())
	s.run("shutdown")
}

func TestEarlySegmentsAreBounded(t *testing.T) {
	s := newScript(t, Settings{}).run("l< S 99", "l> SA 299 100")
	for range 100 {
		s.run("l< PA 100 300 ask")
	}
	assert.Equal(t, uint64(100-maxEarlySegments), s.stats.PendingDropped.Load())
	for i := range uint16(100) {
		s.server = netip.AddrPortFrom(serverAddr.Addr(), 1000+i)
		s.run("l< S 99")
	}
	assert.Equal(t, int64(maxSameRemote), s.stats.Pending.Load())
	s.run("shutdown")
}

func TestDatagrams(t *testing.T) {
	t.Run("file", func(t *testing.T) {
		s := newScript(t, Settings{})
		s.run("> U 0 0 ask", "< U 0 0 answer", "> U 0 0 cut+7", "> U 0 0 more", "tick 31s")
		s.want("open", "> ask", "} answer", "> cut", "> gap 7", "> more", "> end idle", "} end idle", "close idle")
	})
	t.Run("one socket, many peers", func(t *testing.T) {
		s := newScript(t, Settings{}).run("s< U 0 0 ask")
		s.client = netip.MustParseAddrPort("10.0.0.3:5000")
		s.run("s< U 0 0 ask2", "s> U 0 0 answer2")
		s.client = clientAddr
		p := &capture.Process{PID: 1}
		s.table.Owner(acceptedSocket, p)
		s.run("s> U 0 0 answer")
		s.want("sopen", "s} ask", "sopen", "s} ask2", "s> answer2", "s> answer")
		for _, c := range s.sink.opened {
			assert.Same(t, p, c.Process)
		}
		s.table.owners.ownPID = 1
		s.table.Owner(acceptedSocket, p)
		assert.Empty(t, s.table.datagrams)
		assert.Empty(t, s.table.users)
	})
	t.Run("both ends", func(t *testing.T) {
		s := newScript(t, Settings{}).run("c> U 0 0 ask", "s< U 0 0 ask", "s> U 0 0 answer", "c< U 0 0 answer")
		assert.True(t, s.sink.opened[0].PeerCaptured)
		assert.True(t, s.sink.opened[1].PeerCaptured)
	})
	t.Run("answer from a service address", func(t *testing.T) {
		service := netip.MustParseAddrPort("10.96.0.10:53")
		s := newScript(t, Settings{}).run("c> U 0 0 ask")
		s.server = service
		s.run("c< U 0 0 answer")
		s.server = serverAddr
		s.run("c> U 0 0 ask")
		s.want("copen", "c> ask", "c} answer", "c> ask")
		assert.Equal(t, service, s.sink.opened[0].Remote)
		assert.Equal(t, serverAddr, s.sink.opened[0].RemoteNAT)
		s.run("shutdown")
		assert.Empty(t, s.table.datagrams)
	})
}

func TestConnectionLimit(t *testing.T) {
	s := newScript(t, Settings{MaxConnections: 3})
	ports := func(port uint16, lines ...string) {
		s.client = netip.AddrPortFrom(clientAddr.Addr(), port)
		s.run(lines...)
	}
	established := []string{"> S 99", "< SA 299 100", "> A 100 300"}
	ports(1, established...)
	ports(2, established...)
	for port := range uint16(100) {
		ports(1000+port, "> S 99")
	}
	assert.Equal(t, uint64(99), s.stats.EvictedHalf.Load(), "half-open ones go first")
	assert.Zero(t, s.stats.Evicted.Load())
	assert.Equal(t, int64(3), s.stats.Open.Load())
	assert.Equal(t, int64(1), s.stats.HalfOpen.Load())

	ports(3, established...)
	s.run("tick 1ms")
	ports(1, "> PA 100 300 a")
	ports(4, established...)
	assert.Equal(t, uint64(1), s.stats.Evicted.Load())
	evicted := s.sink.conns[s.sink.opened[1]]
	assert.True(t, evicted.closed, "the oldest idle one goes")
	s.run("shutdown")
}

func TestClosedConnectionsAreBounded(t *testing.T) {
	s := newScript(t, Settings{MaxClosed: 10})
	for port := range uint16(100) {
		s.client = netip.AddrPortFrom(clientAddr.Addr(), 1000+port)
		s.run("> S 99", "< S 299", "> F 100 0", "< F 300 0")
	}
	assert.Len(t, s.table.closedFile.byKey, 10)
	assert.Equal(t, uint64(90), s.stats.ClosedForgotten.Load())
	s.run("tick 31s")
	assert.Empty(t, s.table.closedFile.byKey)
	assert.Nil(t, s.table.closedFile.queue.oldest())
}

func TestBudget(t *testing.T) {
	s := newScript(t, Settings{})
	s.mem.Take(int(s.mem.Limit()))
	s.run("> PA 100 300 a", "l< S 99")
	s.want([]string(nil)...)
	assert.Equal(t, uint64(1), s.stats.Refused.Load())
	assert.Equal(t, uint64(1), s.stats.PendingDropped.Load())

	s.mem.Give(connCost)
	s.run("> S 99", "> PA 103 300 b", "> PA 100 300 abc")
	s.want("open", "> gap 3", "> b")
	assert.Equal(t, uint64(1), s.stats.HolesLimited.Load())
	s.client = netip.MustParseAddrPort("10.0.0.3:1")
	s.run("> S 99")
	assert.Equal(t, uint64(1), s.stats.Evicted.Load())
	assert.Equal(t, int64(1), s.stats.Open.Load())
}

func TestHeldLimits(t *testing.T) {
	for _, settings := range []Settings{{MaxHeldBytes: 10}, {MaxHeldSegments: 2}} {
		s := newScript(t, settings).run("> S 99", "< SA 299 100",
			"> PA 101 300 aaaaa", "> PA 107 300 bbbbb", "> PA 113 300 ccccc", "> PA 100 300 x")
		s.want("open", "> gap 1", "> aaaaa")
		assert.Equal(t, uint64(1), s.stats.HolesLimited.Load())
		assert.Equal(t, uint64(1), s.stats.Gaps.Load())
		assert.Equal(t, uint64(1), s.stats.GapBytes.Load())
		s.run("shutdown")
	}
}

func TestImpossibleSegments(t *testing.T) {
	s := newScript(t, Settings{})
	for _, seg := range []capture.Segment{
		{Transport: 1},
		{Transport: capture.TCP, Payload: []byte("abc")},
		{Transport: capture.TCP, WireLen: 1 << 30},
		{Transport: capture.UDP, WireLen: -1},
	} {
		s.table.Segment(&seg)
	}
	assert.Equal(t, uint64(4), s.stats.Malformed.Load())
	s.want([]string(nil)...)
}

func TestShutdownDeliversWhatIsHeld(t *testing.T) {
	s := newScript(t, Settings{}).run("> PA 100 300 a", "shutdown")
	s.want("open", "> a", "> end shutdown", "} end shutdown", "close shutdown")
	assert.Empty(t, s.table.flows)
}
