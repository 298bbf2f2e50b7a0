// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// act is one thing that happens to a pairer. Messages are made in the order in
// which they are seen; each is ten bytes long and acknowledges all before it.
type act struct {
	kind       dissect.Kind
	name       string
	key        uint64
	keyed      bool
	loss       conn.Reason
	skip       bool
	dir        dissect.Direction
	tick       int64 // seconds
	close      conn.Reason
	incomplete conn.Reason
	overlap    bool // a response that came when five bytes of a request had come
}

func q(name string) act { return act{kind: dissect.Request, name: name} }
func p(name string) act { return act{kind: dissect.Response, name: name, dir: dissect.ToClient} }

func interim(name string) act { return act{kind: dissect.Interim, name: name, dir: dissect.ToClient} }

func early(name string) act {
	return act{kind: dissect.Response, name: name, dir: dissect.ToClient, overlap: true}
}

func earlyInterim(name string) act {
	return act{kind: dissect.Interim, name: name, dir: dissect.ToClient, overlap: true}
}
func note(name string) act           { return act{kind: dissect.OneWay, name: name} }
func tick(seconds int64) act         { return act{tick: seconds} }
func closed(why conn.Reason) act     { return act{close: why} }
func joined(d dissect.Direction) act { return act{loss: dissect.ReasonMidway, dir: d} }

// stray is bytes that were seen and are no message.
func stray(d dissect.Direction) act { return act{loss: dissect.ReasonViolation, skip: true, dir: d} }

func lose(d dissect.Direction) act { return act{loss: dissect.ReasonGap, dir: d} }

// cut makes a message whose end was lost.
func (a act) cut() act {
	a.incomplete = "gap"
	return a
}

func (a act) with(key uint64) act {
	a.key, a.keyed = key, true
	return a
}

// play runs acts on one session and gives the exchanges as text.
func play(s *dissect.Session, acts []act) (out []string) {
	sink := &collector{}
	pairer := New(Settings{}, sink, &Stats{})
	seq := [2]uint32{1000, 5000}
	start := seq
	now := int64(0)
	begun := uint32(0) // what a request that has begun acknowledges
	for _, a := range acts {
		switch {
		case a.close != "":
			pairer.Close(s, now, a.close)
		case a.tick != 0:
			now += a.tick * second
			pairer.Tick(now)
		case a.loss != "":
			seq[a.dir] += 100
			pairer.Resync(s, a.dir, a.loss, now)
			if a.skip {
				pairer.Skipped(s, a.dir, conn.Mark{Time: now, Seq: seq[a.dir]})
			}
		default:
			m := &dissect.Message{Kind: a.kind, Direction: a.dir, Key: a.key, Keyed: a.keyed, Protocol: a.name, Incomplete: a.incomplete}
			m.First = conn.Mark{Time: now, Seq: seq[a.dir], Ack: seq[a.dir.Other()], Offset: uint64(seq[a.dir] - start[a.dir])}
			if a.overlap {
				m.First.Ack += 5
				if begun == 0 {
					begun = seq[a.dir]
				}
			}
			if a.kind == dissect.Request && begun != 0 {
				m.First.Ack, begun = begun, 0
			}
			m.Last = m.First
			m.Last.Seq += 9
			m.Last.Offset += 9
			seq[a.dir] += 10
			pairer.Message(s, m)
		}
	}
	for _, x := range sink.exchanges {
		out = append(out, text(x))
	}
	return out
}

func text(x *Exchange) string {
	var b strings.Builder
	if x.First {
		b.WriteString("first ")
	}
	name := func(m *dissect.Message) {
		if m == nil {
			b.WriteString("-")
			return
		}
		fmt.Fprint(&b, m.Protocol)
	}
	name(x.Request)
	for _, m := range x.Interim {
		fmt.Fprintf(&b, "(%v)", m.Protocol)
	}
	b.WriteString("/")
	name(x.Response)
	if x.Missing != "" {
		b.WriteString(" " + string(x.Missing))
	}
	if x.Uncertain {
		b.WriteString(" uncertain")
	}
	return b.String()
}

func TestPairer(t *testing.T) {
	const toServer, toClient = dissect.ToServer, dissect.ToClient
	for name, test := range map[string]struct {
		session dissect.Session
		conn    conn.Conn
		acts    []act
		want    []string
	}{
		"keep-alive": {
			acts: []act{q("q1"), p("p1"), q("q2"), p("p2"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2"},
		},
		"pipelining": {
			acts: []act{q("q1"), q("q2"), q("q3"), p("p1"), p("p2"), p("p3"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2", "q3/p3"},
		},
		"interim responses": {
			acts: []act{q("q1"), interim("i1"), interim("i2"), p("p1"), closed("fin")},
			want: []string{"first q1(i1)(i2)/p1"},
		},
		"a request that waits for 100-continue": {
			acts: []act{earlyInterim("i1"), q("q1"), p("p1"), closed("fin")},
			want: []string{"first q1(i1)/p1"},
		},
		"a response before its request's end": {
			acts: []act{early("p1"), q("q1"), q("q2"), p("p2"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2"},
		},
		"an early response after a pair": {
			acts: []act{q("q1"), p("p1"), early("p2"), q("q2"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2"},
		},
		"a response that nothing caused": {
			acts: []act{q("q1"), p("p1"), p("p408"), q("q2"), p("p2"), closed("fin")},
			want: []string{"first q1/p1", "-/p408 unsolicited", "q2/p2"},
		},
		"requests without response": {
			acts: []act{q("q1"), q("q2"), closed("rst")},
			want: []string{"first q1/- rst", "q2/- rst"},
		},
		"an upgrade": {
			acts: []act{q("q1"), p("p101"), closed("upgrade")},
			want: []string{"first q1/p101"},
		},
		"one way": {
			acts: []act{note("n1"), q("q1"), note("n2"), p("p1"), closed("fin")},
			want: []string{"first n1/-", "n2/-", "q1/p1"},
		},
		"a lost response": {
			acts: []act{q("q1"), lose(toClient), q("q2"), p("p2"), closed("fin")},
			want: []string{"first q1/- gap", "q2/p2"},
		},
		"a lost request": {
			acts: []act{q("q1"), p("p1"), lose(toServer), p("p2"), q("q3"), p("p3"), closed("fin")},
			want: []string{"first q1/p1", "-/p2 gap", "q3/p3"},
		},
		"the last response lost": {
			acts: []act{q("q1"), p("p1"), q("q2"), lose(toClient), closed("fin")},
			want: []string{"first q1/p1", "q2/- gap"},
		},
		"a hole in a pipeline": {
			acts: []act{q("q1"), q("q2"), q("q3"), q("q4"), p("p1"), lose(toClient), p("p3"), p("p4"), q("q5"), p("p5"), closed("fin")},
			want: []string{"first q1/p1", "q2/- gap", "q3/p3 uncertain", "q4/p4 uncertain", "q5/p5"},
		},
		"a hole in a response of a pipeline": {
			acts: []act{q("q1"), q("q2"), q("q3"), p("p1").cut(), lose(toClient), p("p2"), p("p3"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2 uncertain", "q3/p3 uncertain"},
		},
		"joined midway with a response": {
			conn: conn.Conn{Midway: true},
			acts: []act{joined(toServer), joined(toClient), p("p0"), q("q1"), p("p1"), closed("fin")},
			want: []string{"-/p0 midway", "q1/p1"},
		},
		"joined midway with a request": {
			conn: conn.Conn{Midway: true},
			acts: []act{joined(toServer), joined(toClient), q("q1"), p("p1"), closed("fin")},
			want: []string{"q1/p1"},
		},
		"bytes after a request that belong to none": {
			acts: []act{q("q1"), stray(toServer), p("p1"), q("q2"), p("p2"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2"},
		},
		"bytes after each request, and a real loss": {
			acts: []act{
				q("q1"), stray(toServer), p("p1"), lose(toServer), p("p2"), q("q3"), stray(toServer), p("p3"),
				q("q4"), stray(toServer), p("p4"), closed("fin"),
			},
			want: []string{"first q1/p1", "-/p2 gap", "q3/p3", "q4/p4"},
		},
		"bytes after a response that belong to none": {
			acts: []act{q("q1"), p("p1"), stray(toClient), q("q2"), p("p2"), tick(1), q("q3"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2", "q3/- fin"},
		},
		"bytes that may be a response, and another request": {
			acts: []act{q("q1"), p("p1"), q("q2"), stray(toClient), q("q3"), p("p3"), q("q4"), p("p4"), closed("fin")},
			want: []string{"first q1/p1", "q2/- violation", "q3/p3", "q4/p4"},
		},
		"bytes before the response to the only request": {
			acts: []act{q("q1"), p("p1"), q("q2"), stray(toClient), p("p2"), q("q3"), p("p3"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2", "q3/p3"},
		},
		"bytes between pipelined requests": {
			acts: []act{q("q1"), stray(toServer), q("q2"), p("p1"), p("p2"), q("q3"), p("p3"), closed("fin")},
			want: []string{"first q1/p1", "q2/p2", "q3/p3"},
		},
		"an answer to bytes that are no request": {
			acts: []act{q("q1"), p("p1"), stray(toServer), p("p400"), closed("fin")},
			want: []string{"first q1/p1", "-/p400 violation"},
		},
		"an answer that is no response": {
			acts: []act{q("q1"), p("p1"), q("q2"), stray(toClient), closed("fin")},
			want: []string{"first q1/p1", "q2/- violation"},
		},
		"an answer to nothing, long after a loss": {
			acts: []act{lose(toServer), p("p0"), q("q1"), p("p1"), p("p408"), closed("fin")},
			want: []string{"-/p0 gap", "q1/p1", "-/p408 unsolicited"},
		},
		"a request after the loss is not answered": {
			acts: []act{q("q1"), lose(toClient), tick(1), q("q2"), tick(1), closed("fin")},
			want: []string{"first q1/- gap", "q2/- fin"},
		},
		"the time is over, but the response was lost": {
			acts: []act{q("q1"), lose(toClient), tick(11), closed("fin")},
			want: []string{"first q1/- gap"},
		},
		"too old": {
			acts: []act{q("q1"), tick(11), p("p1"), q("q2"), p("p2"), closed("fin")},
			want: []string{"first q1/- timeout", "-/p1 timeout", "q2/p2"},
		},
		"not too old": {
			acts: []act{q("q1"), tick(9), p("p1"), closed("fin")},
			want: []string{"first q1/p1"},
		},
		"too many": {
			acts: []act{q("q1"), q("q2"), q("q3"), q("q4"), closed("idle")},
			want: []string{"first q1/- outstanding_limit", "q2/- idle", "q3/- idle", "q4/- idle"},
		},
		"keys": {
			acts: []act{q("q1").with(1), q("q2").with(2), p("p2").with(2), p("p1").with(1), closed("fin")},
			want: []string{"first q2/p2", "q1/p1"},
		},
		"keys: the response first": {
			acts: []act{p("p1").with(1), interim("i1").with(1), q("q1").with(1), closed("fin")},
			want: []string{"first q1(i1)/p1"},
		},
		"keys: used again": {
			acts: []act{q("q1").with(1), q("q2").with(1), p("p2").with(1), closed("fin")},
			want: []string{"first q1/- superseded", "q2/p2"},
		},
		"keys: a loss shifts nothing": {
			acts: []act{q("q1").with(1), lose(toServer), p("p2").with(2), lose(toClient), q("q3").with(3), p("p3").with(3), closed("fin")},
			want: []string{"q3/p3", "q1/- gap", "-/p2 gap"},
		},
		"keys: too old and too many": {
			acts: []act{
				q("q1").with(1), tick(11), p("p1").with(1), tick(11),
				q("q2").with(2), q("q3").with(3), q("q4").with(4), q("q5").with(5), closed("fin"),
			},
			want: []string{
				"first q1/- timeout", "-/p1 unsolicited", "q2/- outstanding_limit", "q3/- fin", "q4/- fin", "q5/- fin",
			},
		},
		"nobody has to answer a question to a group": {
			conn: conn.Conn{Transport: capture.UDP, Remote: netip.MustParseAddrPort("224.0.0.251:5353")},
			acts: []act{q("q1").with(1), q("q2").with(2), p("p2").with(2), p("p3").with(3), tick(11), closed("idle")},
			want: []string{"first q2/p2", "q1/-", "-/p3"},
		},
		"datagrams are paired by order": {
			conn: conn.Conn{Transport: capture.UDP},
			acts: []act{q("q1"), p("p1"), p("p2"), q("q2"), closed("idle")},
			want: []string{"first q1/p1", "q2/p2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := test.session
			s.Conn = &test.conn
			if s.Conn.Transport == 0 {
				s.Conn.Transport = capture.TCP
			}
			s.First = true
			s.Limits = dissect.Limits{Outstanding: 3, Age: 10 * second}
			if name == "a hole in a pipeline" {
				s.Limits.Outstanding = 10
			}
			assert.Equal(t, test.want, play(&s, test.acts))
		})
	}
}

// A call that the session's server makes has its client there.
func TestReversed(t *testing.T) {
	sink := &collector{}
	pairer := New(Settings{}, sink, &Stats{})
	s := &dissect.Session{Conn: &conn.Conn{Transport: capture.UDP}, ClientIsLocal: true}
	for _, reversed := range []bool{false, true} {
		key := uint64(1)
		if reversed {
			key = 2
		}
		pairer.Message(s, &dissect.Message{Keyed: true, Key: key, Reversed: reversed, Protocol: "q"})
		pairer.Message(s, &dissect.Message{
			Kind: dissect.Response, Direction: dissect.ToClient, Keyed: true, Key: key, Reversed: reversed, Protocol: "p",
		})
	}
	pairer.Message(s, &dissect.Message{Kind: dissect.OneWay, Direction: dissect.ToClient, Reversed: true, Protocol: "p"})
	var local []bool
	for _, x := range sink.exchanges {
		local = append(local, x.ClientIsLocal)
	}
	assert.Equal(t, []bool{true, false, false}, local)
}

// A request in the segment that opens the connection has no acknowledgement.
func TestFastOpen(t *testing.T) {
	sink := &collector{}
	pairer := New(Settings{}, sink, &Stats{})
	s := &dissect.Session{Conn: &conn.Conn{Transport: capture.TCP}, First: true}
	pairer.Message(s, &dissect.Message{
		First: conn.Mark{Seq: 100}, Last: conn.Mark{Seq: 119}, Protocol: "q",
	})
	pairer.Message(s, &dissect.Message{
		Kind: dissect.Response, Direction: dissect.ToClient, Protocol: "p",
		First: conn.Mark{Seq: 0xf0000000, Ack: 120}, Last: conn.Mark{Seq: 0xf0000010, Ack: 120},
	})
	assert.Len(t, sink.exchanges, 1)
	assert.Equal(t, "first q/p", text(sink.exchanges[0]))
}

func TestStatsAndReservations(t *testing.T) {
	sink, stats := &collector{}, &Stats{}
	pairer := New(Settings{Outstanding: 1, Age: 5 * second}, sink, stats)
	s := &dissect.Session{Conn: &conn.Conn{Transport: capture.UDP}}
	in := 0
	for i := range 40 {
		kind := []dissect.Kind{dissect.Request, dissect.Interim, dissect.Response, dissect.OneWay, dissect.Request}[i%5]
		in += i
		pairer.Message(s, &dissect.Message{Kind: kind, Reserved: i, Last: conn.Mark{Time: int64(i) * second}})
		pairer.Tick(int64(i) * second)
	}
	pairer.Close(s, 0, "fin")
	out, sides := 0, 0
	for _, x := range sink.exchanges {
		for _, m := range append(x.Interim, x.Request, x.Response) {
			if m != nil {
				out += m.Reserved
				sides++
			}
		}
	}
	assert.Equal(t, in, out, "reservations that came in come out")
	assert.Equal(t, 40, sides)
	total := stats.Paired.Load() + stats.OneWay.Load() + stats.RequestMissing.Load() + stats.ResponseMissing.Load()
	assert.Equal(t, uint64(len(sink.exchanges)), total)
	assert.NotZero(t, stats.OverLimit.Load())
	assert.Nil(t, pairer.waiting, "sessions that wait")
}

func BenchmarkPairer(b *testing.B) {
	sink := discardSink{}
	pairer := New(Settings{OpenAfter: 10 * second}, sink, &Stats{})
	s := &dissect.Session{Conn: &conn.Conn{Transport: capture.TCP}, First: true}
	request := &dissect.Message{Size: 10}
	response := &dissect.Message{Kind: dissect.Response, Direction: dissect.ToClient, Size: 10}
	seq := uint32(1)
	b.ReportAllocs()
	for b.Loop() {
		request.First = conn.Mark{Seq: seq, Ack: seq}
		request.Last = conn.Mark{Seq: seq + 9, Ack: seq}
		response.First = conn.Mark{Seq: seq, Ack: seq + 10}
		response.Last = conn.Mark{Seq: seq + 9, Ack: seq + 10}
		seq += 10
		pairer.Message(s, request)
		pairer.Message(s, response)
	}
}

type discardSink struct{}

func (discardSink) Exchange(*Exchange)    {}
func (discardSink) Open(*Exchange, int64) {}
func (discardSink) Event(*Event)          {}
func (discardSink) Tick(int64)            {}
