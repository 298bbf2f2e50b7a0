// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// conversation is two TCP ends over a network that loses, repeats and delays, and
// a capture beside them that may lose too.
type conversation struct {
	r     *rand.Rand
	table *Table
	now   int64
	live  bool
	loses bool // the capture

	sent     [2][]byte
	isn      [2]uint32
	received [2]int          // contiguous bytes that the other end has
	early    [2]map[int]int  // segments that the other end holds: start -> end
	inFlight [2][]inFlight   // lost by the network, to be sent again
	seen     [2]map[int]bool // bytes that the capture has seen
}

type inFlight struct{ at, n int }

// TestConversationsAreRebuilt lets two ends talk. If the capture loses nothing,
// everything must be there without a gap. If it does, what is there must be what
// was sent, and the gaps must fill the rest.
func TestConversationsAreRebuilt(t *testing.T) {
	for seed := range uint64(80) {
		live, loses := seed%2 == 0, seed%4 >= 2
		t.Run(fmt.Sprintf("%d/live=%t/loses=%t", seed, live, loses), func(t *testing.T) {
			converse(t, seed, live, loses)
		})
	}
}

func converse(t *testing.T, seed uint64, live, loses bool) {
	sink, stats, mem := newRecorder(t), &Stats{}, budget.New(1<<30)
	k := &conversation{
		r: rand.New(rand.NewPCG(seed, 2)), table: NewTable(Settings{}, mem, sink, stats),
		now: someTime, live: live, loses: loses,
	}
	for d := range k.sent {
		k.isn[d] = -uint32(k.r.IntN(20_000))
		k.early[d], k.seen[d] = map[int]int{}, map[int]bool{}
	}
	k.capture(Out, capture.SYN, k.isn[Out], 0, nil)
	k.capture(In, capture.SYN|capture.ACK, k.isn[In], k.isn[Out]+1, nil)
	for range 60 {
		k.step(Dir(k.r.IntN(2)))
	}
	for d := range k.sent {
		for len(k.inFlight[d]) > 0 {
			k.again(Dir(d))
		}
	}
	for d := range k.sent {
		k.capture(Dir(d), capture.FIN|capture.ACK, k.seq(Dir(d), len(k.sent[d])), k.ack(Dir(d)), nil)
	}
	k.table.Shutdown(k.now)

	require.Len(t, sink.opened, 1)
	got := sink.conns[sink.opened[0]]
	for d := range k.sent {
		assert.Equal(t, uint64(len(k.sent[d])), got.next[d])
		missing := uint64(len(k.sent[d]) - len(k.seen[d]))
		assert.GreaterOrEqual(t, got.gaps[d], missing)
		if !loses {
			assert.Zero(t, got.gaps[d])
			assert.True(t, bytes.Equal(k.sent[d], got.data[d]))
		}
		for _, p := range got.pieces[d] {
			require.True(t, bytes.Equal(k.sent[d][p.at:][:len(p.b)], p.b), "other bytes at %d", p.at)
		}
	}
	assert.Equal(t, ReasonFIN, got.reason)
	assert.Zero(t, mem.Used())
}

// step lets one end send something new, or again.
func (k *conversation) step(d Dir) {
	k.now += 1e5
	if k.r.IntN(10) == 0 {
		k.table.Tick(k.now)
	}
	if len(k.inFlight[d]) > 0 && k.r.IntN(3) == 0 {
		k.again(d)
		return
	}
	n := 1 + k.r.IntN(800)
	at := len(k.sent[d])
	for range n {
		k.sent[d] = append(k.sent[d], byte(k.r.Uint32()))
	}
	k.send(d, at, n)
}

// again sends the oldest segment again that the network lost, cut in another way.
func (k *conversation) again(d Dir) {
	f := k.inFlight[d][0]
	k.inFlight[d] = k.inFlight[d][1:]
	at := max(0, f.at-k.r.IntN(50))
	k.send(d, at, f.at+f.n-at)
}

// send puts a segment on the wire. A live capture at the sender sees what the
// network loses; one at the receiver sees what arrives.
func (k *conversation) send(d Dir, at, n int) {
	lost := k.r.IntN(6) == 0
	if lost {
		k.inFlight[d] = append(k.inFlight[d], inFlight{at, n})
	}
	if d == In && lost && k.live {
		return
	}
	for range 1 + k.r.IntN(8)/7 {
		if !k.loses || k.r.IntN(5) != 0 {
			for i := at; i < at+n; i++ {
				k.seen[d][i] = true
			}
			k.capture(d, capture.ACK|capture.PSH, k.seq(d, at), k.ack(d), k.sent[d][at:at+n])
		}
	}
	if !lost {
		k.arrive(d, at, n)
	}
}

func (k *conversation) arrive(d Dir, at, n int) {
	k.early[d][at] = max(k.early[d][at], at+n)
	for moved := true; moved; {
		moved = false
		for from, to := range k.early[d] {
			if from <= k.received[d] && to > k.received[d] {
				k.received[d], moved = to, true
			}
		}
	}
}

func (k *conversation) seq(d Dir, at int) uint32 { return k.isn[d] + 1 + uint32(at) }
func (k *conversation) ack(d Dir) uint32         { return k.seq(d.Other(), k.received[d.Other()]) }

func (k *conversation) capture(d Dir, flags capture.Flags, seq, ack uint32, b []byte) {
	b = bytes.Clone(b)
	seg := capture.Segment{
		Time: k.now, Transport: capture.TCP, Flags: flags, Seq: seq, Ack: ack,
		Source: clientAddr, Destination: serverAddr, Direction: capture.Egress,
		Payload: b, WireLen: len(b),
	}
	if d == In {
		seg.Source, seg.Destination, seg.Direction = serverAddr, clientAddr, capture.Ingress
	}
	if k.live {
		seg.Socket = clientSocket
	}
	k.table.Segment(&seg)
	clear(b)
}
