// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var start = time.Date(2026, 3, 1, 14, 3, 7, 512e6, time.UTC)

// checkout is one call as the receiver reports it, in both signals.
func checkout(s side) (plog.Logs, ptrace.Traces) {
	ld, td := plog.NewLogs(), ptrace.NewTraces()
	rl, rs := ld.ResourceLogs().AppendEmpty(), td.ResourceSpans().AppendEmpty()
	checkoutResource(rl.Resource().Attributes(), s)
	checkoutResource(rs.Resource().Attributes(), s)

	record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(start))
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
	span.Attributes().PutStr("http.request.body.content", `{"user_id": 12345, "items": ["a"]}`)
	span.Attributes().PutStr("http.response.body.content", `{"order_id": "abc-123", "status": "confirmed"}`)
	return ld, td
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
