// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
)

// fake is a dissector made of functions. What is nil does the simplest thing.
type fake struct {
	info  dissect.Info
	probe func(client, server []byte) dissect.Verdict
	make  func() // called by New
	data  func(c *talk, d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error)
	gap   func(c *talk, d dissect.Direction, n uint64) bool
	end   func(c *talk)
	find  func(b []byte) int
}

// talk is a conversation of a fake. calls says what was called.
type talk struct {
	fake  *fake
	sink  dissect.Sink
	calls []string
}

// seeker is a talk that can start again.
type seeker struct{ *talk }

func (s seeker) FindStart(_ dissect.Direction, b []byte) int { return s.fake.find(b) }

func (f *fake) Info() dissect.Info {
	info := f.info
	if info.Name == "" {
		info.Name = "fake"
	}
	if info.Transport == 0 {
		info.Transport = capture.TCP
	}
	if info.ProbeBytes == 0 {
		info.ProbeBytes = 8
	}
	if info.Limits.HeaderBytes == 0 {
		info.Limits = dissect.Limits{HeaderBytes: 100, BodyBytes: 100, Outstanding: 10, Age: 1e9}
	}
	return info
}

func (f *fake) Probe(client, server []byte) dissect.Verdict {
	if f.probe == nil {
		return dissect.Yes
	}
	return f.probe(client, server)
}

var talks []*talk

func (f *fake) New(_ dissect.Limits, sink dissect.Sink) dissect.Conversation {
	if f.make != nil {
		f.make()
	}
	t := &talk{fake: f, sink: sink}
	talks = append(talks, t)
	if f.find != nil {
		return seeker{t}
	}
	return t
}

func (f *fake) Describe(dissect.Side, *dissect.Message, *dissect.Message, dissect.Attributes) dissect.Summary {
	return dissect.Summary{}
}

func (t *talk) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	t.calls = append(t.calls, fmt.Sprintf("%s %q", [...]string{">", "<"}[d], b))
	if t.fake.data == nil {
		return len(b), 0, nil
	}
	return t.fake.data(t, d, m, b)
}

func (t *talk) Gap(d dissect.Direction, m conn.Mark, n uint64) bool {
	t.calls = append(t.calls, fmt.Sprintf("%s gap %d+%d", [...]string{">", "<"}[d], m.Offset, n))
	return t.fake.gap != nil && t.fake.gap(t, d, n)
}

func (t *talk) End(d dissect.Direction, _ int64, r conn.Reason) {
	t.calls = append(t.calls, fmt.Sprintf("%s end %v", [...]string{">", "<"}[d], r))
	if t.fake.end != nil {
		t.fake.end(t)
	}
}

// log is the next stage: it notes what it is told.
type log struct{ lines []string }

func (l *log) Message(s *dissect.Session, m *dissect.Message) {
	s.Conn.Memory.Give(m.Reserved)
	l.note(s, fmt.Sprintf("message %v", m.Protocol))
}

func (*log) Started(*dissect.Session, *dissect.Message) {}

func (l *log) Resync(s *dissect.Session, d dissect.Direction, why conn.Reason, _ int64) {
	l.note(s, "resync "+[...]string{">", "<"}[d]+" "+string(why))
}

func (l *log) Skipped(s *dissect.Session, d dissect.Direction, m conn.Mark) {
	l.note(s, fmt.Sprintf("skipped %s to %d", [...]string{">", "<"}[d], m.Offset))
}

func (l *log) Close(s *dissect.Session, _ int64, why conn.Reason) { l.note(s, "close "+string(why)) }
func (l *log) Tick(int64)                                         {}
func (l *log) note(s *dissect.Session, what string) {
	l.lines = append(l.lines, s.Dissector.Info().Name+" "+what)
}

// rig is an engine with one connection.
type rig struct {
	t      *testing.T
	engine *engine.Engine
	stats  engine.Stats
	memory *budget.Budget
	log    log
	logged *observer.ObservedLogs
	conn   conn.Conn
	seq    [2]uint64
	now    int64
}

func newRig(t *testing.T, settings engine.Settings, dissectors ...dissect.Dissector) *rig {
	t.Helper()
	talks = nil
	core, logged := observer.New(zap.InfoLevel)
	r := &rig{t: t, memory: budget.New(1 << 20), logged: logged}
	r.conn = conn.Conn{Transport: capture.TCP, Initiator: conn.InitiatorLocal, Memory: r.memory.Account()}
	r.engine = engine.New(settings, dissectors, &r.log, zap.New(core), &r.stats)
	return r
}

func (r *rig) open() *rig { r.engine.Open(&r.conn); return r }

func (r *rig) mark(d conn.Dir) conn.Mark {
	r.now++
	return conn.Mark{Time: r.now, Offset: r.seq[d], Seq: uint32(r.seq[d]), Ack: uint32(r.seq[d.Other()])}
}

func (r *rig) data(d conn.Dir, text string) *rig {
	b := []byte(text)
	r.engine.Data(&r.conn, d, r.mark(d), b)
	r.seq[d] += uint64(len(b))
	for i := range b {
		b[i] = '#'
	}
	return r
}

func (r *rig) gap(d conn.Dir, n uint64) *rig {
	r.engine.Gap(&r.conn, d, r.mark(d), n)
	r.seq[d] += n
	return r
}

func (r *rig) close() *rig {
	r.engine.End(&r.conn, conn.Out, r.now, conn.ReasonFIN)
	r.engine.End(&r.conn, conn.In, r.now, conn.ReasonFIN)
	r.engine.Close(&r.conn, r.now, conn.ReasonFIN)
	assert.Zero(r.t, r.memory.Used(), "memory held after the end")
	return r
}

func (r *rig) state() (states string) {
	r.stats.Each(func(metric, _, reason string, n int64) {
		if metric == engine.MetricConnections && n != 0 {
			states += fmt.Sprintf("%s:%d", reason, n)
		}
	})
	return states
}

func (r *rig) count(metric, reason string) (sum int64) {
	r.stats.Each(func(m, _, why string, n int64) {
		if m == metric && why == reason {
			sum += n
		}
	})
	return sum
}

// begins makes a probe for clients that begin with a word.
func begins(word string) func(client, server []byte) dissect.Verdict {
	one := func(b []byte) dissect.Verdict {
		n := min(len(b), len(word))
		switch {
		case n == 0 || string(b[:n]) != word[:n]:
			return dissect.No
		case n < len(word):
			return dissect.NeedMore
		}
		return dissect.Yes
	}
	return func(client, server []byte) dissect.Verdict {
		if one(server) == dissect.Yes {
			return dissect.Reversed
		}
		return max(one(client), one(server))
	}
}

func TestStates(t *testing.T) {
	tls := "\x16\x03\x01\x02\x00\x01\x00"
	for name, test := range map[string]struct {
		data []string
		want string
	}{
		"nothing yet":        {nil, "unknown:1"},
		"known":              {[]string{"hello"}, "dissected:1"},
		"known, in pieces":   {strings.Split("hello", ""), "dissected:1"},
		"TLS":                {[]string{tls}, "encrypted:1"},
		"TLS, in pieces":     {strings.Split(tls, ""), "encrypted:1"},
		"SSH":                {[]string{"SSH-2.0-x\r\n"}, "encrypted:1"},
		"SSH, in pieces":     {[]string{"S", "SH", "-2"}, "encrypted:1"},
		"not yet TLS":        {[]string{"\x16\x03"}, "unknown:1"},
		"a TLS record of 0":  {[]string{"\x16\x03\x01\x00\x00"}, "unknown:1"},
		"nobody's":           {[]string{"what?"}, "unknown:1"},
		"nobody's, then one": {[]string{"what?", "hello"}, "dissected:1"},
		"nobody's for long":  {append(slices.Repeat([]string{"what?"}, 17), "hello"), "unknown:1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, engine.Settings{}, &fake{probe: begins("hello")}).open()
			for _, b := range test.data {
				r.data(conn.Out, b)
			}
			assert.Equal(t, test.want, r.state())
			r.close()
			assert.Empty(t, r.state())
		})
	}
}

func TestPortsAreHints(t *testing.T) {
	first := &fake{info: dissect.Info{Name: "first"}}
	hinted := &fake{info: dissect.Info{Name: "hinted", Ports: []uint16{0}}} // the rig's port
	r := newRig(t, engine.Settings{}, first, hinted).open().data(conn.Out, "x").close()
	assert.Equal(t, []string{"hinted close fin"}, r.log.lines)
	datagrams := &fake{info: dissect.Info{Name: "datagrams", Transport: capture.UDP, Ports: []uint16{0}}}
	r = newRig(t, engine.Settings{}, datagrams, first).open().data(conn.Out, "x").close()
	assert.Equal(t, []string{"first close fin"}, r.log.lines)
}

func TestVerdictDecidesWhoIsTheClient(t *testing.T) {
	for _, initiator := range []conn.Initiator{conn.InitiatorUnknown, conn.InitiatorLocal, conn.InitiatorRemote} {
		for _, d := range []conn.Dir{conn.Out, conn.In} {
			r := newRig(t, engine.Settings{}, &fake{probe: begins("hello")})
			r.conn.Initiator = initiator
			r.open().data(d.Other(), "h").data(d, "hello").data(d.Other(), "!").close()
			require.Len(t, talks, 1)
			assert.Equal(t, []string{`< "h"`, `> "hello"`, `< "!"`, "> end fin", "< end fin"}, ordered(talks[0].calls), "initiator %d", initiator)
		}
	}
}

// ordered puts the client's end first: which end of the rig that is varies.
func ordered(calls []string) []string {
	if n := len(calls); n > 1 && strings.HasPrefix(calls[n-2], "< end") {
		calls[n-1], calls[n-2] = calls[n-2], calls[n-1]
	}
	return calls
}

// A later segment of a connection joined midway may be recognised.
func TestMidway(t *testing.T) {
	probes := 0
	f := &fake{find: func(b []byte) int { return bytes.Index(b, []byte("hi")) }}
	f.probe = func(client, server []byte) dissect.Verdict {
		probes++
		return begins("hello")(client, server)
	}
	r := newRig(t, engine.Settings{}, f)
	r.conn.Midway, r.conn.Initiator = true, conn.InitiatorUnknown
	r.open()
	for range 1000 {
		r.data(conn.Out, "body")
	}
	assert.Equal(t, 16, probes, "probes without a turn")
	r.data(conn.In, "hello").data(conn.Out, "rest of a bodyh").data(conn.Out, "i there").close()
	require.Len(t, talks, 1)
	assert.Equal(t, []string{`> "hello"`, `< "hi there"`, "< end fin", "> end fin"}, talks[0].calls)
	assert.Equal(t, []string{"fake resync < midway", "fake resync > midway", "fake close fin"}, r.log.lines)
}

// What one end sends may be enough, though nobody knows what the other one did.
func TestOneEndIsRecognised(t *testing.T) {
	r := newRig(t, engine.Settings{}, &fake{probe: begins("hello"), find: func([]byte) int { return 0 }}).open()
	r.data(conn.Out, "what?").data(conn.Out, "skipped")
	assert.Equal(t, "unknown:1", r.state())
	r.data(conn.In, "hello").data(conn.Out, "more").close()
	require.Len(t, talks, 1)
	assert.Equal(t, []string{`> "hello"`, `< "more"`}, talks[0].calls[:2])
	assert.Equal(t, []string{"fake resync < violation", "fake close fin"}, r.log.lines)

	r = newRig(t, engine.Settings{}, &fake{probe: begins("hello")}).open()
	r.data(conn.Out, "what?").data(conn.In, "nothing").data(conn.In, "hello").close()
	assert.Empty(t, talks)
	assert.Equal(t, uint64(1), r.stats.Unrecognised.Load())
}

func TestMidwayGivesUp(t *testing.T) {
	probes := 0
	r := newRig(t, engine.Settings{}, &fake{probe: func(_, _ []byte) dissect.Verdict { probes++; return dissect.No }})
	r.conn.Midway = true
	r.open()
	for i := range 10000 {
		r.data(conn.Dir(i/3%2), "body")
	}
	assert.Equal(t, 512, probes)
	assert.Equal(t, uint64(1), r.stats.Unrecognised.Load())
	r.close()
}

func TestGapBeforeTheDecision(t *testing.T) {
	r := newRig(t, engine.Settings{}, &fake{probe: begins("hello")}).open()
	r.data(conn.Out, "hel").gap(conn.Out, 10).data(conn.Out, "lo").data(conn.Out, "hello").close()
	require.Len(t, talks, 1)
	assert.Equal(t, `> "hello"`, talks[0].calls[0])
	assert.Equal(t, []string{"fake resync > gap", "fake close fin"}, r.log.lines)
}

// An early decision is withdrawn if another dissector claims the bytes.
func TestWithdrawn(t *testing.T) {
	wrong := &fake{info: dissect.Info{Name: "wrong"}}
	wrong.data = func(*talk, dissect.Direction, dissect.Marks, []byte) (int, int, error) {
		return 0, 0, fmt.Errorf("line 1: %w", dissect.ErrViolation)
	}
	right := &fake{info: dissect.Info{Name: "right"}, probe: begins("hello")}
	r := newRig(t, engine.Settings{}, wrong, right).open().data(conn.Out, "hello").data(conn.In, "x").close()
	require.Len(t, talks, 2)
	assert.Equal(t, []string{`> "hello"`, `< "x"`}, talks[1].calls[:2])
	assert.Equal(t, []string{"wrong close violation", "right close fin"}, r.log.lines)
	assert.Equal(t, uint64(1), r.stats.Withdrawn.Load())
}

func TestNeedIsHonoured(t *testing.T) {
	f := &fake{data: func(_ *talk, _ dissect.Direction, m dissect.Marks, b []byte) (int, int, error) {
		if len(b) < 6 {
			return 0, 6, nil
		}
		assert.Equal(t, uint64(0), m.At(0).Offset%6)
		return 6, 0, nil
	}}
	r := newRig(t, engine.Settings{}, f).open()
	for _, b := range []string{"ab", "c", "de", "fABCDEFgh", "ijklMN", "OPQR"} {
		r.data(conn.Out, b)
	}
	assert.Equal(t, []string{`> "ab"`, `> "abcdefABCDEFgh"`, `> "ABCDEFgh"`, `> "gh"`, `> "ghijklMN"`, `> "MN"`, `> "MNOPQR"`}, talks[0].calls)
	r.close()
}

// Bytes with nothing pending before them are not copied, and every byte keeps the
// mark of its segment.
func TestBorrowedAndMarks(t *testing.T) {
	var seen []*byte
	var marks []conn.Mark
	f := &fake{data: func(_ *talk, _ dissect.Direction, m dissect.Marks, b []byte) (int, int, error) {
		seen = append(seen, unsafe.SliceData(b))
		marks = append(marks, m.At(len(b)-1))
		return len(b) - 1, 0, nil
	}}
	r := newRig(t, engine.Settings{}, f).open()
	whole := []byte("abcd")
	r.engine.Data(&r.conn, conn.Out, conn.Mark{Time: 5, Offset: 0, Seq: 100}, whole)
	assert.Same(t, &whole[0], seen[0])
	assert.Equal(t, conn.Mark{Time: 5, Offset: 3, Seq: 103}, marks[0])
	r.engine.Data(&r.conn, conn.Out, conn.Mark{Time: 6, Offset: 4, Seq: 104, Ack: 9}, []byte("ef"))
	assert.Equal(t, conn.Mark{Time: 6, Offset: 5, Seq: 105, Ack: 9}, marks[len(marks)-1])
	r.seq[conn.Out] = 6
	r.close()
}

func TestGuards(t *testing.T) {
	for name, test := range map[string]struct {
		used, need int
		reason     string
	}{
		"uses more than there is": {used: 100, reason: "misuse"},
		"uses less than nothing":  {used: -1, reason: "misuse"},
		"needs less than nothing": {need: -1, reason: "misuse"},
		"needs what it has":       {need: 5, reason: "stalled"},
		"needs too much":          {need: 101, reason: "header_bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{data: func(*talk, dissect.Direction, dissect.Marks, []byte) (int, int, error) {
				return test.used, test.need, nil
			}}
			r := newRig(t, engine.Settings{}, f).open().data(conn.Out, "hello").data(conn.Out, "hello").close()
			assert.Equal(t, int64(1), r.count(engine.MetricViolations, test.reason))
			assert.Equal(t, []string{"fake resync > violation", "fake close fin"}, r.log.lines)
		})
	}
}

func TestHeaderLimit(t *testing.T) {
	f := &fake{data: func(*talk, dissect.Direction, dissect.Marks, []byte) (int, int, error) { return 0, 0, nil }}
	settings := engine.Settings{Limits: map[string]dissect.Limits{"fake": {HeaderBytes: 20}}}
	r := newRig(t, settings, f).open()
	for range 30 {
		r.data(conn.Out, "x")
	}
	assert.Len(t, talks[0].calls, 20)
	assert.Equal(t, int64(1), r.count(engine.MetricLimits, "header_bytes"))
	r.close()
}

func TestViolationsInARowEndTheSession(t *testing.T) {
	f := &fake{find: func([]byte) int { return 0 }}
	f.data = func(c *talk, _ dissect.Direction, _ dissect.Marks, b []byte) (int, int, error) {
		if b[0] == 'm' {
			c.sink.Message(&dissect.Message{Protocol: "m"})
			return 1, 0, nil
		}
		return 0, 0, dissect.ErrViolation
	}
	r := newRig(t, engine.Settings{}, f).open().data(conn.Out, "mvvvvvvvmvvvvvvvvvv")
	assert.Equal(t, "ignored:1", r.state())
	assert.Equal(t, int64(15), r.count(engine.MetricViolations, "protocol"))
	assert.Equal(t, "fake close violation", r.log.lines[len(r.log.lines)-1])
	r.close()
}

func TestGap(t *testing.T) {
	f := &fake{data: func(_ *talk, _ dissect.Direction, _ dissect.Marks, b []byte) (int, int, error) {
		return max(0, bytes.LastIndexByte(b, '.')+1), 0, nil
	}}
	f.gap = func(_ *talk, _ dissect.Direction, n uint64) bool { return n < 10 }
	f.find = func(b []byte) int { return bytes.IndexByte(b, '^') }
	r := newRig(t, engine.Settings{}, f).open()
	r.data(conn.Out, "a.bc").gap(conn.Out, 5).data(conn.Out, "d.").gap(conn.Out, 10)
	r.data(conn.Out, "lost").data(conn.Out, "x^y.").close()
	assert.Equal(t, []string{
		`> "a.bc"`, `> "bc"`, "> gap 2+7", `> "d."`, "> gap 11+10", `> "^y."`, "> end fin", "< end fin",
	}, talks[0].calls)
	assert.Equal(t, []string{"fake resync > gap", "fake close fin"}, r.log.lines)
	assert.Equal(t, uint64(15), r.stats.GapBytes.Load())
}

// Without memory for the rest, it is a gap.
func TestNoMemory(t *testing.T) {
	var r *rig
	f := &fake{data: func(*talk, dissect.Direction, dissect.Marks, []byte) (int, int, error) {
		r.memory.Take(int(r.memory.Limit() - r.memory.Used()))
		return 0, 0, nil
	}}
	r = newRig(t, engine.Settings{}, f).open()
	r.data(conn.Out, "abc")
	assert.Equal(t, []string{`> "abc"`, "> gap 0+3"}, talks[0].calls)
	assert.Equal(t, uint64(1), r.stats.NoMemory.Load())
	r.memory.Give(int(r.memory.Used()) - r.conn.Memory.Held())
	r.close()
}

// Without memory for a session, the connection is ignored.
func TestNoMemoryForSession(t *testing.T) {
	r := newRig(t, engine.Settings{}, &fake{})
	require.True(t, r.memory.Take(1<<20))
	r.open().data(conn.Out, "abc")
	assert.Equal(t, "ignored:1", r.state())
	assert.Equal(t, uint64(1), r.stats.NoMemory.Load())
	r.memory.Give(1 << 20)
	r.close()
}

// A message that got no memory is lost if it would wait without any.
func TestMessageWithoutMemory(t *testing.T) {
	for kind, lost := range map[dissect.Kind]bool{dissect.Request: true, dissect.Response: true, dissect.OneWay: false} {
		var r *rig
		f := &fake{data: func(c *talk, _ dissect.Direction, _ dissect.Marks, b []byte) (int, int, error) {
			rest := int(r.memory.Limit() - r.memory.Used())
			r.memory.Take(rest)
			c.sink.Message(&dissect.Message{Kind: kind, Protocol: "m"})
			r.memory.Give(rest)
			return len(b), 0, nil
		}}
		r = newRig(t, engine.Settings{}, f).open()
		r.data(conn.Out, "x")
		if lost {
			assert.Equal(t, []string{"fake resync > memory"}, r.log.lines)
			assert.Equal(t, uint64(1), r.stats.LostMessages.Load())
		} else {
			assert.Equal(t, []string{"fake message m"}, r.log.lines)
			assert.Zero(t, r.stats.LostMessages.Load())
		}
		r.close()
	}
}

// The search after a loss is bounded.
func TestSearchIsBounded(t *testing.T) {
	searched := 0
	f := &fake{find: func(b []byte) int { searched += len(b); return bytes.IndexByte(b, '^') }}
	r := newRig(t, engine.Settings{}, f).open().data(conn.Out, "x").gap(conn.Out, 1)
	segment := strings.Repeat("x", 64<<10)
	for range 200 {
		r.data(conn.Out, segment)
	}
	assert.Less(t, searched, 3<<20)
	r.data(conn.Out, "^found").close()
	assert.Contains(t, talks[0].calls, `> "^found"`)
}

func switcher(to string) *fake {
	f := &fake{info: dissect.Info{Name: "switcher"}, probe: begins("switch")}
	f.data = func(c *talk, _ dissect.Direction, _ dissect.Marks, b []byte) (int, int, error) {
		if i := bytes.IndexByte(b, '!'); i >= 0 {
			c.sink.Upgrade(to)
			return i + 1, 0, nil
		}
		return 0, 0, nil
	}
	return f
}

func TestUpgrade(t *testing.T) {
	for name, test := range map[string]struct {
		to, rest, state string
		log             []string
	}{
		"to a known protocol":    {"other", "hello", "dissected:1", []string{"switcher close upgrade", "other close fin"}},
		"to an unknown protocol": {"nobody", "hello", "ignored:1", []string{"switcher close upgrade"}},
		"to be probed":           {"", "hello", "dissected:1", []string{"switcher close upgrade", "other close fin"}},
		"to TLS":                 {"", "\x16\x03\x01\x02\x00\x01", "encrypted:1", []string{"switcher close upgrade"}},
	} {
		t.Run(name, func(t *testing.T) {
			other := &fake{info: dissect.Info{Name: "other"}, probe: begins("hello")}
			r := newRig(t, engine.Settings{}, switcher(test.to), other).open()
			r.data(conn.Out, "switch")
			if test.to == "other" {
				r.data(conn.In, "early")
			}
			r.data(conn.Out, "now!"+test.rest)
			assert.Equal(t, test.state, r.state())
			if test.to == "other" {
				assert.Equal(t, []string{`< "early"`, `> "hello"`}, talks[1].calls)
			}
			r.close()
			assert.Equal(t, test.log, r.log.lines)
		})
	}
}

func TestUpgradesAreBounded(t *testing.T) {
	r := newRig(t, engine.Settings{}, switcher("")).open()
	r.data(conn.Out, strings.Repeat("switch!", 1000))
	assert.Equal(t, "ignored:1", r.state())
	assert.Len(t, talks, 9)
	r.close()
}

func TestPanicsAreContained(t *testing.T) {
	boom := func() { panic("payload must not be logged") }
	for name, f := range map[string]*fake{
		"Probe": {probe: func(_, _ []byte) dissect.Verdict { boom(); return dissect.No }},
		"New":   {make: boom},
		"Data": {data: func(c *talk, _ dissect.Direction, _ dissect.Marks, _ []byte) (int, int, error) {
			c.sink.Keep(10)
			boom()
			return 0, 0, nil
		}},
		"Gap":       {gap: func(*talk, dissect.Direction, uint64) bool { boom(); return true }},
		"End":       {end: func(*talk) { boom() }},
		"FindStart": {find: func([]byte) int { boom(); return 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, engine.Settings{}, f)
			for range 3 {
				r.seq = [2]uint64{}
				r.open().data(conn.Out, "hello").gap(conn.Out, 3).data(conn.Out, "more").close()
			}
			assert.Equal(t, int64(3), r.stats.Total(engine.MetricPanics))
			require.Equal(t, 1, r.logged.Len(), "log records")
			record := fmt.Sprint(r.logged.All()[0].ContextMap())
			assert.Contains(t, record, "engine_test.go")
			assert.NotContains(t, record, "payload")
			assert.Empty(t, r.state())
		})
	}
}

func TestDatagrams(t *testing.T) {
	f := &fake{info: dissect.Info{Transport: capture.UDP}}
	f.data = func(_ *talk, _ dissect.Direction, _ dissect.Marks, b []byte) (int, int, error) {
		return min(len(b), 4), 0, nil
	}
	f.probe = begins("hello")
	r := newRig(t, engine.Settings{}, f)
	r.conn.Transport = capture.UDP
	r.open().data(conn.Out, "he").data(conn.Out, "hello").data(conn.In, "abcd").close()
	require.Len(t, talks, 1)
	assert.Equal(t, []string{`> "hello"`, `> "o"`, `< "abcd"`}, talks[0].calls[:3])
}

func TestKeepIsTakenFromTheBudget(t *testing.T) {
	f := &fake{data: func(c *talk, _ dissect.Direction, _ dissect.Marks, b []byte) (int, int, error) {
		assert.True(t, c.sink.Keep(100))
		assert.False(t, c.sink.Keep(2<<20), "more than the budget")
		assert.False(t, c.sink.Keep(-1))
		c.sink.Release(20)
		c.sink.Message(&dissect.Message{Reserved: 70})
		c.sink.Release(1000) // more than was granted
		return len(b), 0, nil
	}}
	r := newRig(t, engine.Settings{}, f).open().data(conn.Out, "x")
	assert.Equal(t, int64(2<<10), r.memory.Used(), "what a session takes")
	r.close()
}

// The read side is for another goroutine; the race detector watches.
func TestStatsAreReadConcurrently(t *testing.T) {
	f := &fake{data: func(c *talk, _ dissect.Direction, _ dissect.Marks, b []byte) (int, int, error) {
		c.sink.Limit(string(b[:1]))
		return len(b), 0, nil
	}}
	r := newRig(t, engine.Settings{}, f).open()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			r.stats.Total(engine.MetricLimits)
		}
	}()
	for i := range 100 {
		r.data(conn.Out, string(rune('a'+i%12)))
	}
	<-done
	assert.Equal(t, int64(100), r.stats.Total(engine.MetricLimits))
	assert.Equal(t, int64(9), r.count(engine.MetricLimits, "a"))
	assert.Equal(t, int64(32), r.count(engine.MetricLimits, "other"), "names beyond the eighth")
	r.close()
}
