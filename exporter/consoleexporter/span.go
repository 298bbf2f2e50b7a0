// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// callOfSpan reads a span. Its bodies are previews.
func callOfSpan(resource pcommon.Resource, span ptrace.Span) call {
	attrs := span.Attributes()
	x := call{time: span.StartTimestamp().AsTime().Local(), side: sideOfKind(span.Kind())}
	x.describe(resource.Attributes(), attrs)
	if x.operation == "" {
		x.operation = span.Name()
	}
	if x.status == "" && span.Status().Code() == ptrace.StatusCodeError {
		x.status, x.outcome = span.Status().Message(), failed
	}
	x.request = messageOf("request", pcommon.NewValueEmpty(), attrs)
	x.response = messageOf("response", pcommon.NewValueEmpty(), attrs)
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
