// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest/line"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
)

// veil is a carrier: what follows "veil:" in each segment is carried.
type veil struct{ panics bool }

func (veil) Info() dissect.Info {
	return dissect.Info{
		Name: "tls", Transport: capture.TCP, ProbeBytes: 5,
		Limits: dissect.Limits{HeaderBytes: 64, BodyBytes: 64, Outstanding: 4, Age: 1e9},
	}
}

func (veil) Probe(client, server []byte) dissect.Verdict {
	for _, b := range [][]byte{client, server} {
		if len(b) >= 5 && string(b[:5]) == "veil:" {
			return dissect.Yes
		}
	}
	return dissect.No
}

func (v veil) New(_ dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return &veiled{sink: sink, panics: v.panics}
}

func (veil) Describe(dissect.Side, *dissect.Message, *dissect.Message, dissect.Attributes) dissect.Summary {
	return dissect.Summary{Name: "veil"}
}

type veiled struct {
	sink    dissect.Sink
	inner   dissect.Channel
	offset  [2]uint64
	held    []byte
	panics  bool
	waiting bool
	spare   bool
}

func (v *veiled) Carry(inner dissect.Channel)                 { v.inner = inner }
func (*veiled) DescribeCarrier(bool, dissect.Attributes)      {}
func (*veiled) ServerName() string                            { return "veiled.example" }
func (v *veiled) Waiting() bool                               { return v.waiting }
func (*veiled) Gap(dissect.Direction, conn.Mark, uint64) bool { return true }
func (v *veiled) Spared(dissect.Direction, conn.Mark, uint64) {}
func (*veiled) FindStart(dissect.Direction, []byte) int       { return 0 }

func (v *veiled) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	if len(b) < 5 {
		return 0, 5, nil
	}
	switch text := string(b[5:]); {
	case v.panics:
		panic("veil")
	case text == "opaque":
		v.spare = true
	case text == "message":
		v.sink.Message(&dissect.Message{Kind: dissect.OneWay, Protocol: line.Line{Verb: "OUTER"}})
	default:
		v.carry(d, m.At(5), b[5:])
	}
	return len(b), 0, nil
}

func (v *veiled) carry(d dissect.Direction, m conn.Mark, b []byte) {
	m.Offset = v.offset[d]
	v.offset[d] += uint64(len(b))
	v.inner.Data(d, m, b)
}

func (v *veiled) End(d dissect.Direction, t int64, r conn.Reason) { v.inner.End(d, t, r) }

func (v *veiled) Spare(dissect.Direction) uint64 {
	if v.spare {
		return 1 << 40
	}
	return 0
}

// Plain holds back what begins with "wait:" until time passes.
func (v *veiled) Plain(d dissect.Direction, m conn.Mark, _ bool, b []byte) {
	v.spare = false
	if len(b) > 5 && string(b[:5]) == "wait:" {
		v.held, v.waiting = append(v.held, b[5:]...), true
		return
	}
	v.carry(d, m, b)
}

func (v *veiled) Tick(now int64) {
	v.waiting = false
	v.carry(dissect.ToServer, conn.Mark{Time: now}, v.held)
}

// veilTest is an engine with a connection, and what comes out.
type veilTest struct {
	*engine.Engine
	t        *testing.T
	conn     conn.Conn
	memory   *budget.Budget
	stats    engine.Stats
	offset   [2]uint64
	now      int64
	verbs    []string
	carried  []bool
	first    []bool
	closed   []string
	sessions []*dissect.Session
}

func newVeilTest(t *testing.T, list ...dissect.Dissector) *veilTest {
	t.Helper()
	v := &veilTest{t: t, memory: budget.New(1 << 20), now: 1e18}
	v.Engine = engine.New(engine.Settings{}, list, v, zap.NewNop(), &v.stats)
	v.conn = conn.Conn{Transport: capture.TCP, Initiator: conn.InitiatorLocal, Memory: v.memory.Account()}
	v.Open(&v.conn)
	return v
}

func (v *veilTest) send(d conn.Dir, text string) {
	v.now += 1e6
	v.Data(&v.conn, d, conn.Mark{Time: v.now, Offset: v.offset[d], Seq: 100 + uint32(v.offset[d])}, []byte(text))
	v.offset[d] += uint64(len(text))
}

func (v *veilTest) finish() {
	v.End(&v.conn, conn.Out, v.now, conn.ReasonFIN)
	v.End(&v.conn, conn.In, v.now, conn.ReasonFIN)
	v.Engine.Close(&v.conn, v.now, conn.ReasonFIN)
	require.Zero(v.t, v.memory.Used())
	require.Len(v.t, v.closed, len(v.sessions))
}

func (v *veilTest) connections() map[string]int64 {
	states := map[string]int64{}
	v.stats.Each(func(metric, _, reason string, n int64) {
		if metric == engine.MetricConnections && n != 0 {
			states[reason] = n
		}
	})
	return states
}

func (v *veilTest) note(s *dissect.Session) {
	if !slices.Contains(v.sessions, s) {
		v.sessions = append(v.sessions, s)
	}
}

func (v *veilTest) Message(s *dissect.Session, m *dissect.Message) {
	v.note(s)
	v.verbs = append(v.verbs, m.Protocol.(line.Line).Verb)
	v.carried = append(v.carried, m.Encrypted)
	v.first = append(v.first, s.First)
	assert.Equal(v.t, m.Encrypted, s.Carrier != nil)
	v.conn.Memory.Give(m.Reserved)
}

func (*veilTest) Started(*dissect.Session, *dissect.Message)                     {}
func (*veilTest) Resync(*dissect.Session, dissect.Direction, conn.Reason, int64) {}
func (*veilTest) Skipped(*dissect.Session, dissect.Direction, conn.Mark)         {}
func (*veilTest) Tick(int64)                                                     {}
func (v *veilTest) Close(s *dissect.Session, _ int64, why conn.Reason) {
	v.note(s)
	v.closed = append(v.closed, s.Dissector.Info().Name+" "+string(why))
}

// What a carrier carries has a session of its own, with its own upgrades.
func TestCarrier(t *testing.T) {
	v := newVeilTest(t, line.Dissector{}, veil{})
	assert.Equal(t, map[string]int64{"unknown": 1}, v.connections())
	v.send(conn.Out, "veil:message")
	assert.Equal(t, map[string]int64{"encrypted": 1}, v.connections(), "nothing is carried yet")
	v.send(conn.Out, "veil:GET a\n")
	assert.Equal(t, map[string]int64{"dissected": 1}, v.connections())
	v.send(conn.In, "veil:OK 3\nab")
	v.send(conn.In, "veil:c")
	v.send(conn.Out, "veil:SWITCH line\n")
	v.send(conn.In, "veil:SWITCHED line\nOK 0\n")
	v.send(conn.Out, "veil:GET unfinished")
	v.finish()
	assert.Equal(t, []string{"OUTER", "GET", "OK", "SWITCH", "SWITCHED", "OK"}, v.verbs)
	assert.Equal(t, []bool{false, true, true, true, true, true}, v.carried)
	assert.Equal(t, []bool{true, true, true, true, true, false}, v.first)
	assert.Equal(t, []string{"line upgrade", "line fin", "tls fin"}, v.closed)
	assert.Empty(t, v.connections())
}

// Carriers can be inside one another, but not without end.
func TestCarrierDepth(t *testing.T) {
	v := newVeilTest(t, line.Dissector{}, veil{})
	v.send(conn.Out, "veil:veil:NOTE two\n")
	assert.Equal(t, []string{"NOTE"}, v.verbs)
	v.finish()
	v = newVeilTest(t, line.Dissector{}, veil{})
	v.send(conn.Out, "veil:veil:veil:NOTE three\n")
	assert.Empty(t, v.verbs)
	v.finish()
}

// A panic inside ends what is inside; one of the carrier ends all.
func TestCarrierPanics(t *testing.T) {
	v := newVeilTest(t, veil{}, veilInside{})
	v.send(conn.Out, "veil:in")
	v.send(conn.Out, "veil:in")
	v.send(conn.Out, "veil:message")
	assert.Equal(t, []string{"OUTER"}, v.verbs)
	assert.Equal(t, int64(1), v.stats.Total(engine.MetricPanics))
	v.finish()
	v = newVeilTest(t, line.Dissector{}, veil{panics: true})
	v.send(conn.Out, "veil:NOTE a\n")
	assert.Equal(t, int64(1), v.stats.Total(engine.MetricPanics))
	assert.Equal(t, map[string]int64{"ignored": 1}, v.connections())
	v.finish()
}

// veilInside panics at all that it gets.
type veilInside struct{ line.Dissector }

func (veilInside) Info() dissect.Info {
	info := line.Dissector{}.Info()
	info.Name = "inside"
	return info
}

func (veilInside) Probe(client, _ []byte) dissect.Verdict {
	if len(client) > 1 && string(client[:2]) == "in" {
		return dissect.Yes
	}
	return dissect.No
}

func (veilInside) New(dissect.Limits, dissect.Sink) dissect.Conversation { return panicking{} }

type panicking struct{ dissect.Conversation }

func (panicking) Data(dissect.Direction, dissect.Marks, []byte) (int, int, error) { panic("inside") }

// Without memory nothing is carried, and nothing else happens.
func TestCarrierWithoutMemory(t *testing.T) {
	v := newVeilTest(t, line.Dissector{}, veil{})
	v.send(conn.Out, "veil:message")
	taken := 0
	for v.conn.Memory.Take(512) {
		taken += 512
	}
	v.send(conn.Out, "veil:NOTE a\n")
	assert.Empty(t, v.verbs[1:])
	assert.Positive(t, v.stats.NoMemory.Load())
	v.conn.Memory.Give(taken)
	v.finish()
}

// Plaintext is the proof that a connection is encrypted, whatever its bytes looked like.
func TestPlain(t *testing.T) {
	plain := func(v *veilTest, text string) {
		v.now += 1e6
		v.Plain(&v.conn, conn.Out, conn.Mark{Time: v.now}, []byte(text))
	}
	for name, before := range map[string]string{"undecided": "", "held": "vei", "ssh": "SSH-2.0-x\r\n", "dissected": "veil:message"} {
		t.Run(name, func(t *testing.T) {
			v := newVeilTest(t, line.Dissector{}, veil{})
			if before != "" {
				v.send(conn.Out, before)
			}
			plain(v, "NOTE shown\n")
			assert.Contains(t, v.verbs, "NOTE")
			v.finish()
		})
	}
	t.Run("another protocol", func(t *testing.T) {
		v := newVeilTest(t, line.Dissector{}, veil{})
		v.send(conn.Out, "GET a\n")
		plain(v, "NOTE shown\n")
		assert.Equal(t, []string{"GET"}, v.verbs, "it has told messages in the clear")
		assert.Positive(t, v.stats.SkippedBytes.Load())
		v.finish()
	})
	t.Run("nobody takes it", func(t *testing.T) {
		v := newVeilTest(t, line.Dissector{})
		plain(v, "NOTE shown\n")
		assert.Empty(t, v.verbs)
		v.finish()
	})
	t.Run("later", func(t *testing.T) {
		v := newVeilTest(t, line.Dissector{}, veil{})
		plain(v, "wait:NOTE shown\n")
		assert.Empty(t, v.verbs)
		v.Engine.Tick(v.now + 1e9)
		assert.Equal(t, []string{"NOTE"}, v.verbs)
		v.Engine.Tick(v.now + 2e9)
		assert.Equal(t, []string{"NOTE"}, v.verbs, "it waits no more")
		v.finish()
	})
	t.Run("after the end", func(t *testing.T) {
		v := newVeilTest(t, line.Dissector{}, veil{})
		plain(v, "wait:NOTE shown\n")
		v.finish()
		v.Engine.Tick(v.now + 1e9)
		assert.Empty(t, v.verbs)
	})
}
