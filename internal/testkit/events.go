// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Event is an exported log record of what was told of a call while it ran.
type Event struct {
	Name       string
	TraceID    pcommon.TraceID
	SpanID     pcommon.SpanID
	Time       time.Time
	Body       []byte
	Attributes M
}

// Events reads the events that the collector has exported so far, also of calls whose
// span is still to come.
func (c *Collector) Events() []Event {
	c.t.Helper()
	return ReadEvents(c.t, c.dir)
}

// ReadEvents reads the events that the file exporter wrote into a folder.
func ReadEvents(t testing.TB, dir string) []Event {
	t.Helper()
	var events []Event
	for _, records := range readRecords(t, filepath.Join(dir, "logs.jsonl")) {
		for _, record := range records {
			if !strings.HasSuffix(record.EventName(), ".call") {
				events = append(events, eventOf(record))
			}
		}
	}
	return events
}

func eventOf(record plog.LogRecord) Event {
	e := Event{
		Name: record.EventName(), TraceID: record.TraceID(), SpanID: record.SpanID(),
		Time: record.Timestamp().AsTime(), Attributes: record.Attributes().AsRaw(),
	}
	switch body := record.Body(); body.Type() {
	case pcommon.ValueTypeStr:
		e.Body = []byte(body.Str())
	case pcommon.ValueTypeBytes:
		e.Body = body.Bytes().AsRaw()
	}
	return e
}
