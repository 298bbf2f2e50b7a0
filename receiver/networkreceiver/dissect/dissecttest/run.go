// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"fmt"
	"maps"
	"testing"

	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// Result is what came out of a run.
type Result struct {
	Exchanges []*pair.Exchange // Conn is not valid any more
	Events    []*pair.Event    // likewise, and Origin
	Engine    *engine.Stats
	Pair      *pair.Stats
	// Problems are broken promises of the dissector, whatever the input was.
	Problems []string

	upgraded bool // the connection went on with another protocol
}

// memory is what a run may take. Fixtures stay far below it.
const memory = 64 << 20

// Run plays a script through an engine with these dissectors and a pairer.
func Run(script *Script, dissectors ...dissect.Dissector) *Result {
	return runWith(memory, script, dissectors)
}

// perByte is how many messages a byte can become: an event in a compressed body takes
// at least a byte, and DEFLATE makes at most so many of one (1032).
const perByte = 1032

// bytes is how many bytes a script has, gaps not included.
func (s *Script) bytes() (n int) {
	for _, step := range s.Steps {
		n += len(step.Data)
	}
	return n
}

func runWith(limit int64, script *Script, dissectors []dissect.Dissector) *Result {
	settings := engine.Settings{Limits: map[string]dissect.Limits{}}
	for _, d := range dissectors {
		settings.Limits[d.Info().Name] = script.Limits
	}
	h := newHarness(limit, settings, dissectors)
	h.most = perByte*script.bytes() + 34*(h.outstanding+1)
	script.Play(h.engine, h.memory, h.check)
	return h.finish()
}

// harness is stages 3 and 4 with an end that records.
type harness struct {
	engine      *engine.Engine
	memory      *budget.Budget
	outstanding int // the most that may wait
	in, out     int // messages
	most        int // messages that there can be; 0 for any number
	begun       map[*dissect.Message]*dissect.Session
	told        map[*dissect.Session]bool // those with messages
	result      Result
}

func newHarness(limit int64, settings engine.Settings, dissectors []dissect.Dissector) *harness {
	h := &harness{memory: budget.New(limit), begun: map[*dissect.Message]*dissect.Session{}, told: map[*dissect.Session]bool{}}
	for _, d := range dissectors {
		n := settings.Limits[d.Info().Name].Outstanding
		if n == 0 {
			n = d.Info().Limits.Outstanding
		}
		h.outstanding = max(h.outstanding, n)
	}
	h.result.Engine, h.result.Pair = &engine.Stats{}, &pair.Stats{}
	pairer := pair.New(pair.Settings{OpenAfter: 1}, (*recorder)(h), h.result.Pair)
	h.engine = engine.New(settings, dissectors, &counter{pairer, h}, zap.NewNop(), h.result.Engine)
	return h
}

// check is called after every step.
func (h *harness) check() {
	// Requests and responses are bounded each, and interim responses by a factor.
	if waiting := h.in - h.out; waiting > 34*(h.outstanding+1) {
		h.problem("%d messages wait, the limit is %d", waiting, h.outstanding)
	}
}

// finish checks what has to be true at the end.
func (h *harness) finish() *Result {
	if used := h.memory.Used(); used != 0 {
		h.problem("%d bytes of the budget are not given back", used)
	}
	if h.in != h.out {
		h.problem("%d messages went in, %d came out", h.in, h.out)
	}
	if n := h.result.Engine.Unreleased.Load(); n != 0 {
		h.problem("the conversation kept %d bytes beyond its end", n)
	}
	if n := len(h.begun); n > 0 {
		h.problem("%d messages have begun and were never handed over", n)
	}
	h.result.Engine.Each(func(metric, protocol, reason string, n int64) {
		broken := metric == engine.MetricPanics ||
			metric == engine.MetricViolations && (reason == "misuse" || reason == "stalled") ||
			metric == engine.MetricConnections
		if broken && n != 0 {
			h.problem("%s: %s %s: %d", protocol, metric, reason, n)
		}
	})
	return &h.result
}

func (h *harness) problem(format string, args ...any) {
	if len(h.result.Problems) < 10 {
		h.result.Problems = append(h.result.Problems, fmt.Sprintf(format, args...))
	}
}

// must fails the test for each problem.
func (r *Result) must(tb testing.TB) *Result {
	tb.Helper()
	for _, problem := range r.Problems {
		tb.Error(problem)
	}
	return r
}

// counter counts messages before the pairer and checks their marks.
type counter struct {
	dissect.Output
	h *harness
}

// Message implements dissect.Output.
func (c *counter) Message(s *dissect.Session, m *dissect.Message) {
	c.h.in++
	delete(c.h.begun, m)
	c.h.told[s] = true
	if c.h.most > 0 && c.h.in > c.h.most {
		panic("messages without end") // the engine contains and counts it
	}
	if m.Last.Offset < m.First.Offset || m.Last.Time < m.First.Time {
		c.h.problem("message ends before it begins: %+v to %+v", m.First, m.Last)
	}
	if n := m.Last.Offset - m.First.Offset + 1; m.Size > n {
		c.h.problem("message of %d bytes has size %d", n, m.Size)
	}
	if m.GapBytes > m.Size {
		c.h.problem("message of size %d misses %d bytes", m.Size, m.GapBytes)
	}
	if limit := s.Limits.BodyBytes; m.Content.KeptSize > uint64(limit) {
		c.h.problem("message keeps %d bytes, the limit is %d", m.Content.KeptSize, limit)
	}
	c.Output.Message(s, m)
}

// Started implements dissect.Output.
func (c *counter) Started(s *dissect.Session, m *dissect.Message) {
	if c.h.begun[m] != nil || m.Kind != dissect.Request && m.Kind != dissect.Response {
		c.h.problem("a message has begun that can't")
	}
	c.h.begun[m] = s
	c.Output.Started(s, m)
}

// Close implements dissect.Output.
func (c *counter) Close(s *dissect.Session, t int64, why conn.Reason) {
	c.h.result.upgraded = c.h.result.upgraded || why == dissect.ReasonUpgrade
	if why == dissect.ReasonViolation && !c.h.told[s] { // an early decision is withdrawn, and what it saw with it
		maps.DeleteFunc(c.h.begun, func(_ *dissect.Message, of *dissect.Session) bool { return of == s })
	}
	c.Output.Close(s, t, why)
}

// recorder is the last stage: it keeps exchanges and gives their memory back.
type recorder harness

// Exchange implements pair.Sink.
func (r *recorder) Exchange(x *pair.Exchange) {
	for _, m := range messages(x) {
		r.out++
		x.Conn.Memory.Give(m.Reserved)
	}
	if x.Request == nil && x.Response == nil {
		(*harness)(r).problem("an exchange has neither request nor response")
	}
	r.result.Exchanges = append(r.result.Exchanges, x)
}

// Open implements pair.Sink. A call must be describable before it is whole.
func (r *recorder) Open(x *pair.Exchange, _ int64) {
	if m := x.Response; m != nil && r.begun[m] == nil {
		(*harness)(r).problem("a call is open although its response is whole")
	}
	describe(dissect.ClientSide, x)
	describe(dissect.ServerSide, x)
}

// Event implements pair.Sink.
func (r *recorder) Event(e *pair.Event) {
	r.out++
	e.Conn.Memory.Give(e.Message.Reserved)
	r.result.Events = append(r.result.Events, e)
}

// Tick implements pair.Sink.
func (*recorder) Tick(int64) {}

// messages lists the messages of an exchange.
func messages(x *pair.Exchange) []*dissect.Message {
	var list []*dissect.Message
	if x.Request != nil {
		list = append(list, x.Request)
	}
	list = append(list, x.Interim...)
	if x.Response != nil {
		list = append(list, x.Response)
	}
	return list
}
