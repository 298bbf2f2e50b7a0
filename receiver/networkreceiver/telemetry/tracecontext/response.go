// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tracecontext

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// ExtractResponse finds the trace that a server says in a response's headers it has
// made its part of the call in. The SpanID is the server's own span. Its Format is None
// where the server says nothing.
func ExtractResponse(headers []dissect.Header) Context {
	var timing Context
	for i := range headers {
		name, value := headers[i].Name, headers[i].Value
		switch {
		case len(name) != len("traceresponse"): // as long as server-timing
		case strings.EqualFold(name, "traceresponse"):
			if c, ok := answer(value, TraceResponse); ok {
				return c
			}
		case timing.Format == None && strings.EqualFold(name, "server-timing"):
			timing = serverTiming(value)
		}
	}
	return timing
}

// answer reads a context in the form of traceparent.
func answer(s string, format Format) (Context, bool) {
	c, ok := w3c(&fields{traceparent: strings.Trim(s, " \t"), traceparents: 1})
	if !ok {
		return Context{}, false
	}
	c.Format = format
	return c, true
}

// serverTiming reads the metric traceparent of Server-Timing:
// traceparent;desc="00-…", among others.
func serverTiming(s string) Context {
	for metric := range strings.SplitSeq(s, ",") {
		name, parameters, _ := strings.Cut(metric, ";")
		if !strings.EqualFold(strings.Trim(name, " \t"), "traceparent") {
			continue
		}
		for parameter := range strings.SplitSeq(parameters, ";") {
			key, value, _ := strings.Cut(parameter, "=")
			if !strings.EqualFold(strings.Trim(key, " \t"), "desc") {
				continue
			}
			if c, ok := answer(strings.Trim(value, " \t\""), ServerTiming); ok {
				return c
			}
		}
	}
	return Context{}
}
