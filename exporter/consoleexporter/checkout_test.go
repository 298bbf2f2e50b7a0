// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var start = time.Date(2026, 3, 1, 14, 3, 7, 512e6, time.UTC)

var (
	trace      = pcommon.TraceID{1}
	clientSpan = pcommon.SpanID{2}
	serverSpan = pcommon.SpanID{3}
)

// identify gives the record of one end of a call its ids.
func identify(record plog.LogRecord, s side) {
	record.SetTraceID(trace)
	record.SetSpanID(clientSpan)
	if s == serverSide {
		record.SetSpanID(serverSpan)
		record.Attributes().PutStr("wirespan.span.parent_id", clientSpan.String())
		record.Attributes().PutBool("wirespan.peer.captured", true)
	}
}

// checkout is one call as the receiver reports it, in both signals.
func checkout(s side) (plog.Logs, ptrace.Traces) {
	ld, td := plog.NewLogs(), ptrace.NewTraces()
	rl, rs := ld.ResourceLogs().AppendEmpty(), td.ResourceSpans().AppendEmpty()
	checkoutResource(rl.Resource().Attributes(), s)
	checkoutResource(rs.Resource().Attributes(), s)

	record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(start))
	identify(record, s)
	checkoutAttributes(record.Attributes(), s)
	payload := record.Body().SetEmptyMap()
	putMessage(payload.PutEmptyMap("request"), `{"user_id": 12345, "items": ["a"]}`, "application/json")
	putMessage(payload.PutEmptyMap("response"), `{"order_id": "abc-123", "status": "confirmed"}`, "application/json; charset=utf-8")

	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("POST")
	span.SetKind(map[side]ptrace.SpanKind{clientSide: ptrace.SpanKindClient, serverSide: ptrace.SpanKindServer}[s])
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(145 * time.Millisecond)))
	checkoutAttributes(span.Attributes(), s)
	span.SetTraceID(trace)
	span.SetSpanID(clientSpan)
	if s == serverSide {
		span.SetSpanID(serverSpan)
		span.SetParentSpanID(clientSpan)
	}
	span.Attributes().PutStr("http.request.body.content", `{"user_id": 12345, "items": ["a"]}`)
	span.Attributes().PutStr("http.response.body.content", `{"order_id": "abc-123", "status": "confirmed"}`)
	return ld, td
}

// bothEnds is the same call as both ends report it.
func bothEnds() (plog.Logs, ptrace.Traces) {
	ld, td := checkout(serverSide)
	clientLogs, clientTraces := checkout(clientSide)
	clientLogs.ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	clientTraces.ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	return ld, td
}

// streams are records of calls that go on for a while.
func streams(t *testing.T) plog.Logs {
	t.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("wirespan.process.name", "shop")
	for i, r := range []struct {
		event, body string
		attrs       map[string]any
	}{
		{"wirespan.rpc.message", `{"symbol":"ACME"}`, map[string]any{"rpc.method": "stock.Ticker/Watch", "wirespan.event.direction": "request", "wirespan.event.size": 6, "wirespan.rpc.message.number": 1}},
		{"wirespan.rpc.message", `{"price":12.5}`, map[string]any{"rpc.method": "stock.Ticker/Watch", "wirespan.event.direction": "response", "wirespan.event.size": 9, "wirespan.rpc.message.number": 1}},
		{"wirespan.http2.call", "", map[string]any{
			"rpc.system.name": "grpc", "rpc.method": "stock.Ticker/Watch", "rpc.response.status_code": "UNAVAILABLE", "wirespan.rpc.status_message": "the market is closed",
			"http.response.status_code": 200, "url.path": "/stock.Ticker/Watch", "wirespan.time.last_response_byte": int64(0),
			"wirespan.rpc.request.messages": 1, "wirespan.rpc.response.messages": 1,
		}},
		{"wirespan.websocket.message", "hello\nagain", map[string]any{"http.request.method": "GET", "url.path": "/chat", "wirespan.event.direction": "request", "wirespan.event.size": 11, "wirespan.websocket.opcode": "text"}},
		{"wirespan.websocket.close", "", map[string]any{
			"http.request.method": "GET", "url.path": "/chat", "wirespan.event.direction": "response", "wirespan.event.size": 5,
			"wirespan.websocket.opcode": "close", "wirespan.websocket.close.code": 1000, "wirespan.websocket.close.reason": "bye",
		}},
		{"wirespan.sse.event", `{"done": 40}`, map[string]any{"http.request.method": "GET", "url.path": "/jobs/7", "wirespan.event.direction": "response", "wirespan.event.size": 12, "wirespan.sse.event.type": "progress"}},
		{"wirespan.call.open", "", map[string]any{"http.request.method": "GET", "url.path": "/jobs/7", "wirespan.time.elapsed": (10 * time.Second).Nanoseconds(), "wirespan.response.body.size": 40}},
	} {
		record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Duration(i) * time.Second)))
		record.SetEventName(r.event)
		require.NoError(t, record.Attributes().FromRaw(r.attrs))
		record.Attributes().PutStr("wirespan.side", "client")
		record.Attributes().PutStr("server.address", "stock")
		record.Attributes().PutInt("server.port", 9090)
		if r.body != "" {
			record.Body().SetStr(r.body)
		}
	}
	return ld
}

func checkoutResource(attrs pcommon.Map, s side) {
	if s == clientSide {
		attrs.PutStr("process.executable.name", "node")
		attrs.PutInt("process.pid", 1234)
		attrs.PutStr("k8s.pod.name", "frontend-7d4b8c6f9-x2k4m")
		attrs.PutStr("k8s.namespace.name", "production")
		return
	}
	attrs.PutStr("process.executable.name", "gunicorn")
	attrs.PutInt("process.pid", 77)
	attrs.PutStr("container.id", "4f7c1e2a9d35")
}

func checkoutAttributes(attrs pcommon.Map, s side) {
	attrs.PutStr("http.request.method", "POST")
	attrs.PutInt("http.response.status_code", 200)
	attrs.PutInt("wirespan.request.body.size", 34)
	attrs.PutInt("wirespan.response.body.size", 46)
	attrs.PutInt("wirespan.time.last_response_byte", (145 * time.Millisecond).Nanoseconds())
	attrs.PutStr("server.address", "payment")
	attrs.PutInt("server.port", 8080)
	attrs.PutStr("network.peer.address", "10.0.0.7")
	attrs.PutInt("network.peer.port", 51234)
	if s == clientSide {
		attrs.PutStr("url.full", "http://payment:8080/api/v1/checkout")
		attrs.PutStr("service.peer.name", "payment-service")
		attrs.PutStr("service.peer.namespace", "production")
		return
	}
	attrs.PutStr("url.path", "/api/v1/checkout")
	attrs.PutStr("url.query", "dry=1")
}

func putMessage(m pcommon.Map, body, contentType string) {
	headers := m.PutEmptyMap("headers")
	headers.PutEmptySlice("content-type").AppendEmpty().SetStr(contentType)
	accept := headers.PutEmptySlice("x-seen")
	accept.AppendEmpty().SetStr("one")
	accept.AppendEmpty().SetStr("two")
	m.PutStr("body", body)
}
