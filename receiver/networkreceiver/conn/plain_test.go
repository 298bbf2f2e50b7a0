// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// plain hands over plaintext of the client's socket.
func (s *script) plain(d capture.Direction, offset uint64, payload string) {
	b := []byte(payload)
	s.table.Plain(&capture.Plain{Time: s.now, Socket: clientSocket, Direction: d, Offset: offset, Payload: b})
	clear(b) // it was borrowed
}

func TestPlaintextOfAConnection(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> S 99", "c< SA 299 100", "c> PA 100 300 x")
	s.plain(capture.Egress, 0, "sent")
	s.plain(capture.Ingress, 0, "received")
	s.run("shutdown")
	s.want("copen", "c> x", `c> plain "sent"`, `c} plain "received"`,
		"c> end shutdown", "c} end shutdown", "cclose shutdown")
	assert.Equal(t, uint64(2), s.stats.Plain.Load())
}

// What overtakes the first segment waits for it, in order.
func TestPlaintextBeforeItsConnection(t *testing.T) {
	s := newScript(t, Settings{})
	s.plain(capture.Egress, 0, "one")
	s.plain(capture.Egress, 3, "two")
	s.run("tick 900ms", "c> PA 100 300 x", "shutdown")
	s.want("copen", `c> plain "one"`, `c> plain "two"`, "c> x", "c> end shutdown", "c} end shutdown", "cclose shutdown")
	assert.Zero(t, s.stats.PlainDropped.Load())
}

func TestPlaintextWithoutAConnection(t *testing.T) {
	s := newScript(t, Settings{})
	s.plain(capture.Egress, 0, "one")
	s.run("tick 1100ms", "c> PA 100 300 x", "shutdown")
	s.want("copen", "c> x", "c> end shutdown", "c} end shutdown", "cclose shutdown")
	assert.Equal(t, uint64(1), s.stats.PlainDropped.Load())
}

func TestPlaintextHeldIsBounded(t *testing.T) {
	s := newScript(t, Settings{})
	for i := range uint64(2 * maxPlainPieces) {
		s.plain(capture.Egress, i, "x")
	}
	assert.Equal(t, uint64(maxPlainPieces), s.stats.PlainDropped.Load())
	s.run("tick 2s")
	assert.Equal(t, uint64(2*maxPlainPieces), s.stats.PlainDropped.Load())
	s.plain(capture.Egress, 0, strings.Repeat("x", int(s.mem.Limit())))
	assert.Equal(t, uint64(2*maxPlainPieces+1), s.stats.PlainDropped.Load())
	s.plain(capture.Egress, 0, "left to shutdown")
	s.run("shutdown")
}

func TestPlaintextOfAClosedConnection(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> PA 100 300 x", "c> FA 101 300", "c< FA 300 102")
	require.Zero(t, s.stats.Open.Load())
	s.plain(capture.Ingress, 0, "late")
	assert.Equal(t, uint64(1), s.stats.PlainLate.Load())
	s.run("shutdown")
}

// What was received is read later than the other end's FIN comes, but before the
// process closes its own end.
func TestPlaintextBehindFIN(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> PA 100 300 x")
	s.plain(capture.Egress, 0, "asked")
	s.run("c< PA 300 101 y", "c< FA 301 101")
	s.plain(capture.Ingress, 0, "answered")
	s.run("c> FA 101 302", "shutdown")
	s.want("copen", "c> x", `c> plain "asked"`, "c} y", `c} plain "answered"`, "c} end fin", "c> end fin", "cclose fin")
}

func TestUnreadEndIsTold(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> PA 100 300 x")
	s.plain(capture.Egress, 0, "asked")
	s.run("c< FA 300 101", "tick 900ms")
	s.plain(capture.Ingress, 0, "answered")
	s.run("tick 900ms")
	assert.NotContains(t, s.sink.events, "c} end fin")
	s.run("tick 200ms")
	assert.Contains(t, s.sink.events, "c} end fin")
	s.run("shutdown")
}

// A library tells what it was given when its function returns. By then the other end may
// have answered and closed, and another thread this end as well.
func TestPlaintextBehindTheLastPacket(t *testing.T) {
	for name, last := range map[string]string{"fin": "c> FA 101 302", "rst": "c< R 302"} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, Settings{})
			s.run("c> PA 100 300 x")
			s.table.sockets[clientSocket].AwaitsPlain = true // it is known to be encrypted
			s.run("c< PA 300 101 y", "c< FA 301 101", last)
			if name == "rst" {
				s.run("reset c")
			}
			s.run("tick 400ms")
			s.plain(capture.Egress, 0, "asked")
			s.run("tick 400ms", "c< A 302 102")
			s.plain(capture.Ingress, 0, "answered")
			s.run("tick 400ms")
			assert.NotContains(t, s.sink.events, "cclose "+name)
			s.run("tick 200ms")
			assert.Equal(t, uint64(1), s.stats.Late.Load(), "the segment after the last one")
			assert.Zero(t, s.stats.PlainLate.Load())
			out := map[string]string{"fin": "c> end fin", "rst": "c> end rst"}[name]
			s.want("copen", "c> x", "c} y", `c> plain "asked"`, `c} plain "answered"`, "c} end fin", out, "cclose "+name)
			s.run("shutdown")
		})
	}
}

// What is over gives way before anything else.
func TestPlaintextIsNotAwaitedAtAnyPrice(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> PA 100 300 x")
	s.table.sockets[clientSocket].AwaitsPlain = true
	s.run("c> FA 101 300", "c< FA 300 102")
	assert.NotContains(t, s.sink.events, "cclose fin")
	s.table.evict()
	assert.Contains(t, s.sink.events, "cclose fin")
	s.run("shutdown")
}
