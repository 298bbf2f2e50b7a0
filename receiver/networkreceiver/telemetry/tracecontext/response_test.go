// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tracecontext

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExtractResponse(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		format  Format
		flags   byte
	}{
		"traceresponse":              {[]string{"traceresponse: " + parent}, TraceResponse, 1},
		"any case":                   {[]string{"Content-Type: text/plain", "TraceResponse: " + parent}, TraceResponse, 1},
		"not sampled":                {[]string{"traceresponse: 00-" + trace32 + "-" + span16 + "-00"}, TraceResponse, 0},
		"without trace id":           {[]string{"traceresponse: 00--" + span16 + "-01"}, None, 0},
		"malformed":                  {[]string{"traceresponse: yes"}, None, 0},
		"server-timing":              {[]string{`Server-Timing: traceparent;desc="` + parent + `"`}, ServerTiming, 1},
		"server-timing, token":       {[]string{"Server-Timing: traceparent;desc=" + parent}, ServerTiming, 1},
		"server-timing among others": {[]string{`Server-Timing: db;dur=53, traceparent;dur=1; desc="` + parent + `", cache`}, ServerTiming, 1},
		"server-timing, second":      {[]string{"Server-Timing: db;dur=53", `server-timing: traceparent;desc="` + parent + `"`}, ServerTiming, 1},
		"server-timing, other name":  {[]string{`Server-Timing: parent;desc="` + parent + `"`}, None, 0},
		"server-timing, malformed":   {[]string{`Server-Timing: traceparent;desc="`, "Server-Timing: traceparent", "Server-Timing:"}, None, 0},
		"traceresponse is preferred": {[]string{`Server-Timing: traceparent;desc="00-00000000000000000000000000000001-` + span16 + `-01"`, "traceresponse: " + parent}, TraceResponse, 1},
		"a request's header":         {[]string{"traceparent: " + parent}, None, 0},
		"none":                       {nil, None, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := ExtractResponse(headers(c.headers...))
			assert.Equal(t, c.format, got.Format)
			assert.Equal(t, c.flags, got.Flags)
			if c.format != None {
				assert.Equal(t, trace32, hex.EncodeToString(got.TraceID[:]))
				assert.Equal(t, span16, hex.EncodeToString(got.SpanID[:]))
			} else {
				assert.Equal(t, Context{}, got)
			}
		})
	}
}

func TestExtractResponseAllocatesNothing(t *testing.T) {
	plain := headers("Content-Type: text/plain", "Server-Timing: db;dur=53", "Cache-Control: no")
	assert.Zero(t, testing.AllocsPerRun(100, func() { ExtractResponse(plain) }))
}
