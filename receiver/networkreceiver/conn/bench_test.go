// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// counter is a Sink that only counts.
type counter struct{ bytes, gaps, ends, closes uint64 }

func (*counter) Open(*Conn)                                {}
func (s *counter) Data(_ *Conn, _ Dir, _ Mark, b []byte)   { s.bytes += uint64(len(b)) }
func (s *counter) Gap(_ *Conn, _ Dir, _ Mark, n uint64)    { s.gaps += n }
func (s *counter) Spared(_ *Conn, _ Dir, _ Mark, n uint64) { s.gaps += n }
func (*counter) Plain(*Conn, Dir, Mark, []byte)            {}
func (s *counter) End(*Conn, Dir, int64, Reason)           { s.ends++ }
func (s *counter) Close(*Conn, int64, Reason)              { s.closes++ }
func (*counter) Tick(int64)                                {}

// talk is one connection that asks and answers for ever.
type talk struct {
	ask, answer capture.Segment
}

func newTalk(n int, live bool) *talk {
	client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)}), uint16(20000+n>>16))
	k := &talk{}
	k.ask = capture.Segment{
		Time: someTime, Transport: capture.TCP, Flags: capture.ACK | capture.PSH,
		Source: client, Destination: serverAddr, Direction: capture.Egress,
		Payload: make([]byte, 500), WireLen: 500, Seq: 100, Ack: 300,
	}
	k.answer = k.ask
	k.answer.Source, k.answer.Destination, k.answer.Direction = serverAddr, client, capture.Ingress
	k.answer.Seq = 300
	if live {
		k.ask.Socket, k.answer.Socket = uint64(n+1), uint64(n+1)
	}
	return k
}

func (k *talk) handshake(t *Table) {
	for i, flags := range []capture.Flags{capture.SYN, capture.SYN | capture.ACK, capture.ACK} {
		seg := [...]*capture.Segment{&k.ask, &k.answer, &k.ask}[i]
		s := *seg
		s.Flags, s.Payload, s.WireLen = flags, nil, 0
		if flags&capture.SYN != 0 {
			s.Seq--
		}
		s.Ack = [...]uint32{0, 100, 300}[i]
		t.Segment(&s)
	}
}

func (k *talk) exchange(t *Table) {
	t.Segment(&k.ask)
	k.ask.Seq += 500
	k.answer.Ack = k.ask.Seq
	t.Segment(&k.answer)
	k.answer.Seq += 500
	k.ask.Ack = k.answer.Seq
	k.ask.Time += 1000
	k.answer.Time += 1000
}

func TestInOrderSegmentsDoNotAllocate(t *testing.T) {
	for _, live := range []bool{true, false} {
		sink := &counter{}
		table := NewTable(Settings{}, budget.New(1<<30), sink, &Stats{})
		k := newTalk(1, live)
		k.handshake(table)
		assert.Zero(t, testing.AllocsPerRun(1000, func() { k.exchange(table) }))
		assert.Equal(t, uint64(1001*1000), sink.bytes)
		assert.Zero(t, sink.gaps)
	}
}

func TestOutOfOrderSegmentsDoNotAllocateOnceBuffersExist(t *testing.T) {
	sink := &counter{}
	table := NewTable(Settings{}, budget.New(1<<30), sink, &Stats{})
	k := newTalk(1, true)
	k.handshake(table)
	allocs := testing.AllocsPerRun(1000, func() {
		late := k.ask
		for range 3 {
			k.ask.Seq += 500
			table.Segment(&k.ask)
		}
		table.Segment(&late)
		k.ask.Seq += 500
	})
	assert.Zero(t, allocs)
	assert.Equal(t, uint64(1001*2000), sink.bytes)
	assert.Zero(t, sink.gaps)
}

func BenchmarkSegment(b *testing.B) {
	for _, live := range []bool{true, false} {
		for _, n := range []int{100, 100_000} {
			b.Run(fmt.Sprintf("live=%t/connections=%d", live, n), func(b *testing.B) {
				stats := &Stats{}
				table := NewTable(Settings{MaxConnections: n}, budget.New(1<<40), &counter{}, stats)
				talks := make([]*talk, n)
				for i := range talks {
					talks[i] = newTalk(i, live)
					talks[i].handshake(table)
				}
				require.Equal(b, int64(n), stats.Open.Load())
				b.ReportAllocs()
				b.ResetTimer()
				for i := 0; i < b.N; i += 2 {
					talks[i/2%n].exchange(table)
				}
			})
		}
	}
}

func BenchmarkConnection(b *testing.B) {
	table := NewTable(Settings{}, budget.New(1<<40), &counter{}, &Stats{})
	b.ReportAllocs()
	for i := range b.N {
		k := newTalk(i, true)
		k.handshake(table)
		k.exchange(table)
		k.ask.Flags |= capture.FIN
		k.answer.Flags |= capture.FIN
		k.answer.Ack++
		k.exchange(table)
	}
}
