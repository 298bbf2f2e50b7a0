// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

const answered = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"

func answering(x *pair.Exchange, headers ...dissect.Header) *pair.Exchange {
	x.Response.Content.Headers = append(x.Response.Content.Headers, headers...)
	return x
}

// TestServerTellsItsTrace has a server with a tracer of its own, which got no context and
// says in its response which trace it has begun. Both ends join that one.
func TestServerTellsItsTrace(t *testing.T) {
	response := dissect.Header{Name: "traceresponse", Value: answered}
	client, derived := build(t, answering(get(), response)), build(t, get())
	peers := func(s *Settings) { s.CapturedPeers = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")} }
	server := build(t, answering(fromServer(get()), response), peers)
	for side, b := range map[string]built{"client": client, "server": server} {
		trace, _, _ := b.ids()
		assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", trace, side)
		assert.Equal(t, b.span.TraceID(), b.log.TraceID(), side)
		assert.Equal(t, "traceresponse", b.attrs[semconv.TraceSource], side)
		assert.Zero(t, b.span.Flags()&1, "%s: the server has not sampled", side)
		assert.EqualValues(t, 1, b.stats.TraceExtracted.Load(), side)
	}
	assert.Equal(t, derived.span.SpanID(), client.span.SpanID())
	assert.True(t, client.span.ParentSpanID().IsEmpty(), "what a call causes is not its parent")
	assert.Equal(t, client.span.SpanID(), server.span.ParentSpanID())
	assert.Zero(t, client.span.Links().Len())
	assert.Equal(t, 1, server.span.Links().Len())
	to := server.span.Links().At(0)
	span := to.SpanID()
	assert.Equal(t, server.span.TraceID(), to.TraceID())
	assert.Equal(t, "00f067aa0ba902b7", hex.EncodeToString(span[:]))
}

func TestServerTellsItsTraceTooLate(t *testing.T) {
	derived := build(t, get()).span.TraceID()
	response := dissect.Header{Name: "traceresponse", Value: answered}
	for name, x := range map[string]*pair.Exchange{
		"events of the response": answering(get(), response),
		"events of the request":  answering(get(), response),
		"calls within":           answering(get(), response, dissect.Header{Name: "upgrade", Value: "websocket"}),
	} {
		switch name {
		case "events of the response":
			x.Response.Events = 1
		case "events of the request":
			x.Request.Events = 1
		}
		assert.Equal(t, derived, build(t, x).span.TraceID(), name)
	}
	x := answering(get(), response)
	x.Request.Content.Headers = append(x.Request.Content.Headers, dissect.Header{Name: "traceparent", Value: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
	b := build(t, x)
	trace, _, parent := b.ids()
	assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", trace, "the request's context counts")
	assert.Equal(t, "b7ad6b7169203331", parent)
	assert.Equal(t, "w3c", b.attrs[semconv.TraceSource])
}

// translations is a source that knows one translation, from the second question on.
type translations struct{ asked int }

func (s *translations) Translated(_ capture.Transport, local, remote netip.AddrPort) (netip.AddrPort, bool) {
	s.asked++
	known := s.asked > 1 && local == netip.MustParseAddrPort("10.0.0.1:40000") && remote == netip.MustParseAddrPort("10.0.0.2:80")
	return netip.MustParseAddrPort("10.0.0.9:8080"), known
}

// TestTranslatedElsewhere asks the source where packets really go, as long as that may
// help.
func TestTranslatedElsewhere(t *testing.T) {
	source := new(translations)
	with := func(s *Settings) { s.Translator = source }
	x := get()
	assert.NotContains(t, build(t, x, with).attrs, semconv.PeerNATAddress)
	second := build(t, x, with)
	assert.Equal(t, "10.0.0.9", second.attrs[semconv.PeerNATAddress])
	assert.EqualValues(t, 8080, second.attrs[semconv.PeerNATPort])
	assert.EqualValues(t, 1, second.stats.Translated.Load())
	build(t, x, with)
	assert.Equal(t, 2, source.asked, "it is known now")

	untranslated := get()
	untranslated.Conn.Local = netip.MustParseAddrPort("10.0.0.1:40001")
	for range 2 * maxSought {
		build(t, untranslated, with)
	}
	assert.Equal(t, 2+maxSought, source.asked, "it is not asked forever")

	file := get()
	file.Conn.Live = false
	build(t, file, with)
	assert.Equal(t, 2+maxSought, source.asked, "a capture file has nothing to do with this machine")
}
