// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// FuzzPairer plays any sequence of messages, losses and pauses on two sessions. Each
// message comes out exactly once, in an exchange that it fits, and what waits is
// bounded.
func FuzzPairer(f *testing.F) {
	// Four bytes each: what, direction and session, key, position.
	f.Add([]byte{0, 0, 0, 10, 1, 1, 0, 10, 0, 0, 0, 10, 2, 1, 0, 5, 1, 1, 0, 10})
	f.Add([]byte{0, 0, 0, 10, 0, 0, 0, 10, 5, 1, 0, 20, 1, 1, 0, 10, 6, 0, 0, 255})
	f.Add([]byte{8, 0, 1, 10, 8, 0, 2, 10, 9, 1, 2, 10, 10, 1, 1, 1, 9, 1, 1, 10, 3, 0, 0, 1})
	f.Add([]byte{12, 0, 1, 10, 13, 1, 1, 10, 6, 0, 0, 9, 14, 0, 0, 0, 14, 0, 0, 0, 12, 0, 1, 11, 6, 0, 0, 7, 7, 0, 0, 0})
	f.Add([]byte{1, 1, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 9, 15, 2, 7, 1})
	f.Add([]byte{9, 1, 1, 10, 9, 1, 2, 10, 9, 1, 3, 10, 9, 1, 4, 10, 9, 1, 4, 10, 6, 0, 0, 255, 8, 0, 1, 1})
	f.Add(slices.Concat([]byte{0, 0, 0, 10}, bytes.Repeat([]byte{2, 1, 0, 1}, 40), []byte{1, 1, 0, 10}))
	f.Add(slices.Concat([]byte{8, 0, 1, 10}, bytes.Repeat([]byte{10, 1, 1, 1}, 40), []byte{9, 1, 1, 10}))
	f.Fuzz(func(t *testing.T, script []byte) {
		const outstanding, maxLent = 3, 4
		r := newBalance(t)
		pairer := New(Settings{OpenAfter: 5 * second}, r, &r.stats)
		var sessions [2]*dissect.Session
		for i := range sessions {
			sessions[i] = &dissect.Session{
				Conn: &conn.Conn{Transport: capture.TCP, Midway: i == 1}, First: i == 0,
				Limits: dissect.Limits{Outstanding: outstanding, Age: 20 * second},
			}
		}
		type loan struct {
			*dissect.Session
			*dissect.Message
		}
		var lent []loan
		handOver := func() {
			pairer.Message(lent[0].Session, lent[0].Message)
			lent = lent[1:]
		}
		seq, now := [2]uint32{0xfffffff0, 1000}, int64(0)
		for ; len(script) >= 4; script = script[4:] {
			op, d, key, n := script[0]%16, dissect.Direction(script[1]&1), uint64(script[2]%5), uint32(script[3])
			s := sessions[script[1]>>1&1]
			now += int64(script[1]>>2) * second / 8
			switch op {
			case 5:
				seq[d] += n
				pairer.Resync(s, d, []conn.Reason{dissect.ReasonGap, dissect.ReasonViolation}[key%2], now)
				if key > 2 {
					pairer.Skipped(s, d, conn.Mark{Time: now, Seq: seq[d]})
				}
			case 6:
				now += int64(n) * second
				pairer.Tick(now)
			case 7:
				for len(lent) > 0 {
					handOver()
				}
				pairer.Close(s, now, "fin")
			case 14:
				if len(lent) > 0 {
					handOver()
				}
			default:
				m := &dissect.Message{Kind: dissect.Kind(op % 4), Direction: d, Keyed: op >= 8, Key: key, Reversed: op == 15}
				m.First = conn.Mark{Time: now, Seq: seq[d], Ack: seq[d.Other()] - uint32(script[2]>>4)}
				m.Last = m.First
				m.Last.Seq += n
				seq[d] += n + 1
				if op == 4 {
					m.Incomplete = "gap"
				}
				r.waiting[m] = true
				if op != 12 && op != 13 {
					pairer.Message(s, m)
					break
				}
				m.Keyed = n&1 == 0
				if len(lent) == maxLent {
					handOver()
				}
				lent = append(lent, loan{s, m})
				pairer.Started(s, m)
			}
			// Requests and responses are bounded each, in order and by key, and the
			// interim ones of each.
			if most := len(sessions)*(3*outstanding+1)*(maxInterim+1) + maxLent; len(r.waiting) > most {
				t.Fatalf("%d messages wait, at most %d can", len(r.waiting), most)
			}
		}
		for len(lent) > 0 {
			handOver()
		}
		for _, s := range sessions {
			pairer.Close(s, now, "shutdown")
		}
		pairer.Tick(now)
		r.finish()
		require.Nil(t, pairer.waiting)
		require.Nil(t, pairer.open.first)
	})
}

// balance is a Sink that wants each message back once.
type balance struct {
	t         *testing.T
	waiting   map[*dissect.Message]bool
	exchanges uint64
	stats     Stats
}

func newBalance(t *testing.T) *balance {
	t.Helper()
	return &balance{t: t, waiting: map[*dissect.Message]bool{}}
}

func (b *balance) take(m *dissect.Message) {
	if !b.waiting[m] {
		b.t.Fatal("a message came out that is not in")
	}
	delete(b.waiting, m)
}

// Open implements Sink.
func (b *balance) Open(x *Exchange, _ int64) {
	if !b.waiting[x.Request] || x.Response != nil && !b.waiting[x.Response] {
		b.t.Fatal("a call is told of that is not open")
	}
}

// Exchange implements Sink.
func (b *balance) Exchange(x *Exchange) {
	b.exchanges++
	switch {
	case x.Request == nil && x.Response == nil:
		b.t.Fatal("an exchange of nothing")
	case x.Request != nil && x.Response != nil && x.Missing != "":
		b.t.Fatalf("both are there, and %q", x.Missing)
	case len(x.Interim) > maxInterim:
		b.t.Fatalf("%d interim responses", len(x.Interim))
	case x.Uncertain && (x.Request == nil || x.Response == nil):
		b.t.Fatal("an uncertain pair of one")
	}
	for _, m := range x.Interim {
		b.take(m)
	}
	if x.Request != nil {
		b.take(x.Request)
	}
	if x.Response != nil {
		b.take(x.Response)
	}
}

// Event implements Sink.
func (b *balance) Event(e *Event) { b.take(e.Message) }

// Tick implements Sink.
func (*balance) Tick(int64) {}

func (b *balance) finish() {
	require.Empty(b.t, b.waiting, "messages that never came out")
	s := &b.stats
	require.Equal(b.t, b.exchanges, s.Paired.Load()+s.OneWay.Load()+s.RequestMissing.Load()+s.ResponseMissing.Load())
}
