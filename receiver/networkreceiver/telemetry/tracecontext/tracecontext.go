// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package tracecontext finds the trace context that a request's headers carry, and the
// one that a response's tell of.
// Where several formats are there, the first valid one in the order of [Format]
// counts. A context that breaks its format's rules is as good as none.
package tracecontext // import "github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/tracecontext"

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Format is a propagation format.
type Format uint8

// Formats, in order of precedence.
const (
	None          Format = iota
	W3C                  // traceparent, tracestate: W3C Trace Context
	B3                   // b3 or X-B3-*: Zipkin
	Jaeger               // uber-trace-id
	XRay                 // X-Amzn-Trace-Id
	Datadog              // x-datadog-*
	TraceResponse        // of responses, traceresponse: W3C Trace Context, level 2
	ServerTiming         // of responses, Server-Timing: traceparent;desc="…"
)

func (f Format) String() string {
	return [...]string{"", "w3c", "b3", "jaeger", "xray", "datadog", "traceresponse", "server_timing"}[f]
}

// Sampled is the sampled bit of [Context.Flags].
const Sampled = 0x01

// Context is a trace context.
type Context struct {
	Format  Format
	TraceID [16]byte
	// SpanID is the span that sent the request. It is zero where a proxy began
	// the trace without a span of its own (X-Ray).
	SpanID [8]byte
	Flags  byte   // W3C trace flags
	State  string // W3C tracestate
}

// fields are the headers of all formats, as they were found.
type fields struct {
	traceparent, tracestate               string
	traceparents                          int
	b3, b3Trace, b3Span, b3Sampled, b3Dbg string
	uber, amzn                            string
	ddTrace, ddParent, ddPriority, ddTags string
}

// Extract finds the trace context in a request's headers. Its Format is None
// where there is none.
func Extract(headers []dissect.Header) Context {
	var f fields
	if !f.collect(headers) {
		return Context{}
	}
	if c, ok := w3c(&f); ok {
		return c
	}
	if c, ok := b3Single(f.b3); ok {
		return c
	}
	if c, ok := b3Multi(&f); ok {
		return c
	}
	if c, ok := jaeger(f.uber); ok {
		return c
	}
	if c, ok := xray(f.amzn); ok {
		return c
	}
	if c, ok := datadog(&f); ok {
		return c
	}
	return Context{}
}

// collect reports whether any header of any format is there.
func (f *fields) collect(headers []dissect.Header) (found bool) {
	for i := range headers {
		to := f.of(headers[i].Name)
		if to == nil {
			continue
		}
		found = true
		value := strings.Trim(headers[i].Value, " \t")
		switch {
		case to == &f.traceparent:
			f.traceparents++
			*to = value
		case to == &f.tracestate && *to != "":
			*to += "," + value
		case *to == "":
			*to = value
		}
	}
	return found
}

// of is the place for a header's value. Names are told apart by length first,
// since nearly all headers are none of these.
func (f *fields) of(name string) *string {
	is := func(lower string) bool { return strings.EqualFold(name, lower) }
	switch len(name) {
	case 2:
		if is("b3") {
			return &f.b3
		}
	case 10:
		if is("tracestate") {
			return &f.tracestate
		}
		if is("x-b3-flags") {
			return &f.b3Dbg
		}
	case 11:
		if is("traceparent") {
			return &f.traceparent
		}
		if is("x-b3-spanid") {
			return &f.b3Span
		}
	case 12:
		if is("x-b3-traceid") {
			return &f.b3Trace
		}
		if is("x-b3-sampled") {
			return &f.b3Sampled
		}
	case 13:
		if is("uber-trace-id") {
			return &f.uber
		}
	case 14:
		if is("x-datadog-tags") {
			return &f.ddTags
		}
	case 15:
		if is("x-amzn-trace-id") {
			return &f.amzn
		}
	case 18:
		if is("x-datadog-trace-id") {
			return &f.ddTrace
		}
	case 19:
		if is("x-datadog-parent-id") {
			return &f.ddParent
		}
	case 27:
		if is("x-datadog-sampling-priority") {
			return &f.ddPriority
		}
	}
	return nil
}
