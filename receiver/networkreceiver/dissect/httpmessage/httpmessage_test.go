// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestParseMediaType(t *testing.T) {
	for value, want := range map[string][2]string{
		"":                               {"", ""},
		"text/html":                      {"text/html", ""},
		"Text/HTML; Charset=UTF-8":       {"text/html", "utf-8"},
		`text/html;a=b; charset="x" ;c`:  {"text/html", "x"},
		"multipart/form-data; boundary=": {"multipart/form-data", ""},
		" ; ;=;":                         {"", ""},
	} {
		media, charset := ParseMediaType(value)
		assert.Equal(t, want, [2]string{media, charset}, "%q", value)
	}
}

func TestParseTarget(t *testing.T) {
	for _, test := range []struct {
		method, target string
		want           Target
	}{
		{"GET", "/", Target{Path: "/"}},
		{"GET", "/a/b?c=d?e", Target{Path: "/a/b", Query: "c=d?e"}},
		{"GET", "/r?u=http://x/", Target{Path: "/r", Query: "u=http://x/"}},
		{"GET", "HTTP://u:p@h:1/p?q", Target{Scheme: "http", Authority: "u:p@h:1", Path: "/p", Query: "q"}},
		{"GET", "http://h", Target{Scheme: "http", Authority: "h", Path: "/"}},
		{"GET", "http://h?q", Target{Scheme: "http", Authority: "h", Path: "/", Query: "q"}},
		{"OPTIONS", "*", Target{}},
		{"CONNECT", "h:443", Target{Authority: "h:443"}},
		{"GET", "//h/p", Target{Path: "//h/p"}},
		{"CONNECT", "h:25 /", Target{Authority: "h:25"}},
		{"CONNECT", "h:25/x?y", Target{Authority: "h:25"}},
		{"CONNECT", "[::1]:25\tz", Target{Authority: "[::1]:25"}},
		{"GET", "http://h#f", Target{Scheme: "http", Authority: "h", Path: "#f"}},
		{"GET", "rank/x?y", Target{Path: "rank/x", Query: "y"}},
		{"GET", "?", Target{}},
	} {
		assert.Equal(t, test.want, ParseTarget(test.method, test.target), "%s %s", test.method, test.target)
	}
	assert.Equal(t, "h:1", Target{Authority: "u:p@h:1"}.Host())
}

// Whatever the target is, the URL has the host that was asked.
func TestURLHasItsHost(t *testing.T) {
	for target, want := range map[string]string{
		"/a":             "http://shop.example:81/a",
		"rank/x?y":       "http://shop.example:81/rank/x?y",
		"?y":             "http://shop.example:81?y",
		"@evil.example":  "http://shop.example:81/@evil.example",
		":8080/x":        "http://shop.example:81/:8080/x",
		".evil.example/": "http://shop.example:81/.evil.example/",
		"#f":             "http://shop.example:81/#f",
		`\evil`:          `http://shop.example:81/\evil`,
		"%2e":            "http://shop.example:81/%2e",
	} {
		parsed := ParseTarget("GET", target)
		parsed.Scheme, parsed.Authority = "http", "shop.example:81"
		assert.Equal(t, want, parsed.URL(), "%q", target)
		u, err := url.Parse(parsed.URL())
		if assert.NoError(t, err, "%q", target) {
			assert.Equal(t, "shop.example", u.Hostname(), "%q", target)
		}
	}
	for authority, want := range map[string]string{"a/b": "http://a/", "a:1 x": "http://a:1/", `a\b`: "http://a/", "a#b?c": "http://a/"} {
		assert.Equal(t, want, Target{Scheme: "http", Authority: authority, Path: "/"}.URL(), "%q", authority)
	}
}

func TestSplitHostPort(t *testing.T) {
	for s, want := range map[string]struct {
		host string
		port int64
	}{
		"": {}, "a": {"a", 0}, "a:80": {"a", 80}, "a:": {"a", 0}, "a:x": {"a", -1}, "a:99999": {"a", -1},
		"[::1]": {"::1", 0}, "[::1]:8080": {"::1", 8080}, "::1": {"::1", 0}, ":80": {"", 80}, "[": {"[", 0},
	} {
		host, port := splitHostPort(s)
		assert.Equal(t, want.host, host, "%q", s)
		assert.Equal(t, want.port, port, "%q", s)
	}
}

func TestEndpointOfTunnel(t *testing.T) {
	for target, want := range map[string]dissect.Endpoint{
		"a:25": {Address: "a", Port: 25}, "a:25 /": {Address: "a", Port: 25}, "a:25/x": {Address: "a", Port: 25},
		"[::1]:443": {Address: "::1", Port: 443}, "u:p@a:1": {Address: "a", Port: 1}, "http://a:80": {Address: "a", Port: 80},
		"": {}, "a": {}, "a:": {}, "a:0": {}, "a:x": {}, "a:65536": {}, ":80": {}, "[::1]": {}, "/": {}, "u@": {},
	} {
		got, ok := ParseTarget("CONNECT", target).Endpoint()
		assert.Equal(t, want, got, "%q", target)
		assert.Equal(t, want.Port != 0, ok, "%q", target)
	}
}
