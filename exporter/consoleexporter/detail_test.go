// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestBody(t *testing.T) {
	text := func(s string) pcommon.Value { return pcommon.NewValueStr(s) }
	pixels := pcommon.NewValueBytes()
	pixels.Bytes().FromRaw(make([]byte, 20))
	tests := []struct {
		name      string
		in        pcommon.Value // empty: not kept
		size      int64
		cut       bool
		mediaType string
		max       int
		want      string
	}{
		{"whole", text("hello"), 5, false, "", 10, " hello"},
		{"cut for the terminal", text("hello world"), 11, false, "", 5, " hello… (11 bytes)"},
		{"cut at a character", text("aé"), 3, false, "", 2, " a… (3 bytes)"},
		{"cut where it was captured", text("hello"), 10485760, true, "", 10, " hello… (10485760 bytes)"},
		{"compressed on the wire", text("hello world"), 4, false, "", 5, " hello… (11 bytes)"},
		{"not kept", pcommon.NewValueEmpty(), 7, false, "video/mp4", 10, " <7 bytes video/mp4>"},
		{"binary", pixels, 20, false, "image/png", 10, " <20 bytes image/png>"},
		{"binary, cut", pixels, 99, true, "", 10, " <99 bytes>"},
		{"none wanted", text("hello"), 5, false, "text/plain", 0, " <5 bytes text/plain>"},
		{"JSON in one line", text(`{"a": [1, 2]}`), 13, false, "", 99, ` {"a": [1, 2]}`},
		{"JSON in several lines", text("{\n  \"a\": [1,\n 2]\n}\n"), 20, false, "", 99, "\n  {\n    \"a\": [1,\n   2]\n  }"},
		{"lines that end as on the wire", text("<p>\r\n\tdeep</p>\r\n"), 20, false, "", 99, "\n  <p>\n  \tdeep</p>"},
		{"a line that overwrites another", text("safe\revil"), 9, false, "", 99, ` safe\revil`},
		{"lines, cut", text("one\ntwo\nthree"), 13, false, "", 7, "\n  one\n  two… (13 bytes)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := body{size: tt.size, cut: tt.cut}
			if tt.in.Type() != pcommon.ValueTypeEmpty {
				b.take(tt.in, tt.max)
			}
			var p page
			p.body("Request body", &b, tt.mediaType, tt.max)
			assert.Equal(t, "Request body:"+tt.want+"\n", string(p.b))
		})
	}
}

func TestCutText(t *testing.T) {
	assert.Equal(t, "日", cutText("日本", 5))
	assert.Equal(t, "日", cutText("日本", 3))
	assert.Empty(t, cutText("日本", 0))
	assert.Equal(t, strings.Repeat("\x80", 9), cutText(strings.Repeat("\x80", 20), 9), "bytes that are no characters")
}

func TestFormatLatency(t *testing.T) {
	tests := map[time.Duration]string{
		0:                         "0s",
		999:                       "999ns",
		145 * time.Millisecond:    "145ms",
		1234567 * time.Nanosecond: "1.23ms",
		85400 * time.Nanosecond:   "85.4µs",
		2049 * time.Millisecond:   "2.05s",
		72 * time.Second:          "1m12s",
	}
	for in, want := range tests {
		assert.Equal(t, want, formatLatency(in))
	}
}

func TestFormatSize(t *testing.T) {
	tests := map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 10 << 20: "10.0 MiB", 1 << 62: "4.0 EiB"}
	for in, want := range tests {
		assert.Equal(t, want, formatSize(in))
	}
}
