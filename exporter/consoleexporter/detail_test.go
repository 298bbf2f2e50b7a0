// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBody(t *testing.T) {
	tests := []struct {
		name string
		in   message
		max  int
		want string
	}{
		{"whole", message{body: body{text: "hello", kept: true, size: 5}}, 10, "hello"},
		{"cut for the terminal", message{body: body{text: "hello world", kept: true, size: 11}}, 5, "hello… (11 bytes)"},
		{"cut at a character", message{body: body{text: "aé", kept: true, size: 3}}, 2, "a… (3 bytes)"},
		{"cut where it was captured", message{body: body{text: "hello", kept: true, size: 10485760, cut: true}}, 10, "hello… (10485760 bytes)"},
		{"compressed on the wire", message{body: body{text: "hello world", kept: true, size: 4}}, 5, "hello… (11 bytes)"},
		{"not kept", message{body: body{size: 7}, mediaType: "video/mp4"}, 10, "<7 bytes video/mp4>"},
		{"binary", message{body: body{bytes: make([]byte, 20), kept: true, binary: true, size: 20}, mediaType: "image/png"}, 10, "<20 bytes image/png>"},
		{"binary, cut", message{body: body{bytes: make([]byte, 20), kept: true, binary: true, cut: true, size: 99}}, 10, "<99 bytes>"},
		{"none wanted", message{body: body{text: "hello", kept: true, size: 5}, mediaType: "text/plain"}, 0, "<5 bytes text/plain>"},
		{"JSON in one line", message{body: body{text: `{"a": [1, 2]}`, kept: true}}, 99, `{"a": [1, 2]}`},
		{"JSON in several lines", message{body: body{text: "{\n  \"a\": [1,\n 2]\n}\n", kept: true}}, 99, `{"a":[1,2]}`},
		{"JSON that was cut", message{body: body{text: "{\n  \"a\": [1,", kept: true, size: 99, cut: true}}, 99, `{\n  "a": [1,… (99 bytes)`},
		{"HTML", message{body: body{text: "<p>\n</p>", kept: true}}, 99, `<p>\n</p>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p page
			p.body(&tt.in, tt.max)
			assert.Equal(t, tt.want, string(p.b))
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
	tests := map[int64]string{-1: "?", 0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 10 << 20: "10.0 MiB", 1 << 62: "4.0 EiB"}
	for in, want := range tests {
		assert.Equal(t, want, formatSize(in))
	}
}
