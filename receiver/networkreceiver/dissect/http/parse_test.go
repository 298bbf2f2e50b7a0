// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestParseRequestLine(t *testing.T) {
	for _, test := range []struct {
		line  string
		want  RequestInfo
		flags flagSet
		ok    bool
	}{
		{line: "GET / HTTP/1.1", want: RequestInfo{Method: "GET", Target: "/", Version: "1.1"}, ok: true},
		{line: "M-SEARCH * HTTP/1.0", want: RequestInfo{Method: "M-SEARCH", Target: "*", Version: "1.0"}, ok: true},
		{line: "GET\t/\tHTTP/1.1", want: RequestInfo{Method: "GET", Target: "/", Version: "1.1"}, ok: true},
		{line: "GET  /  HTTP/1.1 ", want: RequestInfo{Method: "GET", Target: "/", Version: "1.1"}, flags: flagStartLineWhitespace, ok: true},
		{line: "GET /a b HTTP/1.1", want: RequestInfo{Method: "GET", Target: "/a b", Version: "1.1"}, flags: flagStartLineWhitespace, ok: true},
		{line: "GET / HTTP/1.9", want: RequestInfo{Method: "GET", Target: "/", Version: "1.9"}, ok: true},
		{line: "GET /"},
		{line: "GET HTTP/1.1", want: RequestInfo{Method: "GET", Target: "HTTP/1.1"}, flags: flagMalformedRequestLine, ok: true},
		{line: "GET /HTTP/1.1", want: RequestInfo{Method: "GET", Target: "/HTTP/1.1"}, flags: flagMalformedRequestLine, ok: true},
		{line: "GET / HTTP/1.", want: RequestInfo{Method: "GET", Target: "/"}, flags: flagMalformedRequestLine, ok: true},
		{line: "GET / HTTP/1.x"},
		{line: "GET/ HTTP/1.1"},
		{line: " GET / HTTP/1.1"},
		{line: "GET / HTTP/2.0"},
		{line: "GET / http/1.1"},
		{line: "GET / HTTP/1.10"},
		{line: "GET / RTSP/1.0"},
		{line: "G(T / HTTP/1.1"},
		{line: strings.Repeat("G", maxMethod+1) + " / HTTP/1.1"},
		{line: ""},
	} {
		got, flags, ok := parseRequestLine(test.line)
		assert.Equal(t, test.ok, ok, "%q", test.line)
		if test.ok {
			assert.Equal(t, test.want, got, "%q", test.line)
			assert.Equal(t, test.flags, flags, "%q", test.line)
		}
	}
}

func TestParseStatusLine(t *testing.T) {
	for _, test := range []struct {
		line  string
		want  ResponseInfo
		flags flagSet
		ok    bool
	}{
		{line: "HTTP/1.1 200 OK", want: ResponseInfo{Status: 200, Reason: "OK", Version: "1.1"}, ok: true},
		{line: "HTTP/1.0 404 Not Found", want: ResponseInfo{Status: 404, Reason: "Not Found", Version: "1.0"}, ok: true},
		{line: "HTTP/1.1 200", want: ResponseInfo{Status: 200, Version: "1.1"}, ok: true},
		{line: "HTTP/1.1 200 ", want: ResponseInfo{Status: 200, Version: "1.1"}, ok: true},
		{line: "HTTP/1.1 999 \xff", want: ResponseInfo{Status: 999, Reason: "\xff", Version: "1.1"}, ok: true},
		{line: "HTTP/1.1   200 OK", want: ResponseInfo{Status: 200, Reason: "OK", Version: "1.1"}, flags: flagStartLineWhitespace, ok: true},
		{line: "HTTP/1.1 2000 OK"},
		{line: "HTTP/1.1 20 OK"},
		{line: "HTTP/1.1 099 OK"},
		{line: "HTTP/1.1 200OK"},
		{line: "HTTP/1.1"},
		{line: "HTTP/2.0 200 OK"},
		{line: "ICY 200 OK"},
		{line: "RTSP/1.0 200 OK"},
	} {
		got, flags, ok := parseStatusLine(test.line)
		assert.Equal(t, test.ok, ok, "%q", test.line)
		if test.ok {
			assert.Equal(t, test.want, got, "%q", test.line)
			assert.Equal(t, test.flags, flags, "%q", test.line)
		}
	}
}

func TestSectionEnd(t *testing.T) {
	for _, section := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\n\n",
		"GET / HTTP/1.1\r\nHost: a\n\r\n",
		"GET / HTTP/1.1\nHost: a\r\n\n",
		"GET / HTTP/1.0\r\n\r\n",
	} {
		n, _ := sectionEnd([]byte(section+"body\n\n"), 0)
		assert.Equal(t, len(section), n, "%q", section)
		// Every truncation is incomplete, and the search can go on from where it
		// stopped.
		resume := 0
		for i := range len(section) {
			n, resume = sectionEnd([]byte(section[:i]), resume)
			require.Equal(t, -1, n, "%q", section[:i])
		}
		n, _ = sectionEnd([]byte(section), resume)
		assert.Equal(t, len(section), n, "%q resumed", section)
	}
}

func TestAppendFields(t *testing.T) {
	for _, test := range []struct {
		name, lines string
		want        []dissect.Header
		flags       flagSet
	}{
		{name: "plain", lines: "Host: a\r\nX:\r\nAccept:*/* \t\r\n\r\n", want: []dissect.Header{{Name: "Host", Value: "a"}, {Name: "X"}, {Name: "Accept", Value: "*/*"}}},
		{name: "none", lines: "\r\n"},
		{name: "colons in the value", lines: "A: b:c: d\r\n\r\n", want: []dissect.Header{{Name: "A", Value: "b:c: d"}}},
		{name: "repeated, in order", lines: "a: 1\r\nB: 2\r\nA: 3\r\n\r\n", want: []dissect.Header{{Name: "a", Value: "1"}, {Name: "B", Value: "2"}, {Name: "A", Value: "3"}}},
		{name: "obs-fold", lines: "A: 1\r\n  2\r\n\t\r\n 3 \r\nB: 4\r\n\r\n", want: []dissect.Header{{Name: "A", Value: "1 2  3"}, {Name: "B", Value: "4"}}, flags: flagObsFold},
		{name: "bare LF", lines: "A: 1\nB: 2\r\n\n", want: []dissect.Header{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}, flags: flagBareLF},
		{name: "whitespace before colon", lines: "A : 1\r\n\r\n", want: []dissect.Header{{Name: "A", Value: "1"}}, flags: flagWhitespaceBeforeColon},
		{name: "whitespace before the first field", lines: " A: 1\r\nB: 2\r\n\r\n", want: []dissect.Header{{Name: "B", Value: "2"}}, flags: flagLeadingWhitespace},
		{name: "no colon", lines: "A\r\nB: 2\r\n\r\n", want: []dissect.Header{{Name: "B", Value: "2"}}, flags: flagMalformedHeader},
		{name: "no name", lines: ": 1\r\n\r\n", flags: flagInvalidHeaderName},
		{name: "name that is no token", lines: "A B: 1\r\n\r\n", want: []dissect.Header{{Name: "A B", Value: "1"}}, flags: flagInvalidHeaderName},
		{name: "bytes above ASCII", lines: "A: gr\xc3\xbc\xff\r\n\r\n", want: []dissect.Header{{Name: "A", Value: "gr\xc3\xbc\xff"}}},
		{name: "only whole lines", lines: "A: 1\r\nB: 2", want: []dissect.Header{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}},
	} {
		got, flags := appendFields(nil, test.lines)
		assert.Equal(t, test.want, got, test.name)
		assert.Equal(t, test.flags.names(), flags.names(), test.name)
	}
	got, flags := appendFields(nil, strings.Repeat("a: b\r\n", maxFields+1)+"\r\n")
	assert.Len(t, got, maxFields)
	assert.Equal(t, flagHeaderCount, flags)
}

func TestConsumeChunkSize(t *testing.T) {
	for _, test := range []struct {
		line  string
		size  uint64
		n     int
		flags flagSet
	}{
		{line: "0\r\n", n: 3},
		{line: "1aF\r\nrest", size: 0x1af, n: 5},
		{line: "00000005\r\n", size: 5, n: 10},
		{line: "5;a=b; c=\"d;e\"\r\n", size: 5, n: 16},
		{line: "5 ;a\r\n", size: 5, n: 6, flags: flagChunkSizeWhitespace},
		{line: "5  \r\n", size: 5, n: 5, flags: flagChunkSizeWhitespace},
		{line: "5\n", size: 5, n: 2, flags: flagBareLF},
		{line: "fffffffffffffff\r\n", size: 1<<60 - 1, n: 17},
		{line: "10000000000000000\r\n", n: -1, flags: flagInvalidChunkSize},
		{line: "\r\n", n: -1, flags: flagInvalidChunkSize},
		{line: "-1\r\n", n: -1, flags: flagInvalidChunkSize},
		{line: "0x1\r\n", n: -1, flags: flagInvalidChunkSize},
		{line: "5 a\r\n", n: -1, flags: flagInvalidChunkSize | flagChunkSizeWhitespace},
		{line: "5;" + strings.Repeat("x", maxChunkLine), n: -1, flags: flagInvalidChunkSize},
		{line: "5;x\r", n: 0},
		{line: "", n: 0},
	} {
		size, n, flags := consumeChunkSize([]byte(test.line))
		assert.Equal(t, test.n, n, "%q", test.line)
		assert.Equal(t, test.size, size, "%q", test.line)
		assert.Equal(t, test.flags&flagInvalidChunkSize, flags&flagInvalidChunkSize, "%q", test.line)
		if n > 0 {
			assert.Equal(t, test.flags, flags, "%q", test.line)
			for i := range n {
				_, short, _ := consumeChunkSize([]byte(test.line[:i]))
				assert.Zero(t, short, "%q", test.line[:i])
			}
		}
	}
}

func TestParseLength(t *testing.T) {
	for s, want := range map[string]uint64{"0": 0, "007": 7, "1234567890123": 1234567890123} {
		n, ok := parseLength(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, n, s)
	}
	for _, s := range []string{"", "+1", "-1", "1 ", "0x1", "1e3", "1.0", "99999999999999999999", "18446744073709551616"} {
		_, ok := parseLength(s)
		assert.False(t, ok, s)
	}
}
