// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// sizes keeps what a batch is said to take, and what it takes.
type sizes struct{ said, took []int }

func (s *sizes) Traces(_ Class, td ptrace.Traces, bytes int) {
	s.add(bytes, (&ptrace.ProtoMarshaler{}).TracesSize(td))
}

func (s *sizes) Logs(_ Class, ld plog.Logs, bytes int) {
	s.add(bytes, (&plog.ProtoMarshaler{}).LogsSize(ld))
}

func (s *sizes) add(said, took int) { s.said, s.took = append(s.said, said), append(s.took, took) }

// TestSizeIsNotTooSmall compares the size that is reckoned for batches with their
// true one.
func TestSizeIsNotTooSmall(t *testing.T) {
	for name, change := range map[string]func(*pair.Exchange){
		"typical":     func(*pair.Exchange) {},
		"no response": func(x *pair.Exchange) { x.Response, x.Missing = nil, "outstanding_limit" },
		"no headers":  func(x *pair.Exchange) { x.Request.Content.Headers, x.Response.Content.Headers = nil, nil },
		"incomplete": func(x *pair.Exchange) {
			x.Response.Incomplete, x.Response.GapBytes, x.Response.Midway = "shutdown", 1<<40, true
			x.Response.Flags = []string{"http.conflicting_content_length", "http.obs_fold"}
			x.Response.Content.Truncated, x.Response.Content.Coding, x.Response.Content.DecodeError = "decode_limit", "gzip, br", true
			x.Request.Midway, x.Request.GapBytes, x.Uncertain, x.Conn.Midway = true, 1<<40, true, true
		},
		"large":  func(x *pair.Exchange) { x.Response.Content.Body = []byte(strings.Repeat("x", 100_000)) },
		"binary": func(x *pair.Exchange) { x.Response.Content.Body = []byte(strings.Repeat("\x00\xff", 50_000)) },
	} {
		for _, inAttributes := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				var got sizes
				b := New(testSettings(func(s *Settings) { s.Payload.InAttributes = inAttributes }), nil, &got, &Stats{})
				for range 100 {
					x := typical()
					change(x)
					b.Exchange(x)
				}
				b.Flush()
				require.GreaterOrEqual(t, len(got.said), 2)
				for i := range got.said {
					assert.GreaterOrEqual(t, got.said[i], got.took[i])
					assert.Less(t, got.said[i], got.took[i]*3/2)
				}
			})
		}
	}
}
