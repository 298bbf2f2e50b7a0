// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// A keptAlive connection has short calls, nearly all of the same length. The process is
// that of its server, which reads a byte of the next request ahead, or of its client.
type keptAlive struct {
	random   *rand.Rand
	overhead int
	server   bool
	heard    int // from this exchange on
	guessed  int // an overhead, wrongly

	c      *Connection
	events []event
	next   [2]uint64 // position of plaintext
	seq    [2]uint32
	begins [2]map[byte]uint32 // where messages are on the wire
}

const keptAliveCalls = 30

// TestGuessedOverhead: what a record has besides its plaintext is not known of a connection
// that was joined midway. Calls are found at their places with each of the usual suites,
// also where a process tells of some of them late.
func TestGuessedOverhead(t *testing.T) {
	for _, n := range overheads {
		for _, server := range []bool{true, false} {
			t.Run(fmt.Sprint(n, " server ", server), func(t *testing.T) {
				for seed := range uint64(200) {
					random := rand.New(rand.NewPCG(seed, 3))
					k := keptAlive{random: random, overhead: n, server: server, heard: 1 + random.IntN(12)}
					k.play(t, fmt.Sprint("seed ", seed))
				}
			})
		}
	}
}

// TestWrongGuess: an overhead with which nothing fits is given up.
func TestWrongGuess(t *testing.T) {
	for _, n := range overheads {
		for _, wrong := range overheads {
			if wrong == n {
				continue
			}
			t.Run(fmt.Sprint(n, " not ", wrong), func(t *testing.T) {
				for seed := range uint64(20) {
					k := keptAlive{random: rand.New(rand.NewPCG(seed, 4)), overhead: n, server: seed%2 == 0, guessed: wrong, heard: 1}
					k.play(t, fmt.Sprint("seed ", seed))
					assert.Equal(t, n, k.c.overhead)
				}
			})
		}
	}
}

func (k *keptAlive) play(t *testing.T, name string) {
	out := &bothSides{}
	k.c = newTest(&account{most: 1 << 20}, out)
	k.c.overhead = k.guessed
	k.next = [2]uint64{seenLate, seenLate}
	k.begins = [2]map[byte]uint32{{}, {}}
	at, settled := second, k.heard+8
	if k.guessed != 0 {
		settled += 10
	}
	for i := range keptAliveCalls {
		at = k.call(i, at)
	}
	slices.SortStableFunc(k.events, func(a, b event) int { return int(a.at - b.at) })
	for i := range k.events[1:] { // what is shown may be taken from the capture before an earlier record
		if k.events[i+1].library && !k.events[i].library && k.random.IntN(4) == 0 {
			k.events[i], k.events[i+1] = k.events[i+1], k.events[i]
		}
	}
	for _, e := range k.events {
		e.do()
	}
	wait(k.c, at)
	for d, messages := range out.first {
		for i := k.heard; i < keptAliveCalls; i++ {
			m := messages[byte(i)]
			if i < settled && (m.Ack == 0 || k.guessed != 0) {
				continue // nothing is known of it, or not its place
			}
			assert.Equal(t, k.begins[d][byte(i)], m.Seq, "%s: place of message %d in direction %d", name, i, d)
		}
	}
}

// call tells of one call, and gives when the next one can begin.
func (k *keptAlive) call(i int, at int64) int64 {
	digit := 0 // of a number in the message
	if i >= 10 {
		digit = 1
	}
	request, response := 121+2*digit, 1169+digit
	k.record(toServer, i, at, request)
	answered := at + k.soon() + 100e3
	k.record(toClient, i, answered, response)
	again := answered + k.soon() + 50e3
	if i%5 == 4 {
		again += int64(k.random.IntN(60)) * 1e6
	}
	if k.server {
		rest := at + k.soon()
		if k.random.IntN(3) == 0 {
			k.show(toServer, i, at+10e3, 1, true)
			request--
			rest += 20e3
		}
		k.show(toServer, i, min(rest, answered-1e3), request, true)
		shown := answered + k.soon()
		if again < answered+2e6 && k.random.IntN(4) == 0 {
			shown = again + 15e3 // when a byte of the next request has been read
		}
		k.show(toClient, i, min(shown, again+15e3), response, false)
	} else {
		k.show(toServer, i, min(at+k.soon(), answered), request, false)
		k.show(toClient, i, min(answered+k.soon(), again-1e3), response, true)
	}
	return again
}

// soon is a short time, in nanoseconds, as a busy machine takes it.
func (k *keptAlive) soon() int64 {
	d := 20e3 + k.random.Int64N(100e3)
	if k.random.IntN(20) == 0 {
		d += k.random.Int64N(5e6)
	}
	return d
}

func (k *keptAlive) record(d dissect.Direction, i int, at int64, size int) {
	size += k.overhead
	m := conn.Mark{Time: at, Seq: k.seq[d], Ack: 1 + k.seq[1-d], Offset: uint64(k.seq[d]) + headerBytes}
	k.begins[d][byte(i)] = k.seq[d]
	k.seq[d] += uint32(headerBytes + size)
	k.events = append(k.events, event{at, false, func() { k.c.Record(d, m, size, true) }})
}

func (k *keptAlive) show(d dissect.Direction, i int, at int64, n int, read bool) {
	if i < k.heard {
		return
	}
	m := conn.Mark{Time: at, Offset: k.next[d]}
	k.next[d] += uint64(n)
	k.events = append(k.events, event{at, true, func() { k.c.Plain(d, m, read, bytes.Repeat([]byte{byte(i)}, n)) }})
}

// bothSides are the marks of the first bytes of messages.
type bothSides struct{ first [2]map[byte]conn.Mark }

func (s *bothSides) Data(d dissect.Direction, m conn.Mark, b []byte) {
	if s.first[d] == nil {
		s.first[d] = map[byte]conn.Mark{}
	}
	if _, ok := s.first[d][b[0]]; !ok {
		s.first[d][b[0]] = m
	}
}
func (*bothSides) Gap(dissect.Direction, conn.Mark, uint64) {}
