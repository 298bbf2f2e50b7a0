// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

// BenchmarkFloor makes copies of the pdata of one call, and nothing else: what
// any way to the same records costs at least with pdata's interface, which has no
// cheaper way to a value than to copy one.
func BenchmarkFloor(b *testing.B) {
	for _, t := range cases {
		b.Run(t.name, func(b *testing.B) {
			f := t.write(b)
			span, record := recordsOf(b, f)
			var floor cost
			for b.Loop() {
				floor.add(b, f, syscall.RUSAGE_SELF, func() int { return copies(span, record, f.calls) })
			}
			b.ReportMetric(0, "ns/op")
			floor.report(b, f)
		})
	}
}

// copies makes n copies of a span and a log record, in batches of the usual number
// of records.
func copies(span ptrace.Span, record plog.LogRecord, n int) int {
	const batch = 512
	spans, records := ptrace.NewSpanSlice(), plog.NewLogRecordSlice()
	for i := range n {
		if i%batch == 0 {
			spans, records = ptrace.NewSpanSlice(), plog.NewLogRecordSlice()
		}
		span.CopyTo(spans.AppendEmpty())
		record.CopyTo(records.AppendEmpty())
	}
	return n
}

// recordsOf gives a span and a log record of the calls in f.
func recordsOf(tb testing.TB, f *file) (ptrace.Span, plog.LogRecord) {
	var last keep
	wirespan(tb, f, newShardTo(&last))
	spans := last.td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	records := last.ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	require.Positive(tb, spans.Len())
	require.Positive(tb, records.Len())
	return spans.At(0), records.At(0)
}

// keep is a next component that has the last batches.
type keep struct {
	td ptrace.Traces
	ld plog.Logs
}

func (k *keep) Traces(_ telemetry.Class, td ptrace.Traces, _ int) { k.td = td }
func (k *keep) Logs(_ telemetry.Class, ld plog.Logs, _ int)       { k.ld = ld }
