// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
)

// FuzzEngine drives dissectors that do what the bytes say, however wrong: they panic,
// use more than there is, take memory and keep it, hand over at any time. Nothing of
// that may reach other connections, the work for a byte is bounded, and no memory may
// be left.
func FuzzEngine(f *testing.F) {
	// Circumstances, and then steps: what and direction, length, bytes.
	f.Add([]byte{0, 0, 4, 15, 15, 8, 9, 1, 2, 1, 2, 4, 20, 0, 3, 2, 2, 2})
	f.Add([]byte{1, 0, 2, 10, 1, 0, 3, 15, 6, 1, 0, 1, 5, 4, 200, 0, 9, 15, 5, 5, 5, 5, 5, 5, 5, 5})
	f.Add([]byte{2, 0, 3, 7, 3, 13, 1, 3, 4, 9, 11, 0, 2, 10, 0, 1, 4, 10, 1, 10, 2})
	f.Add([]byte{4, 0, 2, 10, 2, 0, 2, 10, 2, 1, 2, 10, 2, 6, 3, 0, 1, 15})
	for what := range byte(17) { // one thing each, and then the other way
		f.Add([]byte{4, 0, 2, what, 9, 1, 3, 0, 7, 7, 4, 3, 0, 3, what, 5, 5})
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) == 0 {
			return
		}
		p := newPuppets(t, script[0])
		for script = script[1:]; len(script) >= 2; {
			op, n := script[0], int(script[1])
			script = script[2:]
			d := conn.Dir(op & 1)
			m := conn.Mark{Time: p.now, Offset: p.offset[d], Seq: uint32(p.offset[d])}
			p.now += 1e6
			switch op >> 1 % 4 {
			case 2:
				p.engine.Gap(&p.conn, d, m, uint64(n)+1)
				p.offset[d] += uint64(n) + 1
			case 3:
				p.engine.End(&p.conn, d, p.now, conn.ReasonFIN)
			default:
				n = min(n, len(script))
				b := append([]byte(nil), script[:n]...)
				script = script[n:]
				p.bytes += n
				p.engine.Data(&p.conn, d, m, b)
				clear(b)
				p.offset[d] += uint64(n)
			}
			p.steps++
			p.check()
		}
		p.engine.End(&p.conn, conn.Out, p.now, conn.ReasonFIN)
		p.engine.End(&p.conn, conn.In, p.now, conn.ReasonFIN)
		p.engine.Close(&p.conn, p.now, conn.ReasonFIN)
		p.check()
		require.Zero(t, p.memory.Used(), "memory that is left")
		require.Zero(t, p.sessions, "sessions that were not closed")
		p.stats.Each(func(metric, _, reason string, n int64) {
			if metric == engine.MetricConnections {
				require.Zero(t, n, reason)
			}
		})
	})
}

// puppets is an engine with one connection, and the stage after it.
type puppets struct {
	t      *testing.T
	engine *engine.Engine
	stats  engine.Stats
	memory *budget.Budget
	conn   conn.Conn
	now    int64
	offset [2]uint64

	steps, bytes, calls int
	open                map[*dissect.Session]bool
	sessions            int
}

func newPuppets(t *testing.T, circumstances byte) *puppets {
	t.Helper()
	p := &puppets{t: t, memory: budget.New(200 << 10), now: 1e18, open: map[*dissect.Session]bool{}}
	p.conn = conn.Conn{Transport: capture.TCP, Initiator: conn.InitiatorLocal, Midway: circumstances&1 != 0, Memory: p.memory.Account()}
	if circumstances&2 != 0 {
		p.conn.Transport = capture.UDP
	}
	list := []dissect.Dissector{puppet{p, "a", circumstances}, puppet{p, "b", circumstances >> 1}}
	p.engine = engine.New(engine.Settings{}, list, p, zap.NewNop(), &p.stats)
	p.engine.Open(&p.conn)
	return p
}

// check bounds memory, and calls by what there was to do. Each byte may be shown
// again a few times: to each dissector, at each change of protocol, by each search.
func (p *puppets) check() {
	if used := p.memory.Used(); used < 0 || used > p.memory.Limit() {
		p.t.Fatalf("%d bytes of memory are taken", used)
	}
	if most := 100 * (p.bytes + p.steps + 1); p.calls > most {
		p.t.Fatalf("%d calls for %d bytes in %d steps", p.calls, p.bytes, p.steps)
	}
}

// Message implements dissect.Output.
func (p *puppets) Message(s *dissect.Session, m *dissect.Message) {
	p.begin(s)
	if m.Reserved < 0 {
		p.t.Fatal("a message gives more back than it has")
	}
	s.Conn.Memory.Give(m.Reserved)
}

// Started implements dissect.Output.
func (p *puppets) Started(s *dissect.Session, _ *dissect.Message) { p.begin(s) }

// Resync implements dissect.Output.
func (p *puppets) Resync(s *dissect.Session, _ dissect.Direction, _ conn.Reason, _ int64) {
	p.begin(s)
}

// Skipped implements dissect.Output.
func (p *puppets) Skipped(s *dissect.Session, _ dissect.Direction, _ conn.Mark) { p.begin(s) }

func (p *puppets) begin(s *dissect.Session) {
	if !p.open[s] {
		p.open[s] = true
		p.sessions++
	}
}

// Close implements dissect.Output.
func (p *puppets) Close(s *dissect.Session, _ int64, _ conn.Reason) {
	if p.open[s] {
		p.open[s] = false
		p.sessions--
	}
}

// Tick implements dissect.Output.
func (*puppets) Tick(int64) {}

// puppet is a dissector that does what bytes say.
type puppet struct {
	*puppets
	name          string
	circumstances byte
}

func (p puppet) Info() dissect.Info {
	return dissect.Info{
		Name: p.name, Transport: p.puppets.conn.Transport, ProbeBytes: 4,
		Limits: dissect.Limits{HeaderBytes: 40, BodyBytes: 100, Outstanding: 4, Age: 1e9},
	}
}

func (p puppet) Probe(client, server []byte) dissect.Verdict {
	p.calls++
	switch {
	case p.circumstances&4 != 0:
		return dissect.Yes
	case len(client) > 0:
		return dissect.Verdict(client[0] % 4)
	case len(server) > 0:
		return dissect.Verdict(server[0] / 4 % 4)
	}
	return dissect.NeedMore
}

func (p puppet) New(_ dissect.Limits, sink dissect.Sink) dissect.Conversation {
	c := &control{puppet: p, sink: sink}
	if p.circumstances&8 != 0 {
		return bareControl{c}
	}
	return c
}

func (puppet) Describe(dissect.Side, *dissect.Message, *dissect.Message, dissect.Attributes) dissect.Summary {
	return dissect.Summary{}
}

// bareControl can do nothing but what it must.
type bareControl struct{ dissect.Conversation }

// control is the conversation of a puppet.
type control struct {
	puppet
	sink dissect.Sink
	last byte
}

func (s *control) Data(d dissect.Direction, _ dissect.Marks, b []byte) (used, need int, err error) {
	s.calls++
	arg := 1
	if len(b) > 1 {
		arg = int(b[1])
	}
	s.last = byte(arg)
	switch b[0] % 24 {
	case 1:
		return 0, len(b) + arg, nil
	case 2:
		return 1, 0, nil
	case 3:
		return -1, arg, nil
	case 4:
		return len(b) + arg, 0, nil
	case 5:
		return arg % (len(b) + 1), 0, dissect.ErrViolation
	case 6:
		panic(arg)
	case 7:
		s.sink.Keep(arg << 8)
	case 8:
		if s.sink.Keep(arg << 4) {
			s.message(d, arg<<4)
		}
	case 9:
		s.message(d, arg<<8)
	case 10:
		s.sink.Upgrade([...]string{"", "a", "b", "x"}[arg%4])
		return min(len(b), 1+arg%3), 0, nil
	case 11:
		s.sink.Release(arg << 4)
	case 12:
		return 0, -arg, nil
	case 13:
		s.sink.Limit("a limit")
	case 14:
		s.sink.Keep(-arg)
		s.sink.Release(-arg)
		s.message(d, -arg)
	case 15:
		return 0, arg, nil
	case 16:
		for range arg {
			s.message(d, 0)
		}
	}
	return len(b), 0, nil
}

func (s *control) message(d dissect.Direction, reserved int) {
	s.sink.Message(&dissect.Message{Kind: dissect.Kind(s.last % 5), Direction: d, Reserved: reserved})
}

func (s *control) Gap(dissect.Direction, conn.Mark, uint64) bool {
	s.calls++
	switch s.last % 5 {
	case 3:
		s.sink.Upgrade("a")
	case 4:
		panic("gap")
	}
	return s.last%2 == 0
}

func (s *control) End(d dissect.Direction, _ int64, _ conn.Reason) {
	s.calls++
	switch s.last % 7 {
	case 4:
		s.message(d, 7)
	case 5:
		panic("end")
	case 6:
		s.sink.Upgrade("b")
	}
}

// FindStart implements dissect.Resyncer.
func (s *control) FindStart(_ dissect.Direction, b []byte) int {
	s.calls++
	switch s.last % 4 {
	case 0:
		return -2
	case 1:
		return len(b) + 3
	}
	return int(s.last) % (len(b) + 1)
}

// TransferMessages implements dissect.Upgrader.
func (s *control) TransferMessages(bool) []*dissect.Message {
	s.calls++
	if s.last%3 == 0 || !s.sink.Keep(100) {
		return nil
	}
	return []*dissect.Message{{Reserved: 100}, {Reserved: 100}, {Reserved: -3}}
}

// AcceptMessages implements dissect.Successor.
func (s *control) AcceptMessages(messages []*dissect.Message) {
	for _, m := range messages {
		s.sink.Message(m)
	}
}

// Spare implements dissect.Skipper.
func (s *control) Spare(dissect.Direction) uint64 {
	s.calls++
	return uint64(s.last) << (s.last % 60)
}

// Skip implements dissect.Skipper.
func (s *control) Spared(dissect.Direction, conn.Mark, uint64) { s.calls++ }
