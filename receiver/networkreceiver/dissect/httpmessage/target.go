// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"strconv"
	"strings"
)

// Target is a request target taken apart. What its form leaves out is empty.
type Target struct {
	Scheme    string // lower case
	Authority string // may have userinfo
	Path      string
	Query     string // without "?"
	// Unknown is set where there was a path that could not be read.
	Unknown bool
}

// ParseTarget reads RFC 9112, section 3.2:
//
//	request-target = origin-form / absolute-form / authority-form / asterisk-form
func ParseTarget(method, s string) (t Target) {
	if method == "CONNECT" {
		t.Authority = s
		return t
	}
	if s == "*" {
		return t
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok && s[0] != '/' && isScheme(scheme) {
		t.Scheme = strings.ToLower(scheme)
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		t.Authority, s = rest[:end], rest[end:]
		if s == "" || s[0] == '?' {
			t.Path = "/"
		}
	}
	path, query, _ := strings.Cut(s, "?")
	t.Path, t.Query = t.Path+path, query
	return t
}

// isScheme checks RFC 3986, section 3.1.
func isScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= s[i] && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// Host is the authority without userinfo.
func (t Target) Host() string {
	return t.Authority[strings.LastIndexByte(t.Authority, '@')+1:]
}

// splitHostPort reads uri-host [ ":" port ]. The brackets of an IPv6 address are
// removed; port is 0 if there is none.
func splitHostPort(s string) (host string, port int64) {
	host = s
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') &&
		(s[0] == '[' || strings.IndexByte(s, ':') == i) {
		host = s[:i]
		if n, err := strconv.ParseUint(s[i+1:], 10, 16); err == nil {
			port = int64(n)
		}
	}
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	return host, port
}
