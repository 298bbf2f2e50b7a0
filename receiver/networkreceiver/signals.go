// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
)

func tracesSignal(next consumer.Traces, report *receiverhelper.ObsReport) signal[ptrace.Traces] {
	return signal[ptrace.Traces]{
		consume: next.ConsumeTraces,
		rest: func(err error) (ptrace.Traces, bool) {
			if partial, ok := errors.AsType[consumererror.Traces](err); ok {
				return partial.Data(), true
			}
			return ptrace.Traces{}, false
		},
		count: ptrace.Traces.SpanCount,
		join: func(into, more ptrace.Traces) {
			more.ResourceSpans().MoveAndAppendTo(into.ResourceSpans())
		},
		begin: report.StartTracesOp,
		end: func(ctx context.Context, n int, err error) {
			report.EndTracesOp(ctx, metadata.Type.String(), n, err)
		},
	}
}

func logsSignal(next consumer.Logs, report *receiverhelper.ObsReport) signal[plog.Logs] {
	return signal[plog.Logs]{
		consume: next.ConsumeLogs,
		rest: func(err error) (plog.Logs, bool) {
			if partial, ok := errors.AsType[consumererror.Logs](err); ok {
				return partial.Data(), true
			}
			return plog.Logs{}, false
		},
		count: plog.Logs.LogRecordCount,
		join: func(into, more plog.Logs) {
			more.ResourceLogs().MoveAndAppendTo(into.ResourceLogs())
		},
		begin: report.StartLogsOp,
		end: func(ctx context.Context, n int, err error) {
			report.EndLogsOp(ctx, metadata.Type.String(), n, err)
		},
	}
}
