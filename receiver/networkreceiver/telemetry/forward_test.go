// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

const context1 = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// withContext is a call that begins and ends at times in ms, with a context.
func withContext(x *pair.Exchange, context string, from, to int64) *pair.Exchange {
	x.Request.First.Time, x.Request.Last.Time = start+from*1e6, start+from*1e6
	x.Response.First.Time, x.Response.Last.Time = start+to*1e6, start+to*1e6
	x.Request.First.Seq = uint32(from*1000 + to)
	x.Request.Content.Headers = append(x.Request.Content.Headers, dissect.Header{Name: "traceparent", Value: context})
	return x
}

// spansOf keeps spans, and the parents that log records say these have.
type spansOf struct {
	spans   []ptrace.Span
	parents []any
}

func (s *spansOf) Logs(_ Class, ld plog.Logs, _ int) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				s.parents = append(s.parents, record.Attributes().AsRaw()[semconv.SpanParentID])
			}
		}
	}
}

func (s *spansOf) Traces(_ Class, td ptrace.Traces, _ int) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s.spans = append(s.spans, span)
			}
		}
	}
}

// TestForwarded has a process that gets a call and makes another one while that runs.
func TestForwarded(t *testing.T) {
	const other = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
	brought := func(context string, from, to int64) *pair.Exchange {
		x := withContext(fromServer(get()), context, from, to)
		x.Conn.Process = get().Conn.Process
		return x
	}
	made := func(context string, from, to int64) *pair.Exchange { return withContext(get(), context, from, to) }
	another := made(context1, 2, 8)
	another.Conn.Process.PID++
	for name, c := range map[string]struct {
		calls []*pair.Exchange // the first one is the CLIENT's
		below bool
	}{
		"passed on":            {[]*pair.Exchange{made(context1, 2, 8), brought(context1, 1, 9)}, true},
		"answered before":      {[]*pair.Exchange{made(context1, 2, 12), brought(context1, 1, 9)}, true},
		"a context of its own": {[]*pair.Exchange{made(other, 2, 8), brought(context1, 1, 9)}, false},
		"afterwards":           {[]*pair.Exchange{made(context1, 10, 12), brought(context1, 1, 9)}, false},
		"before":               {[]*pair.Exchange{made(context1, 1, 12), brought(context1, 2, 9)}, false},
		"another process":      {[]*pair.Exchange{another, brought(context1, 1, 9)}, false},
		"brought twice":        {[]*pair.Exchange{made(context1, 3, 8), brought(context1, 1, 9), brought(context1, 2, 10)}, false},
		"not brought":          {[]*pair.Exchange{made(context1, 2, 8)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSettings()
			s.Forwards = NewForwards()
			out, stats := new(spansOf), new(Stats)
			b := New(s, nil, out, stats)
			for i := range c.calls { // the inner call ends first
				b.Exchange(c.calls[i])
			}
			b.Flush()
			for i := range out.spans {
				assert.Equal(t, out.spans[i].ParentSpanID().String(), out.parents[i], "as the log record says")
			}
			client := out.spans[0]
			assert.Equal(t, ptrace.SpanKindClient, client.Kind())
			if !c.below {
				assert.NotEqual(t, uint32(flagHasIsRemote), client.Flags()&flagHasIsRemote)
				assert.Equal(t, contextOf(c.calls[0]), client.ParentSpanID())
				assert.Zero(t, stats.Forwarded.Load())
				return
			}
			assert.Equal(t, out.spans[1].SpanID(), client.ParentSpanID())
			assert.Equal(t, contextOf(c.calls[1]), out.spans[1].ParentSpanID())
			assert.Equal(t, uint32(flagHasIsRemote), client.Flags()&(flagHasIsRemote|flagIsRemote), "in the same process")
			assert.EqualValues(t, 1, stats.Forwarded.Load())
		})
	}
}

func contextOf(x *pair.Exchange) pcommon.SpanID { return identify(x).header.SpanID }

func TestForwardsAreBounded(t *testing.T) {
	f := NewForwards()
	key := func(n int) (k forwardKey) {
		binary.BigEndian.PutUint64(k.span[:], uint64(n)+1)
		return k
	}
	for n := range 3 * maxForwards {
		f.put(key(n), inbound{span: pcommon.SpanID{1}, end: 1})
	}
	assert.Len(t, f.known, maxForwards)
	assert.Len(t, f.queue, maxForwards)
	for n, want := range map[int]bool{0: false, 2*maxForwards - 1: false, 2 * maxForwards: true, 3*maxForwards - 1: true} {
		_, ok := f.find(key(n), 0)
		assert.Equal(t, want, ok, n)
	}
}
