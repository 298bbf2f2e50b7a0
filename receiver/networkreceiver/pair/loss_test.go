// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// simulation is a client and a server that call each other over a link that
// takes time, and a tap that sees the messages in the order in which they are
// sent. Call i has Key i, so that true pairs are known; the messages are not Keyed.
type simulation struct {
	random  *rand.Rand
	calls   int
	window  bool // begin in a way that shows a window
	mayPart bool // a server may answer before the request is complete
	next    func(s *simulation) int

	seq               [2]uint32 // by dissect.Direction
	sent, answered    int
	serverHas         int // requests that the server has received
	clientHas         int // responses that the client has received
	serverSeq         uint32
	clientSeq         uint32
	requests, answers []*dissect.Message
	order             []*dissect.Message
	time              int64
}

// How many requests a client sends now.
func serialClient(s *simulation) int {
	if s.sent == s.clientHas {
		return 1
	}
	return 0
}

func batchClient(s *simulation) int {
	switch s.sent {
	case 0:
		return 2 + s.random.IntN(4) // pipelining is to be seen from the start
	case s.clientHas:
		return 1 + s.random.IntN(5)
	}
	return 0
}

func windowClient(s *simulation) int {
	if s.sent-s.clientHas < 3 {
		return 1
	}
	return 0
}

func (s *simulation) run() []*dissect.Message {
	s.seq = [2]uint32{0xffffff00, 0x7fffff80}
	s.serverSeq, s.clientSeq = s.seq[dissect.ToServer], s.seq[dissect.ToClient]
	if s.window {
		// The client sends a fourth request when the first response has come, so
		// that it can be seen what it does.
		for _, step := range []func(){s.send, s.send, s.receive, s.answer, s.deliver, s.send, s.receive, s.answer} {
			step()
		}
	}
	for s.answered < s.calls {
		switch s.random.IntN(4) {
		case 0:
			for range min(s.next(s), s.calls-s.sent) {
				s.send()
			}
		case 1:
			s.receive()
		case 2:
			s.answer()
		case 3:
			s.deliver()
		}
	}
	return s.order
}

// receive lets the server have one more request.
func (s *simulation) receive() {
	if s.serverHas < s.sent {
		s.serverHas++
		s.serverSeq = end(s.requests[s.serverHas-1])
	}
}

// deliver lets the client have one more response.
func (s *simulation) deliver() {
	if s.clientHas < s.answered {
		s.clientHas++
		s.clientSeq = end(s.answers[s.clientHas-1])
	}
}

func (s *simulation) message(kind dissect.Kind, d dissect.Direction, ack uint32, call int) *dissect.Message {
	size := uint32(20 + s.random.IntN(100))
	if s.seq[d]+size == 0 {
		size++ // an acknowledgement of 0 stands for none
	}
	s.time++
	offset := uint64(s.seq[d] - [2]uint32{0xffffff00, 0x7fffff80}[d])
	m := &dissect.Message{
		Kind: kind, Direction: d, Key: uint64(call), Size: uint64(size),
		First: conn.Mark{Time: s.time, Seq: s.seq[d], Ack: ack, Offset: offset},
		Last:  conn.Mark{Time: s.time, Seq: s.seq[d] + size - 1, Ack: ack, Offset: offset + uint64(size) - 1},
	}
	s.seq[d] += size
	return m
}

func (s *simulation) send() {
	m := s.message(dissect.Request, dissect.ToServer, s.clientSeq, s.sent)
	s.requests = append(s.requests, m)
	s.sent++
	s.order = append(s.order, m)
}

func (s *simulation) answer() {
	if s.answered < s.serverHas {
		m := s.message(dissect.Response, dissect.ToClient, s.serverSeq, s.answered)
		s.answers = append(s.answers, m)
		s.answered++
		s.order = append(s.order, m)
		return
	}
	if !s.mayPart || s.answered == s.sent || s.random.IntN(3) > 0 {
		return
	}
	// The server has received some of the request that it answers. The tap has
	// the whole response before it has the whole request.
	request := s.requests[s.answered]
	ack := request.First.Seq + slack + 1 + uint32(s.random.IntN(int(request.Size)-slack-1))
	if ack == 0 {
		ack++
	}
	m := s.message(dissect.Response, dissect.ToClient, ack, s.answered)
	s.answers = append(s.answers, m)
	s.answered++
	i := slices.Index(s.order, request)
	s.order = append(slices.Delete(s.order, i, i+1), m, request)
	s.serverHas, s.serverSeq = s.answered, end(request)
}

// collector is the sink of the tests.
type collector struct{ exchanges []*Exchange }

func (*collector) Open(*Exchange, int64)  {}
func (c *collector) Exchange(x *Exchange) { c.exchanges = append(c.exchanges, x) }
func (*collector) Event(*Event)           {}
func (*collector) Tick(int64)             {}

// replay pairs messages without those that are lost. A run of losses is one hole.
func replay(messages []*dissect.Message, lost func(i int) bool, midway bool) (*collector, *Stats) {
	sink, stats := &collector{}, &Stats{}
	p := New(Settings{}, sink, stats)
	s := &dissect.Session{Conn: &conn.Conn{Transport: capture.TCP, Midway: midway}, First: true}
	if midway {
		p.Resync(s, dissect.ToServer, dissect.ReasonMidway, 0)
		p.Resync(s, dissect.ToClient, dissect.ReasonMidway, 0)
	}
	for i, m := range messages {
		own := *m
		if lost(i) {
			p.Resync(s, m.Direction, dissect.ReasonGap, m.First.Time)
			continue
		}
		p.Message(s, &own)
	}
	p.Close(s, 0, "fin")
	return sink, stats
}

// describe is for failures.
func describe(messages []*dissect.Message, lost func(int) bool) string {
	var text strings.Builder
	for i, m := range messages {
		fmt.Fprintf(&text, "%s%d [%d..%d] ack %d", [...]string{"q", "p"}[m.Kind], m.Key, m.First.Seq, end(m), m.First.Ack)
		if lost(i) {
			text.WriteString(" LOST")
		}
		text.WriteString("\n")
	}
	return text.String()
}

// checkTrue wants each message out once and no pair that is false and certain. It
// returns the calls that came out whole and certain.
func checkTrue(t *testing.T, sink *collector, delivered int, context func() string) map[uint64]bool {
	t.Helper()
	whole := map[uint64]bool{}
	out := 0
	for _, x := range sink.exchanges {
		switch {
		case x.Request != nil && x.Response != nil:
			out += 2
			if x.Uncertain {
				continue
			}
			if x.Request.Key != x.Response.Key {
				require.Equal(t, x.Request.Key, x.Response.Key, "a false pair\n%s", context())
			}
			whole[x.Request.Key] = true
		default:
			out++
			require.NotEmpty(t, x.Missing)
		}
	}
	require.Equal(t, delivered, out, "messages out")
	return whole
}

// wholeCalls are the calls of which nothing is lost.
func wholeCalls(messages []*dissect.Message, lost func(int) bool) map[uint64]bool {
	sides := map[uint64]int{}
	for i, m := range messages {
		if !lost(i) {
			sides[m.Key]++
		}
	}
	whole := map[uint64]bool{}
	for key, n := range sides {
		if n == 2 {
			whole[key] = true
		}
	}
	return whole
}

func count(n int, lost func(int) bool) (delivered int) {
	for i := range n {
		if !lost(i) {
			delivered++
		}
	}
	return delivered
}

// A connection that sends one request at a time gives every call of which both
// messages were seen, whatever else is lost.
func TestSerialClientLosesNothingElse(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 0))
		sim := &simulation{random: random, calls: 1 + random.IntN(12), next: serialClient, mayPart: seed%2 == 0}
		messages := sim.run()
		rate, midway := random.IntN(60), seed%3 == 0
		drop := make([]bool, len(messages))
		for i := range drop {
			drop[i] = random.IntN(100) < rate
		}
		lost := func(i int) bool { return drop[i] }
		context := func() string { return fmt.Sprintf("seed %d, midway %v\n%s", seed, midway, describe(messages, lost)) }
		sink, _ := replay(messages, lost, midway)
		got := checkTrue(t, sink, count(len(messages), lost), context)
		if want := wholeCalls(messages, lost); !maps.Equal(want, got) {
			require.Equal(t, want, got, "calls of which nothing is lost\n%s", context())
		}
	}
}

// A client that pipelines gives no false pair that is not marked, and without a
// loss every pair.
func TestPipeliningClientGivesNoFalsePair(t *testing.T) {
	for name, client := range map[string]func(*simulation) int{"batch": batchClient, "window": windowClient} {
		// The first calls show what the client does.
		seen := map[string]uint64{"batch": 1, "window": 2}[name]
		t.Run(name, func(t *testing.T) {
			certain, all := 0, 0
			for seed := range uint64(3000) {
				random := rand.New(rand.NewPCG(seed, 1))
				sim := &simulation{random: random, calls: 8 + random.IntN(20), next: client, window: name == "window"}
				messages := sim.run()
				rate := random.IntN(40)
				drop := make([]bool, len(messages))
				for i := range drop {
					drop[i] = messages[i].Key > seen && random.IntN(100) < rate
				}
				lost := func(i int) bool { return drop[i] }
				context := func() string { return fmt.Sprintf("seed %d\n%s", seed, describe(messages, lost)) }
				sink, _ := replay(messages, lost, false)
				got := checkTrue(t, sink, count(len(messages), lost), context)
				if rate == 0 {
					require.Len(t, got, sim.calls)
				}
				certain, all = certain+len(got), all+len(wholeCalls(messages, lost))
			}
			t.Logf("%d of %d whole calls are certain pairs", certain, all)
			assert.Greater(t, certain*4, all, "most pairs are lost or uncertain")
		})
	}
}

// Each single message of a connection lost, one at a time.
func TestEverySingleLoss(t *testing.T) {
	for name, client := range map[string]func(*simulation) int{
		"keep-alive": serialClient,
		"pipelined":  func(s *simulation) int { return 10 - s.sent },
		"batches":    batchClient,
		"window":     windowClient,
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(50) {
				random := rand.New(rand.NewPCG(seed, 2))
				messages := (&simulation{random: random, calls: 10, next: client, window: name == "window"}).run()
				for gone := range messages {
					if name == "window" && messages[gone].Key <= 2 {
						continue
					}
					lost := func(i int) bool { return i == gone }
					context := func() string { return fmt.Sprintf("seed %d\n%s", seed, describe(messages, lost)) }
					sink, _ := replay(messages, lost, false)
					got := checkTrue(t, sink, len(messages)-1, context)
					if name == "keep-alive" {
						require.Equal(t, wholeCalls(messages, lost), got)
					}
				}
			}
		})
	}
}
