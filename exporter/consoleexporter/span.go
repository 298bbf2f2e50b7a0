// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
)

// entryOfSpan reads a span. Its bodies are previews.
func entryOfSpan(resource pcommon.Resource, span ptrace.Span, maxBody int) entry {
	attrs := span.Attributes()
	x := entry{
		side:  sideOfKind(span.Kind()),
		start: span.StartTimestamp().AsTime().Local(),
		end:   span.EndTimestamp().AsTime().Local(),
	}
	x.describe(resource.Attributes(), attrs)
	if x.operation == "" {
		x.operation = span.Name()
	}
	if x.status == "" && span.Status().Code() == ptrace.StatusCodeError {
		x.status, x.outcome = span.Status().Message(), failed
	}
	if x.latency < 0 && x.status != "" && str(attrs, semconv.MissingSide) != "request" {
		x.latency = max(x.end.Sub(x.start), 0)
	}
	x.end = latest(x.start, x.end)
	x.request = messageOf("request", pcommon.NewValueEmpty(), attrs, maxBody)
	x.response = messageOf("response", pcommon.NewValueEmpty(), attrs, maxBody)
	x.match = matchOfSpan(&x, resource, span)
	return x
}

func sideOfKind(kind ptrace.SpanKind) side {
	switch kind {
	case ptrace.SpanKindClient, ptrace.SpanKindProducer:
		return clientSide
	case ptrace.SpanKindServer, ptrace.SpanKindConsumer:
		return serverSide
	default:
		return unknownSide
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
