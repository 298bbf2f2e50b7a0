// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tracecontext

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	trace32 = "4bf92f3577b34da6a3ce929d0e0e4736"
	span16  = "00f067aa0ba902b7"
	parent  = "00-" + trace32 + "-" + span16 + "-01"
)

// headers makes fields from "Name: value" lines.
func headers(lines ...string) (fields []dissect.Header) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		fields = append(fields, dissect.Header{Name: name, Value: value})
	}
	return fields
}

func TestExtract(t *testing.T) {
	const low64 = "0000000000000000a3ce929d0e0e4736"
	for name, c := range map[string]struct {
		headers     []string
		format      Format
		trace, span string
		flags       byte
		state       string
	}{
		"w3c":                  {headers: []string{"traceparent: " + parent}, format: W3C, trace: trace32, span: span16, flags: 1},
		"w3c, any case":        {headers: []string{"TraceParent: " + parent}, format: W3C, trace: trace32, span: span16, flags: 1},
		"w3c, not sampled":     {headers: []string{"traceparent: 00-" + trace32 + "-" + span16 + "-00"}, format: W3C, trace: trace32, span: span16},
		"w3c, random bit":      {headers: []string{"traceparent: 00-" + trace32 + "-" + span16 + "-03"}, format: W3C, trace: trace32, span: span16, flags: 3},
		"w3c, later version":   {headers: []string{"traceparent: cc-" + trace32 + "-" + span16 + "-ff-more"}, format: W3C, trace: trace32, span: span16, flags: 1},
		"w3c, state":           {headers: []string{"traceparent: " + parent, "tracestate: a=1,b@c=2", "tracestate: d=3"}, format: W3C, trace: trace32, span: span16, flags: 1, state: "a=1,b@c=2,d=3"},
		"w3c, bad state":       {headers: []string{"traceparent: " + parent, "tracestate: A=1"}, format: W3C, trace: trace32, span: span16, flags: 1},
		"w3c, state too long":  {headers: []string{"traceparent: " + parent, "tracestate: " + strings.Repeat("a=1,", 33)}, format: W3C, trace: trace32, span: span16, flags: 1},
		"w3c, two":             {headers: []string{"traceparent: " + parent, "traceparent: " + parent}},
		"w3c, upper case":      {headers: []string{"traceparent: " + strings.ToUpper(parent)}},
		"w3c, version ff":      {headers: []string{"traceparent: ff" + parent[2:]}},
		"w3c, too long":        {headers: []string{"traceparent: " + parent + "-00"}},
		"w3c, later, no dash":  {headers: []string{"traceparent: 01" + parent[2:] + "x"}},
		"w3c, too short":       {headers: []string{"traceparent: " + parent[:54]}},
		"w3c, zero trace":      {headers: []string{"traceparent: 00-00000000000000000000000000000000-" + span16 + "-01"}},
		"w3c, zero span":       {headers: []string{"traceparent: 00-" + trace32 + "-0000000000000000-01"}},
		"w3c, not hexadecimal": {headers: []string{"traceparent: 00-" + trace32[:31] + "g-" + span16 + "-01"}},
		"w3c before b3":        {headers: []string{"b3: 1234567890abcdef-1234567890abcdef", "traceparent: " + parent}, format: W3C, trace: trace32, span: span16, flags: 1},
		"b3 after bad w3c":     {headers: []string{"b3: " + trace32 + "-" + span16, "traceparent: x"}, format: B3, trace: trace32, span: span16, flags: 1},

		"b3":                 {headers: []string{"b3: " + trace32 + "-" + span16 + "-1-05e3ac9a4f6e3b90"}, format: B3, trace: trace32, span: span16, flags: 1},
		"b3, 64 bit":         {headers: []string{"B3: a3ce929d0e0e4736-" + span16 + "-d"}, format: B3, trace: low64, span: span16, flags: 1},
		"b3, denied":         {headers: []string{"b3: " + trace32 + "-" + span16 + "-0"}, format: B3, trace: trace32, span: span16},
		"b3, decision alone": {headers: []string{"b3: 0"}},
		"b3, bad decision":   {headers: []string{"b3: " + trace32 + "-" + span16 + "-x"}},
		"b3, short span":     {headers: []string{"b3: " + trace32 + "-" + span16[1:]}},
		"b3 multi":           {headers: []string{"X-B3-TraceId: " + trace32, "X-B3-SpanId: " + span16, "X-B3-Sampled: 1"}, format: B3, trace: trace32, span: span16, flags: 1},
		"b3 multi, denied":   {headers: []string{"x-b3-traceid: " + trace32, "x-b3-spanid: " + span16, "x-b3-sampled: false"}, format: B3, trace: trace32, span: span16},
		"b3 multi, debug":    {headers: []string{"x-b3-traceid: " + trace32, "x-b3-spanid: " + span16, "x-b3-sampled: 0", "x-b3-flags: 1"}, format: B3, trace: trace32, span: span16, flags: 1},
		"b3 multi, no span":  {headers: []string{"x-b3-traceid: " + trace32}},

		"jaeger":           {headers: []string{"uber-trace-id: " + trace32 + ":" + span16 + ":0:1"}, format: Jaeger, trace: trace32, span: span16, flags: 1},
		"jaeger, short":    {headers: []string{"uber-trace-id: a3ce929d0e0e4736:f067aa0ba902b7:0:3"}, format: Jaeger, trace: low64, span: span16, flags: 1},
		"jaeger, escaped":  {headers: []string{"Uber-Trace-Id: " + trace32 + "%3A" + span16 + "%3a0%3A0"}, format: Jaeger, trace: trace32, span: span16},
		"jaeger, no flags": {headers: []string{"uber-trace-id: " + trace32 + ":" + span16 + ":0"}},
		"jaeger, zero":     {headers: []string{"uber-trace-id: 0:1:0:1"}},

		"xray":             {headers: []string{"X-Amzn-Trace-Id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=" + span16 + ";Sampled=1"}, format: XRay, trace: trace32, span: span16, flags: 1},
		"xray, any order":  {headers: []string{"X-Amzn-Trace-Id: Sampled=0; Parent=" + span16 + "; Root=1-4bf92f35-77b34da6a3ce929d0e0e4736; x=y"}, format: XRay, trace: trace32, span: span16},
		"xray, root alone": {headers: []string{"X-Amzn-Trace-Id: Self=1-1-1;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736"}, format: XRay, trace: trace32, span: "0000000000000000", flags: 1},
		"xray, bad root":   {headers: []string{"X-Amzn-Trace-Id: Root=1-4bf92f3577b34da6a3ce929d0e0e4736"}},

		"datadog":           {headers: []string{"x-datadog-trace-id: 11803532876627986230", "x-datadog-parent-id: 67667974448284343", "x-datadog-sampling-priority: 1"}, format: Datadog, trace: low64, span: span16, flags: 1},
		"datadog, 128 bit":  {headers: []string{"x-datadog-trace-id: 11803532876627986230", "x-datadog-parent-id: 67667974448284343", "x-datadog-tags: _dd.p.dm=-0,_dd.p.tid=4bf92f3577b34da6"}, format: Datadog, trace: trace32, span: span16, flags: 1},
		"datadog, bad tid":  {headers: []string{"x-datadog-trace-id: 11803532876627986230", "x-datadog-parent-id: 67667974448284343", "x-datadog-tags: _dd.p.tid=4bf92f3577b34daX"}, format: Datadog, trace: low64, span: span16, flags: 1},
		"datadog, rejected": {headers: []string{"x-datadog-trace-id: 11803532876627986230", "x-datadog-parent-id: 67667974448284343", "x-datadog-sampling-priority: -1"}, format: Datadog, trace: low64, span: span16},
		"datadog, zero":     {headers: []string{"x-datadog-trace-id: 0", "x-datadog-parent-id: 1"}},
		"datadog, too big":  {headers: []string{"x-datadog-trace-id: 99999999999999999999", "x-datadog-parent-id: 1"}},

		"none": {headers: []string{"Host: example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Extract(headers(c.headers...))
			require.Equal(t, c.format.String(), got.Format.String())
			if c.format == None {
				assert.Zero(t, got)
				return
			}
			assert.Equal(t, c.trace, hex.EncodeToString(got.TraceID[:]))
			assert.Equal(t, c.span, hex.EncodeToString(got.SpanID[:]))
			assert.Equal(t, c.flags, got.Flags)
			assert.Equal(t, c.state, got.State)
		})
	}
}

// FuzzExtract: what is extracted has a trace id, and a span id unless the format
// allows for none.
func FuzzExtract(f *testing.F) {
	f.Add("traceparent", parent, "tracestate", "a=1")
	f.Add("b3", trace32+"-"+span16+"-1", "", "")
	f.Add("x-b3-traceid", trace32, "x-b3-spanid", span16)
	f.Add("uber-trace-id", trace32+":"+span16+":0:1", "", "")
	f.Add("x-amzn-trace-id", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent="+span16, "", "")
	f.Add("x-datadog-trace-id", "1", "x-datadog-parent-id", "2")
	fields := seed.Fields(f)
	for i, field := range fields {
		other := fields[(i+1)%len(fields)]
		f.Add(field.Name, field.Value, other.Name, other.Value)
	}
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		c := Extract([]dissect.Header{{Name: name1, Value: value1}, {Name: name2, Value: value2}})
		if c.Format == None {
			require.Zero(t, c)
			return
		}
		require.NotZero(t, c.TraceID)
		if c.Format != XRay {
			require.NotZero(t, c.SpanID)
		}
	})
}
