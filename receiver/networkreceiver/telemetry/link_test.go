// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/lookup"
)

// naming is a dissector of lookups. What a request looks up stands in it.
type naming struct{ fake }

type lookedUp struct{ dissect.Resolution }

func (naming) Describe(dissect.Side, *dissect.Message, *dissect.Message, dissect.Attributes) dissect.Summary {
	return dissect.Summary{Name: "query"}
}

func (naming) Resolve(req, _ *dissect.Message) (dissect.Resolution, bool) {
	r, ok := req.Protocol.(*lookedUp)
	if !ok {
		return dissect.Resolution{}, false
	}
	return r.Resolution, true
}

// query is a lookup that ends some time before the connection of get() is opened.
func query(before time.Duration, kind uint16, addresses ...string) *pair.Exchange {
	x := get()
	c := *x.Conn
	c.Transport, c.Remote = capture.UDP, netip.MustParseAddrPort("127.0.0.53:53")
	x.Conn, x.Dissector, x.First = &c, naming{fake{name: "dns"}}, false
	x.Request.Protocol = &lookedUp{Resolution: dissect.Resolution{Name: "Shop.example", Kind: kind, Addresses: addresses, Answered: true}}
	end := x.Conn.Started - int64(before)
	x.Request.Key, x.Request.Keyed = uint64(kind), true
	x.Request.First = conn.Mark{Time: end - 2e6}
	x.Request.Last = x.Request.First
	x.Response.First = conn.Mark{Time: end}
	x.Response.Last = x.Response.First
	return x
}

// nameless is a dissector whose requests do not say whom they are for.
type nameless struct{ fake }

func (nameless) Describe(dissect.Side, *dissect.Message, *dissect.Message, dissect.Attributes) dissect.Summary {
	return dissect.Summary{Name: "call"}
}

// collected are all records of one Builder or several, by the name of the span.
type collected struct {
	spans   map[string][]ptrace.Span
	records map[string][]plog.LogRecord
}

func (c *collected) Traces(_ Class, td ptrace.Traces, _ int) {
	for _, rs := range td.ResourceSpans().All() {
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			c.spans[span.Name()] = append(c.spans[span.Name()], span)
		}
	}
}

func (c *collected) Logs(_ Class, ld plog.Logs, _ int) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, r := range rl.ScopeLogs().At(0).LogRecords().All() {
			c.records[r.EventName()] = append(c.records[r.EventName()], r)
		}
	}
}

// linking is two workers that share what they know of lookups.
type linking struct {
	collected
	stats    Stats
	dns, tcp *Builder
}

func newLinking(change ...func(*Settings)) *linking {
	l := &linking{collected: collected{map[string][]ptrace.Span{}, map[string][]plog.LogRecord{}}}
	change = append(change, func(s *Settings) { s.Lookups = lookup.New(lookup.Settings{Age: time.Minute, Max: 100}, nil) })
	set := testSettings(change...)
	l.dns, l.tcp = New(set, nil, l, &l.stats), New(set, nil, l, &l.stats)
	return l
}

func TestCallsAreLinkedToTheirLookups(t *testing.T) {
	for name, late := range map[string]bool{"in order": false, "the other worker is late": true} {
		t.Run(name, func(t *testing.T) {
			l := newLinking()
			first, second := get(), get()
			first.Dissector, second.Dissector = nameless{fake{name: "http"}}, nameless{fake{name: "http"}}
			second.Conn, second.First = first.Conn, false
			if late {
				l.tcp.Exchange(first)
			}
			l.dns.Exchange(query(time.Millisecond, 1, "10.0.0.2", "10.0.0.3"))
			l.dns.Exchange(query(2*time.Millisecond, 28))
			if !late {
				l.tcp.Exchange(first)
			}
			l.tcp.Exchange(second)
			l.tcp.Flush()
			l.dns.Flush()

			calls, queries := l.spans["call"], l.spans["query"]
			require.Len(t, calls, 2)
			require.Len(t, queries, 2)
			links := calls[0].Links()
			require.Equal(t, 2, links.Len())
			for i, q := range []ptrace.Span{queries[1], queries[0]} {
				assert.Equal(t, q.SpanID(), links.At(i).SpanID())
				assert.Equal(t, q.TraceID(), links.At(i).TraceID())
			}
			attrs := calls[0].Attributes().AsRaw()
			assert.EqualValues(t, 3_000_000, attrs["wirespan.time.lookup"])
			assert.Equal(t, "shop.example", attrs["wirespan.peer.dns.name"])
			assert.Equal(t, "shop.example", attrs["server.address"])
			assert.EqualValues(t, 80, attrs["server.port"])
			assert.Equal(t, "10.0.0.2", attrs["network.peer.address"])
			attrs = calls[1].Attributes().AsRaw()
			assert.Zero(t, calls[1].Links().Len())
			assert.NotContains(t, attrs, "wirespan.time.lookup")
			assert.Equal(t, "shop.example", attrs["wirespan.peer.dns.name"])
			assert.Equal(t, "shop.example", attrs["server.address"])

			record := l.records["wirespan.http.call"][0].Attributes().AsRaw()
			id := func(s ptrace.Span) any { return s.TraceID().String() + "-" + s.SpanID().String() }
			assert.Equal(t, []any{id(queries[1]), id(queries[0])}, record["wirespan.lookup.spans"])
			assert.EqualValues(t, 3_000_000, record["wirespan.time.lookup"])
			assert.Equal(t, "shop.example", record["server.address"])
			assert.EqualValues(t, 1, l.stats.LookupsLinked.Load())
			assert.EqualValues(t, 2, l.stats.Lookups.Load())
			assert.Zero(t, l.stats.LookupsLate.Load())
		})
	}
}

func TestHostNamesTheServer(t *testing.T) {
	l := newLinking()
	x := get() // whose request has server.address
	l.dns.Exchange(query(time.Millisecond, 1, "10.0.0.2"))
	x.Conn.Remote = netip.MustParseAddrPort("10.0.0.2:8080")
	l.tcp.Exchange(x)
	l.tcp.Flush()
	attrs := l.spans["POST"][0].Attributes().AsRaw()
	assert.Equal(t, "shop.example", attrs["server.address"])
	assert.EqualValues(t, 80, attrs["server.port"], "that of the request")
	assert.Equal(t, "shop.example", attrs["wirespan.peer.dns.name"])
	assert.Equal(t, 1, l.spans["POST"][0].Links().Len())
}

func TestNotLinked(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(query, call *pair.Exchange)
		setting func(*Settings)
	}{
		"another address": {change: func(_, call *pair.Exchange) { call.Conn.Remote = netip.MustParseAddrPort("10.0.0.9:80") }},
		"another process": {change: func(query, _ *pair.Exchange) { query.Conn.Process = &capture.Process{PID: 4} }},
		"the answer came later": {change: func(query, _ *pair.Exchange) {
			query.Response.Last.Time += 2e6
		}},
		"long ago": {change: func(query, _ *pair.Exchange) {
			query.Request.First.Time -= 61e9
			query.Response.Last.Time -= 61e9
		}},
		"the server's side":     {change: func(_, call *pair.Exchange) { call.ClientIsLocal = false }},
		"the resolver's side":   {change: func(query, _ *pair.Exchange) { query.ClientIsLocal = false }},
		"no lookup":             {change: func(query, _ *pair.Exchange) { query.Request.Protocol = nil }},
		"joined in the middle":  {change: func(_, call *pair.Exchange) { call.First = false }},
		"an address of no kind": {change: func(query, _ *pair.Exchange) { query.Request.Protocol.(*lookedUp).Addresses = []string{"x"} }},
		"switched off":          {setting: func(s *Settings) { s.Lookups = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLinking()
			if c.setting != nil {
				c.setting(&l.dns.set)
				c.setting(&l.tcp.set)
			}
			q, x := query(time.Millisecond, 1, "10.0.0.2"), get()
			if c.change != nil {
				c.change(q, x)
			}
			l.dns.Exchange(q)
			l.tcp.Exchange(x)
			l.tcp.Flush()
			require.Len(t, l.spans["POST"], 1)
			assert.Zero(t, l.spans["POST"][0].Links().Len())
			assert.NotContains(t, l.records["wirespan.http.call"][0].Attributes().AsRaw(), "wirespan.lookup.spans")
			assert.Zero(t, l.stats.LookupsLinked.Load())
		})
	}
}

// A lookup that comes when the call is gone is counted.
func TestLateLookupIsCounted(t *testing.T) {
	l := newLinking()
	l.tcp.Exchange(get())
	l.tcp.Flush()
	l.dns.Exchange(query(time.Millisecond, 1, "10.0.0.2"))
	assert.Zero(t, l.stats.LookupsLinked.Load())
	assert.EqualValues(t, 1, l.stats.LookupsLate.Load())
}

// Log records alone are linked and counted as well.
func TestLinksWithoutSpans(t *testing.T) {
	l := newLinking(func(s *Settings) { s.Traces = false })
	l.dns.Exchange(query(time.Millisecond, 1, "10.0.0.2"))
	l.tcp.Exchange(get())
	l.tcp.Flush()
	assert.Contains(t, l.records["wirespan.http.call"][0].Attributes().AsRaw(), "wirespan.lookup.spans")
	assert.EqualValues(t, 1, l.stats.LookupsLinked.Load())
}

// A connection looks for its server's name a bounded number of times.
func TestNameIsSoughtAFewTimes(t *testing.T) {
	l := newLinking()
	x := get()
	x.Dissector, x.First = nameless{fake{name: "http"}}, false
	for range maxSought {
		l.tcp.Exchange(x)
	}
	l.tcp.Flush()
	l.dns.Exchange(query(time.Millisecond, 1, "10.0.0.2"))
	l.tcp.Exchange(x)
	l.tcp.Flush()
	for _, span := range l.spans["call"] {
		assert.Equal(t, "10.0.0.2", span.Attributes().AsRaw()["server.address"])
	}
}

// The second call of a connection has the name as well, also where the lookup comes when
// the call is in its batch. Only the first one is linked.
func TestLaterCallWaitsForTheName(t *testing.T) {
	l := newLinking()
	first := get()
	second := get()
	second.Conn, second.First = first.Conn, false
	l.tcp.Exchange(first)
	l.tcp.Exchange(second)
	l.dns.Exchange(query(time.Millisecond, 1, "10.0.0.2"))
	l.tcp.Flush()
	for _, records := range []int{len(l.spans["POST"]), len(l.records["wirespan.http.call"])} {
		require.Equal(t, 2, records)
	}
	for i := range 2 {
		span, record := l.spans["POST"][i], l.records["wirespan.http.call"][i].Attributes().AsRaw()
		assert.Equal(t, "shop.example", span.Attributes().AsRaw()["wirespan.peer.dns.name"])
		assert.Equal(t, "shop.example", record["wirespan.peer.dns.name"])
		assert.Equal(t, 1-i, span.Links().Len())
		assert.Equal(t, i == 0, span.Attributes().AsRaw()["wirespan.time.lookup"] != nil)
		assert.Equal(t, i == 0, record["wirespan.lookup.spans"] != nil)
	}
	assert.EqualValues(t, 1, l.stats.LookupsLinked.Load())
}

// The size of links counts.
func TestSizeOfLinks(t *testing.T) {
	got := &sizes{}
	set := testSettings(func(s *Settings) { s.Lookups = lookup.New(lookup.Settings{Age: time.Minute, Max: 100}, nil) })
	b := New(set, nil, got, &Stats{})
	for kind := range uint16(8) {
		q := query(time.Duration(kind+1)*time.Millisecond, kind+1, "10.0.0.2")
		b.Exchange(q)
	}
	b.Flush()
	x := get()
	x.Dissector = nameless{fake{name: "http"}}
	b.Exchange(x)
	b.Flush()
	require.Len(t, got.said, 4)
	for i, took := range got.took {
		assert.LessOrEqual(t, took, got.said[i])
	}
}
