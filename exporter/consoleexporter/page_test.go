// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
)

func TestTextIsNeverRaw(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", `{"name": "Zoë", "n": 1}`, `{"name": "Zoë", "n": 1}`},
		{"ideographs and emoji", "日本 🙂", "日本 🙂"},
		{"escape sequence", "\x1b[2J\x1b]0;owned\x07", `\x1b[2J\x1b]0;owned\x07`},
		{"newlines", "a\r\nStatus: 200 OK\n", `a\r\nStatus: 200 OK\n`},
		{"tab", "a\tb", "a\tb"},
		{"NUL", "a\x00", `a\x00`},
		{"joined emoji", "👩\u200d💻", "👩\u200d💻"},
		{"delete", "a\x7f", `a\x7f`},
		{"C1 control sequence introducer", "\u009b31m", `\u009b31m`},
		{"C1 as a raw byte", "\x9b31m", `\x9b31m`},
		{"right-to-left override", "a\u202egnp.exe", `a\u202egnp.exe`},
		{"isolate", "\u2066a\u2069", `\u2066a\u2069`},
		{"zero width", "a\u200bb\ufeff", `a\u200bb\ufeff`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"tag characters", "\U000e0041", `\U000e0041`},
		{"invalid UTF-8", "a\xff\xc3", `a\xff\xc3`},
		{"replacement character itself", "\ufffd", "\ufffd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p page
			p.text(tt.in)
			assert.Equal(t, tt.want, string(p.b))
		})
	}
}

// Every place that a captured string can reach is hostile here.
func TestHostileCall(t *testing.T) {
	ld, td := hostileCall("\x1b[31m\u202e\u0085\x9b\n\xff\x7f")
	for _, format := range []string{FormatLine, FormatDetail} {
		cfg := createDefaultConfig().(*Config)
		cfg.Format = format
		var out bytes.Buffer
		cfg.WaitDuration = 0
		require.NoError(t, newConsole(cfg, &out).pushLogs(t.Context(), ld))
		require.NoError(t, newConsole(cfg, &out).pushTraces(t.Context(), td))
		assertHarmless(t, out.String())
		assert.Contains(t, out.String(), `\x1b[31m\u202e\u0085\x9b\n\xff\x7f`)
	}
}

func hostileCall(evil string) (plog.Logs, ptrace.Traces) {
	ld, td := checkout(clientSide)
	rl, rs := ld.ResourceLogs().At(0), td.ResourceSpans().At(0)
	record, span := rl.ScopeLogs().At(0).LogRecords().At(0), rs.ScopeSpans().At(0).Spans().At(0)
	poison(rl.Resource().Attributes(), evil)
	poison(rs.Resource().Attributes(), evil)
	poison(record.Attributes(), evil)
	poison(span.Attributes(), evil)
	span.SetName(evil)
	message := record.Body().Map().PutEmptyMap("request")
	message.PutEmptyMap("headers").PutStr(evil, evil)
	message.PutStr("body", evil)
	message = record.Body().Map().PutEmptyMap("response")
	message.PutEmptyMap("headers").PutStr("Content-Type", evil)
	message.PutEmptyBytes("body").FromRaw([]byte(evil))
	return ld, td
}

func poison(attrs pcommon.Map, evil string) {
	for _, v := range attrs.All() {
		if v.Type() == pcommon.ValueTypeStr {
			v.SetStr(evil)
		}
	}
	attrs.PutStr(semconv.Side, "client")
	attrs.PutStr("wirespan.missing.side", evil)
	attrs.PutStr("wirespan.missing.reason", evil)
	attrs.PutStr("wirespan.request.incomplete", evil)
	attrs.PutStr("wirespan.request.trailer."+evil, evil)
	attrs.PutStr("http.request.header."+evil, evil)
}

func assertHarmless(t *testing.T, s string) {
	t.Helper()
	require.True(t, utf8.ValidString(s))
	for _, r := range strings.ReplaceAll(s, "\n", "") {
		require.Truef(t, unicode.IsGraphic(r) || strings.ContainsRune("\t\u200c\u200d", r), "%U reached the terminal", r)
	}
}

func FuzzText(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b[31m\u202e\u0085\n")
	f.Add("\xff\xc3\x28")
	f.Fuzz(func(t *testing.T, s string) {
		var p page
		p.text(s)
		assertHarmless(t, string(p.b))
		require.NotContains(t, string(p.b), "\n")
	})
}
