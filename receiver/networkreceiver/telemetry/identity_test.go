// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

const (
	headerTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	headerSpan   = "00f067aa0ba902b7"
	headerParent = "00-" + headerTrace + "-" + headerSpan + "-01"
)

func withHeader(x *pair.Exchange, name, value string) *pair.Exchange {
	x.Request.Content.Headers = append(x.Request.Content.Headers, dissect.Header{Name: name, Value: value})
	return x
}

// TestDerivedIDs pins the derivation that docs/telemetry.md describes: changing
// it would part collectors of different versions.
func TestDerivedIDs(t *testing.T) {
	trace, span, _ := build(t, get()).ids()
	assert.Equal(t, "826326917d5f07e78c0dce371d0bfddd", trace)
	assert.Equal(t, "ace6b29f2a13d9cd", span)
	_, span, _ = build(t, fromServer(get())).ids()
	assert.Equal(t, "390d1cefdd851675", span)
}

func (b built) ids() (trace, span, parent string) {
	tr, sp, pa := b.span.TraceID(), b.span.SpanID(), b.span.ParentSpanID()
	return hex.EncodeToString(tr[:]), hex.EncodeToString(sp[:]), hex.EncodeToString(pa[:])
}

// TestTwoCollectorsAgree builds each end with a builder of its own, as on two
// nodes.
func TestTwoCollectorsAgree(t *testing.T) {
	client := build(t, get())
	peers := func(s *Settings) { s.CapturedPeers = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")} }
	server := build(t, fromServer(get()), peers)

	assert.Equal(t, ptrace.SpanKindClient, client.span.Kind())
	assert.Equal(t, ptrace.SpanKindServer, server.span.Kind())
	assert.Equal(t, client.span.TraceID(), server.span.TraceID())
	assert.Equal(t, client.span.SpanID(), server.span.ParentSpanID())
	assert.True(t, client.span.ParentSpanID().IsEmpty())
	assert.NotEqual(t, client.span.SpanID(), server.span.SpanID())
	assert.Equal(t, client.span.TraceID(), client.log.TraceID())
	assert.Equal(t, client.span.SpanID(), client.log.SpanID())
	assert.Equal(t, server.span.SpanID(), server.log.SpanID())
	assert.EqualValues(t, 0x101, client.span.Flags())
	assert.EqualValues(t, 0x301, server.span.Flags())
	assert.EqualValues(t, 1, client.log.Flags())
	assert.EqualValues(t, 1, client.stats.TraceDerived.Load())
}

func TestServerAlone(t *testing.T) {
	server := build(t, fromServer(get()))
	assert.True(t, server.span.ParentSpanID().IsEmpty(), "no parent that nobody has made")
	assert.EqualValues(t, 0x101, server.span.Flags())
}

func TestServerWithClientOnThisMachine(t *testing.T) {
	x := fromServer(get())
	x.Conn.PeerCaptured = true
	assert.Equal(t, build(t, get()).span.SpanID(), build(t, x).span.ParentSpanID())
}

func TestHeaderJoinsTheTrace(t *testing.T) {
	client := build(t, withHeader(withHeader(get(), "traceparent", headerParent), "tracestate", "a=1"))
	trace, span, parent := client.ids()
	assert.Equal(t, headerTrace, trace)
	assert.Equal(t, headerSpan, parent)
	assert.NotEqual(t, headerSpan, span)
	assert.Equal(t, "a=1", client.span.TraceState().AsRaw())
	assert.EqualValues(t, 0x001, client.span.Flags(), "where the header's span is cannot be known")
	assert.Equal(t, "w3c", client.attrs[semconv.TraceSource])
	assert.EqualValues(t, 1, client.stats.TraceExtracted.Load())

	server := build(t, fromServer(withHeader(get(), "traceparent", headerParent)))
	_, _, parent = server.ids()
	assert.Equal(t, headerSpan, parent)
	assert.EqualValues(t, 0x301, server.span.Flags())

	x := fromServer(withHeader(get(), "traceparent", headerParent))
	x.Conn.PeerCaptured = true
	server = build(t, x)
	assert.Equal(t, client.span.SpanID(), server.span.ParentSpanID())
	assert.Equal(t, client.span.TraceID(), server.span.TraceID())
}

func TestUnsampledHeader(t *testing.T) {
	c := build(t, withHeader(get(), "b3", headerTrace+"-"+headerSpan+"-0"))
	assert.Zero(t, c.span.Flags())
	assert.Zero(t, c.log.Flags())
}

// TestCallsDiffer: each call of a connection has ids of its own, and so has each
// of several in one frame.
func TestCallsDiffer(t *testing.T) {
	seen := map[pcommon.TraceID]bool{}
	add := func(x *pair.Exchange) {
		id := identify(x)
		require.NotContains(t, seen, id.trace)
		require.NotEqual(t, id.client, id.server)
		seen[id.trace] = true
	}
	add(get())
	next := get()
	next.Request.First.Seq++
	add(next)
	other := get()
	other.Request.First.Ack++
	add(other)
	for key := range uint64(3) {
		keyed := get()
		keyed.Request.Keyed, keyed.Request.Key = true, key
		add(keyed)
	}
}

// TestResponseAlone: without the request, both ends still agree.
func TestResponseAlone(t *testing.T) {
	missing := func(x *pair.Exchange) *pair.Exchange {
		x.Request, x.Missing = nil, "midway"
		return x
	}
	client, server := missing(get()), missing(fromServer(get()))
	server.Conn.PeerCaptured = true
	c, s := build(t, client), build(t, server)
	assert.Equal(t, c.span.TraceID(), s.span.TraceID())
	assert.Equal(t, c.span.SpanID(), s.span.ParentSpanID())

	as := get()
	as.Request.First.Seq, as.Request.First.Ack = 1100, 5000
	assert.Equal(t, identify(as).trace, identify(client).trace, "the response's numbers, exchanged")
}

// TestNoSequenceNumbers: datagrams have ids that only this end knows, so nothing
// claims to be their child.
func TestNoSequenceNumbers(t *testing.T) {
	x := fromServer(get())
	x.Conn.Transport, x.Conn.PeerCaptured = capture.UDP, true
	x.Request.First.Seq, x.Request.First.Ack = 0, 0
	c := build(t, x)
	assert.False(t, c.span.TraceID().IsEmpty())
	assert.True(t, c.span.ParentSpanID().IsEmpty())
	assert.EqualValues(t, 1, c.stats.TraceLocal.Load())
	later := *x.Request
	later.First.Time++
	y := *x
	y.Request = &later
	assert.NotEqual(t, identify(x).trace, identify(&y).trace)
}

func TestCaptureFile(t *testing.T) {
	live := build(t, get())
	for _, c := range []struct {
		ends  Ends
		kinds []ptrace.SpanKind
	}{
		{EndsClient, []ptrace.SpanKind{ptrace.SpanKindClient}},
		{EndsServer, []ptrace.SpanKind{ptrace.SpanKindServer}},
		{EndsBoth, []ptrace.SpanKind{ptrace.SpanKindClient, ptrace.SpanKindServer}},
	} {
		// From a file, the local end may be either.
		for _, x := range []*pair.Exchange{get(), fromServer(get())} {
			x.Conn.Live, x.Conn.Process, x.Conn.Socket = false, nil, 0
			var rec recorder
			b := New(testSettings(func(s *Settings) { s.FileSpans = c.ends }), nil, &rec, &Stats{})
			b.Exchange(x)
			b.Flush()
			require.Equal(t, len(c.kinds), rec.spans)
			require.Equal(t, len(c.kinds), rec.lines)
			spans := rec.traces[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans()
			for i, kind := range c.kinds {
				span := spans.At(i)
				assert.Equal(t, kind, span.Kind())
				assert.Equal(t, live.span.TraceID(), span.TraceID(), "the ids are those of a live capture")
				peer, _ := span.Attributes().Get(semconv.NetworkPeerAddress)
				if kind == ptrace.SpanKindClient {
					assert.Equal(t, "10.0.0.2", peer.Str())
					assert.Equal(t, live.span.SpanID(), span.SpanID())
				} else {
					assert.Equal(t, "10.0.0.1", peer.Str())
				}
			}
			if c.ends == EndsBoth {
				assert.Equal(t, spans.At(0).SpanID(), spans.At(1).ParentSpanID())
			} else {
				assert.True(t, spans.At(0).ParentSpanID().IsEmpty())
			}
			_, ok := rec.traces[0].ResourceSpans().At(0).Resource().Attributes().Get(semconv.HostName)
			assert.False(t, ok, "the file may be of another machine")
		}
	}
}

func TestNothingSeen(t *testing.T) {
	var rec recorder
	b := New(testSettings(), nil, &rec, &Stats{})
	b.Exchange(&pair.Exchange{Conn: get().Conn, Dissector: fake{name: "http"}, Missing: "gap"})
	b.Flush()
	assert.Zero(t, rec.spans+rec.lines)
}

func TestReservedIsGivenBack(t *testing.T) {
	memory := budget.New(1000)
	x := get()
	x.Conn.Memory = memory.Account()
	require.True(t, x.Conn.Memory.Take(28))
	x.Interim = []*dissect.Message{{Kind: dissect.Interim, Reserved: 7}}
	b := New(testSettings(), memory, &recorder{}, &Stats{})
	b.Exchange(x)
	assert.Zero(t, memory.Used())
}

// A call within another one is in its trace, below the other's span at the same end.
func TestCallWithinACall(t *testing.T) {
	for name, header := range map[string][]dissect.Header{
		"derived": nil,
		"header":  {{Name: "traceparent", Value: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}},
	} {
		t.Run(name, func(t *testing.T) {
			outer := get()
			outer.Request.Content.Headers = header
			inner := get()
			inner.Request.Origin = &dissect.Message{First: outer.Request.First, Content: dissect.Content{Headers: header}}
			inner.Request.Content.Headers = nil
			inner.Request.First = mark(10, 2000, 6000)
			inner.Request.Keyed, inner.Request.Key = true, 99

			at := func(x *pair.Exchange, side string) built {
				if side == "server" {
					x = fromServer(x)
				}
				return build(t, x)
			}
			for _, side := range []string{"client", "server"} {
				assert.Equal(t, at(outer, side).span.TraceID(), at(inner, side).span.TraceID())
				assert.Equal(t, at(outer, side).span.SpanID(), at(inner, side).span.ParentSpanID(), side)
			}
			assert.NotEqual(t, at(outer, "client").span.SpanID(), at(inner, "client").span.SpanID())

			// The other end's server asks: its client is the handshake's server.
			inner.Request.Reversed, inner.ClientIsLocal = true, false
			assert.Equal(t, at(outer, "client").span.SpanID(), build(t, inner).span.ParentSpanID())

			inner.Request.Reversed = false
			inner.Conn.PeerCaptured = true
			assert.Equal(t, identify(inner).client, build(t, fromServer(inner)).span.ParentSpanID(), "the same call's span at the other end is nearer")
		})
	}
}

// A record of the server's end names the span of the client's end where that is captured
// as well: what is the parent in a span has no place of its own in a log record.
func TestRecordNamesTheSpanOfTheOtherEnd(t *testing.T) {
	client, server := build(t, get()), fromServer(get())
	assert.NotContains(t, client.lattr, semconv.SpanParentID)
	assert.NotContains(t, build(t, server).lattr, semconv.SpanParentID)

	server.Conn.PeerCaptured = true
	got := build(t, server)
	assert.Equal(t, client.span.SpanID().String(), got.lattr[semconv.SpanParentID])
	assert.NotContains(t, got.attrs, semconv.SpanParentID)
	open, _ := openRecord(t, server, start+10e9)
	assert.Equal(t, client.span.SpanID().String(), open.Attributes().AsRaw()[semconv.SpanParentID])

	server.Conn.Transport = capture.UDP
	assert.NotContains(t, build(t, server).lattr, semconv.SpanParentID)
}
