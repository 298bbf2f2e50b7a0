// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// Call is one end of one call, as a collector has exported it: a span, and the
// log record that belongs to it.
type Call struct {
	Kind     ptrace.SpanKind
	TraceID  pcommon.TraceID
	SpanID   pcommon.SpanID
	ParentID pcommon.SpanID
	Name     string

	PID         int
	Executable  string
	ContainerID string

	Method   string
	URI      string // path and query
	Status   int    // 0 if there was no response
	Request  Message
	Response Message

	Start, End time.Time
	Links      []Link
	Attributes M // of the span
	Resource   M // of the span
	// Records is the number of log records of the call that are linked to the span.
	Records int
	// Events are the log records of what was told while the call ran.
	Events []Event
	// LogAttributes and LogBody are those of the log record.
	LogAttributes M
	LogBody       M
}

// Link is a link of a span to another one.
type Link struct {
	TraceID pcommon.TraceID
	SpanID  pcommon.SpanID
}

func linksOf(span ptrace.Span) (links []Link) {
	for _, l := range span.Links().All() {
		links = append(links, Link{l.TraceID(), l.SpanID()})
	}
	return links
}

// Message is one side of a call, as its log record has it.
type Message struct {
	Headers map[string][]string
	Body    []byte
	HasBody bool
}

// Header is the first value of a header field, whatever its spelling.
func (m Message) Header(name string) string {
	for key, values := range m.Headers {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// Sequence is the id that the client gave the request.
func (c Call) Sequence() string { return c.Request.Header(truth.SequenceHeader) }

// Calls are the exported calls, in the order of export.
type Calls []Call

// Where gives the calls for which keep is true.
func (c Calls) Where(keep func(Call) bool) Calls {
	var kept Calls
	for _, call := range c {
		if keep(call) {
			kept = append(kept, call)
		}
	}
	return kept
}

// Of gives the calls of one end.
func (c Calls) Of(kind ptrace.SpanKind) Calls {
	return c.Where(func(call Call) bool { return call.Kind == kind })
}

// BySequence groups the calls by the id that the client gave the request.
func (c Calls) BySequence() map[string]Calls {
	groups := map[string]Calls{}
	for _, call := range c {
		id := call.Sequence()
		groups[id] = append(groups[id], call)
	}
	return groups
}

// ReadCalls reads what the file exporter wrote into a folder. A last line that is
// still being written is left out.
func ReadCalls(t testing.TB, dir string) Calls {
	t.Helper()
	records := readRecords(t, filepath.Join(dir, "logs.jsonl"))
	var calls Calls
	spans := ptrace.JSONUnmarshaler{}
	lines(t, filepath.Join(dir, "traces.jsonl"), func(line []byte) {
		traces, err := spans.UnmarshalTraces(line)
		require.NoError(t, err)
		for _, rs := range traces.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					call := callOf(rs.Resource(), span)
					call.add(records[span.SpanID()])
					calls = append(calls, call)
				}
			}
		}
	})
	return calls
}

func readRecords(t testing.TB, path string) map[pcommon.SpanID][]plog.LogRecord {
	t.Helper()
	records := map[pcommon.SpanID][]plog.LogRecord{}
	unmarshaler := plog.JSONUnmarshaler{}
	lines(t, path, func(line []byte) {
		logs, err := unmarshaler.UnmarshalLogs(line)
		require.NoError(t, err)
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, record := range sl.LogRecords().All() {
					records[record.SpanID()] = append(records[record.SpanID()], record)
				}
			}
		}
	})
	return records
}

func lines(t testing.TB, path string, each func([]byte)) {
	t.Helper()
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	for line := range bytes.Lines(b) {
		if bytes.HasSuffix(line, []byte("\n")) {
			each(line)
		}
	}
}

func callOf(resource pcommon.Resource, span ptrace.Span) Call {
	attrs, res := span.Attributes().AsRaw(), resource.Attributes().AsRaw()
	method := text(attrs["http.request.method"])
	if method == "_OTHER" {
		method = text(attrs["http.request.method_original"])
	}
	return Call{
		Kind: span.Kind(), TraceID: span.TraceID(), SpanID: span.SpanID(), ParentID: span.ParentSpanID(), Name: span.Name(),
		PID: int(number(res["process.pid"])), Executable: text(res["process.executable.path"]), ContainerID: text(res["container.id"]),
		Method: method, URI: uriOf(attrs), Status: int(number(attrs["http.response.status_code"])),
		Start: span.StartTimestamp().AsTime(), End: span.EndTimestamp().AsTime(), Links: linksOf(span), Attributes: attrs, Resource: res,
	}
}

// add takes the payload from the span's log record, and events from the others.
func (c *Call) add(linked []plog.LogRecord) {
	var records []plog.LogRecord
	for _, record := range linked {
		if strings.HasSuffix(record.EventName(), ".call") {
			records = append(records, record)
		} else {
			c.Events = append(c.Events, eventOf(record))
		}
	}
	c.Records = len(records)
	if len(records) == 0 {
		return
	}
	c.LogAttributes = records[0].Attributes().AsRaw()
	c.LogBody, _ = records[0].Body().AsRaw().(M)
	c.Request, c.Response = messageOf(c.LogBody["request"]), messageOf(c.LogBody["response"])
}

func messageOf(v any) Message {
	m, _ := v.(M)
	message := Message{Headers: map[string][]string{}}
	headers, _ := m["headers"].(M)
	for name, values := range headers {
		list, _ := values.([]any)
		for _, value := range list {
			message.Headers[name] = append(message.Headers[name], text(value))
		}
	}
	switch body := m["body"].(type) {
	case string:
		message.Body, message.HasBody = []byte(body), true
	case []byte:
		message.Body, message.HasBody = body, true
	}
	return message
}

func uriOf(attrs M) string {
	if full := text(attrs["url.full"]); full != "" {
		u, err := url.Parse(full)
		if err != nil {
			return full
		}
		return u.RequestURI()
	}
	uri := text(attrs["url.path"])
	if query := text(attrs["url.query"]); query != "" {
		uri += "?" + query
	}
	return uri
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}
