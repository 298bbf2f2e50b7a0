// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

func TestOutcome(t *testing.T) {
	missing := func(reason conn.Reason) func(*pair.Exchange) {
		return func(x *pair.Exchange) { x.Response, x.Missing = nil, reason }
	}
	cutShort := func(reason conn.Reason) func(*pair.Exchange) {
		return func(x *pair.Exchange) { x.Response.Incomplete = reason }
	}
	for name, c := range map[string]struct {
		change    func(*pair.Exchange)
		isError   bool
		errorType any
	}{
		"whole":             {change: func(*pair.Exchange) {}},
		"dissector's error": {change: func(x *pair.Exchange) { x.Response.Protocol = &fakeResponse{status: 503} }, isError: true, errorType: "500"},
		"reset":             {change: missing("rst"), isError: true, errorType: "connection_reset"},
		"closed":            {change: missing("fin"), isError: true, errorType: "connection_closed"},
		"timeout":           {change: missing("timeout"), isError: true, errorType: "timeout"},
		"idle":              {change: missing("idle"), isError: true, errorType: "timeout"},
		"lost":              {change: missing("gap")},
		"joined midway":     {change: missing("midway")},
		"evicted":           {change: missing("evicted")},
		"limit":             {change: missing("outstanding_limit")},
		"shutdown":          {change: missing("shutdown")},
		"upgrade":           {change: missing("upgrade")},
		"cut by reset":      {change: cutShort("rst"), isError: true, errorType: "connection_reset"},
		"cut by close":      {change: cutShort("fin"), isError: true, errorType: "connection_closed"},
		"cut by loss":       {change: cutShort("gap")},
		"cut by shutdown":   {change: cutShort("shutdown")},
		"no request":        {change: func(x *pair.Exchange) { x.Request, x.Missing = nil, "midway" }},
		"request cut":       {change: func(x *pair.Exchange) { x.Request.Incomplete = "rst" }},
	} {
		t.Run(name, func(t *testing.T) {
			x := get()
			c.change(x)
			got := build(t, x)
			want := ptrace.StatusCodeUnset
			if c.isError {
				want = ptrace.StatusCodeError
			}
			assert.Equal(t, want, got.span.Status().Code())
			assert.Empty(t, got.span.Status().Message())
			assert.Equal(t, c.errorType, got.attrs[semconv.ErrorType])
			assert.Equal(t, c.errorType, got.lattr[semconv.ErrorType])
		})
	}
}

func TestTimes(t *testing.T) {
	x := get()
	c := build(t, x)
	assert.EqualValues(t, start, c.span.StartTimestamp())
	assert.EqualValues(t, start+3_000_000, c.span.EndTimestamp())
	assert.EqualValues(t, 2_000_000, c.attrs[semconv.TimeConnect])

	x = get()
	x.First = false
	assert.NotContains(t, build(t, x).attrs, semconv.TimeConnect)

	x = get()
	x.Response, x.Missing = nil, "rst"
	c = build(t, x)
	assert.EqualValues(t, start+1_000, c.span.EndTimestamp(), "the last byte that was seen")
	assert.NotContains(t, c.attrs, semconv.TimeFirstResponseByte)

	x = get()
	x.Response, x.Missing = nil, "rst"
	x.Interim = []*dissect.Message{{Last: mark(9_000, 1, 1)}}
	c = build(t, x)
	assert.EqualValues(t, start+9_000, c.span.EndTimestamp())
	assert.EqualValues(t, 1, c.attrs[semconv.ResponseInterim])

	x = get()
	x.Response, x.Missing, x.Ended = nil, "fin", start+2e9
	c = build(t, x)
	assert.EqualValues(t, start+2e9, c.span.EndTimestamp(), "when the client gave up")
	assert.Equal(t, "connection_closed", c.attrs[semconv.ErrorType])

	x = get()
	x.Response.Incomplete, x.Response.Ended = "rst", start+3e9
	c = build(t, x)
	assert.EqualValues(t, start+3e9, c.span.EndTimestamp(), "when the response was given up")
	assert.EqualValues(t, 3_000_000, c.attrs[semconv.TimeLastResponseByte])

	x = get()
	x.Response, x.Missing = nil, "fin"
	x.Request.Incomplete, x.Request.Ended = "fin", start+4e9
	c = build(t, x)
	assert.EqualValues(t, start+4e9, c.span.EndTimestamp(), "when the request was given up")

	x = get()
	x.Request, x.Missing = nil, "gap"
	c = build(t, x)
	assert.EqualValues(t, start+2_000_000, c.span.StartTimestamp())
	assert.NotContains(t, c.attrs, semconv.TimeFirstResponseByte)
	assert.EqualValues(t, 1_000_000, c.attrs[semconv.TimeLastResponseByte])

	x = get()
	x.Response.First.Time, x.Response.Last.Time = start-5, start-5
	c = build(t, x)
	assert.EqualValues(t, start+1, c.span.EndTimestamp(), "neither a negative duration nor none")
	assert.EqualValues(t, 0, c.attrs[semconv.TimeFirstResponseByte])
}

func TestNetwork(t *testing.T) {
	client := build(t, get())
	assert.Equal(t, "shop.example", client.attrs[semconv.ServerAddress], "the dissector knows better than the socket")
	assert.NotContains(t, client.attrs, semconv.ClientAddress, "network.local.address says it")
	assert.Equal(t, "10.0.0.1", client.attrs[semconv.NetworkLocalAddress])
	assert.Equal(t, "client", client.lattr[semconv.Side])

	server := build(t, fromServer(get()))
	assert.Equal(t, "10.0.0.2", server.attrs[semconv.ServerAddress])
	assert.EqualValues(t, 80, server.attrs[semconv.ServerPort])
	assert.Equal(t, "10.0.0.1", server.attrs[semconv.ClientAddress])
	assert.NotContains(t, server.attrs, semconv.ClientPort, "network.peer.port says it")
	assert.EqualValues(t, 40000, server.attrs[semconv.NetworkPeerPort])
	assert.Equal(t, "10.0.0.1", server.attrs[semconv.NetworkPeerAddress])
	assert.Equal(t, "10.0.0.2", server.attrs[semconv.NetworkLocalAddress])
	assert.Equal(t, "server", server.lattr[semconv.Side])

	x := get()
	x.Conn.Local = netip.MustParseAddrPort("[2001:db8::1]:1")
	x.Conn.Remote = netip.MustParseAddrPort("[2001:db8::2]:2")
	x.Conn.RemoteNAT = netip.MustParseAddrPort("[2001:db8::3]:3")
	c := build(t, x)
	assert.Equal(t, "2001:db8::2", c.attrs[semconv.NetworkPeerAddress])
	assert.Equal(t, "2001:db8::3", c.attrs[semconv.PeerNATAddress])
	assert.EqualValues(t, 3, c.attrs[semconv.PeerNATPort])

	x = get()
	x.Conn.Remote = netip.MustParseAddrPort("[::ffff:10.0.0.9]:80")
	c = build(t, x)
	assert.Equal(t, "10.0.0.9", c.attrs[semconv.NetworkPeerAddress])
}

func TestCompleteness(t *testing.T) {
	whole := build(t, get())
	for _, key := range []string{semconv.Incomplete, semconv.MissingSide, semconv.MissingReason, semconv.PairingUncertain, semconv.ConnectionMidway, semconv.GapBytes, semconv.Flags, requestKeys.bodyTruncated, requestKeys.midway} {
		assert.NotContains(t, whole.attrs, key)
		assert.NotContains(t, whole.lattr, key)
	}

	x := get()
	x.Uncertain, x.Conn.Midway = true, true
	x.Request.GapBytes, x.Response.GapBytes = 3, 4
	x.Request.Midway, x.Request.Flags = true, []string{"http.b", "http.a"}
	x.Response.Incomplete, x.Response.Flags = "gap", []string{"http.a"}
	x.Response.Content.Truncated, x.Response.Content.Coding, x.Response.Content.DecodeError = "gap", "gzip", true
	c := build(t, x)
	for _, attrs := range []map[string]any{c.attrs, c.lattr} {
		assert.Equal(t, true, attrs[semconv.Incomplete])
		assert.Equal(t, true, attrs[semconv.PairingUncertain])
		assert.Equal(t, true, attrs[semconv.ConnectionMidway])
		assert.NotContains(t, attrs, semconv.GapBytes, "those of the messages say it")
		assert.EqualValues(t, 3, attrs[requestKeys.gapBytes])
		assert.EqualValues(t, 4, attrs[responseKeys.gapBytes])
		assert.Equal(t, true, attrs[requestKeys.midway])
		assert.Equal(t, "gap", attrs[responseKeys.incomplete])
		assert.Equal(t, "gap", attrs[responseKeys.bodyTruncated])
		assert.Equal(t, "gzip", attrs[responseKeys.bodyCoding])
		assert.Equal(t, true, attrs[responseKeys.bodyUndecoded])
		assert.Equal(t, []any{"http.b", "http.a"}, attrs[semconv.Flags])
		assert.NotContains(t, attrs, semconv.MissingSide)
	}
	assert.EqualValues(t, 1, c.stats.Incomplete.Load())

	x = get()
	x.Response, x.Missing = nil, "evicted"
	c = build(t, x)
	assert.Equal(t, "response", c.lattr[semconv.MissingSide])
	assert.Equal(t, "evicted", c.lattr[semconv.MissingReason])
	assert.NotContains(t, c.lattr, responseKeys.size, "nothing is said about what was not seen")
	assert.NotContains(t, c.body, "response")

	x = get()
	x.Response = nil // a message that stands for itself
	c = build(t, x)
	for _, key := range []string{semconv.Incomplete, semconv.MissingSide, semconv.MissingReason, semconv.ErrorType} {
		assert.NotContains(t, c.attrs, key)
	}
	assert.Zero(t, c.stats.Incomplete.Load())

	x = get()
	x.Request, x.Missing = nil, "midway"
	c = build(t, x)
	assert.Equal(t, "request", c.attrs[semconv.MissingSide])
	assert.Equal(t, "HTTP", c.span.Name())
	assert.NotContains(t, c.body, "request")
}

// What a peer has told of an error is the description of the span's status, if it is one.
func TestStatusDescription(t *testing.T) {
	x := get()
	x.Response.Protocol = &fakeResponse{status: 200, told: "no gold\xff" + strings.Repeat("!", 2*maxStatus)}
	got := build(t, x).span.Status()
	assert.Equal(t, ptrace.StatusCodeError, got.Code())
	assert.Equal(t, "no goldÿ!", got.Message()[:10])
	assert.LessOrEqual(t, len(got.Message()), maxStatus+1)
	assert.Empty(t, build(t, get()).span.Status().Message())
}

// TestOneAttributeForOneFact has no attribute that another one says as well.
func TestOneAttributeForOneFact(t *testing.T) {
	for _, x := range []*pair.Exchange{get(), fromServer(get())} {
		c := build(t, x)
		for _, attrs := range []map[string]any{c.attrs, c.lattr} {
			assert.EqualValues(t, 10, attrs[requestKeys.bodySize])
			assert.NotContains(t, attrs, requestKeys.bodyKept, "all is kept")
		}
	}
	x := get()
	x.Dissector = sized{fake{name: "http"}}
	x.Response.Content.KeptSize, x.Response.Content.Truncated = 5, "limit"
	c := build(t, x)
	for _, attrs := range []map[string]any{c.attrs, c.lattr} {
		assert.EqualValues(t, 10, attrs["http.request.body.size"])
		assert.NotContains(t, attrs, requestKeys.bodySize)
		assert.EqualValues(t, 11, attrs[responseKeys.bodySize], "the dissector says none")
		assert.EqualValues(t, 5, attrs[responseKeys.bodyKept])
	}
}

// sized is a dissector that says how large requests' bodies are.
type sized struct{ fake }

func (s sized) Info() dissect.Info {
	info := s.fake.Info()
	info.Request.Size = "http.request.body.size"
	return info
}

func (s sized) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) dissect.Summary {
	out.Int("http.request.body.size", int64(req.Content.BodySize))
	return s.fake.Describe(side, req, resp, out)
}

// TestLogRecordStandsAlone has on a log record what its span says of itself.
func TestLogRecordStandsAlone(t *testing.T) {
	x := get()
	x.Request.Content.Headers = append(x.Request.Content.Headers, dissect.Header{Name: "traceparent", Value: context1})
	x.Response.Protocol = &fakeResponse{status: 503, told: "out of stock"}
	x.Conn.PeerCaptured = true
	c := build(t, x)
	assert.Equal(t, "POST", c.lattr[semconv.SpanName])
	assert.Equal(t, "b7ad6b7169203331", c.lattr[semconv.SpanParentID])
	assert.Equal(t, "out of stock", c.lattr[semconv.StatusMessage])
	assert.Equal(t, "out of stock", c.span.Status().Message())
	assert.Equal(t, true, c.lattr[semconv.PeerCaptured])
	for _, key := range []string{semconv.SpanName, semconv.SpanParentID, semconv.StatusMessage, semconv.PeerCaptured} {
		assert.NotContains(t, c.attrs, key, "the span")
	}

	c = build(t, get())
	assert.NotContains(t, c.lattr, semconv.SpanParentID, "a root")
	assert.NotContains(t, c.lattr, semconv.StatusMessage)
	assert.Equal(t, false, c.lattr[semconv.PeerCaptured])
}

// TestLeanLogs leaves to the span what that says, where there is one.
func TestLeanLogs(t *testing.T) {
	lean := func(s *Settings) { s.LeanLogs = true }
	c := build(t, get(), lean)
	assert.Equal(t, map[string]any{
		semconv.Side: "client", semconv.SpanName: "POST", semconv.PeerCaptured: false, semconv.NetworkProtocolName: "http", semconv.ServerAddress: "shop.example",
		semconv.URLFull: "http://shop.example/cart?id=1", "http.request.method": "POST", "http.response.status_code": int64(200),
	}, c.lattr)
	whole := build(t, get())
	assert.Equal(t, whole.body, c.body, "the payload stays")
	assert.Equal(t, whole.attrs, c.attrs, "the span has all")

	var rec recorder
	b := New(testSettings(lean, func(s *Settings) { s.Traces = false }), nil, &rec, &Stats{})
	b.Exchange(get())
	b.Flush()
	alone := rec.logs[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, whole.lattr, alone.Attributes().AsRaw(), "without spans it is whole")
}
