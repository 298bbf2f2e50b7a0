// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"strconv"
	"strings"
)

// target is a request target taken apart. What its form leaves out is empty.
type target struct {
	scheme    string // lower case
	authority string // may have userinfo
	path      string
	query     string // without "?"
}

// parseTarget reads RFC 9112, section 3.2:
//
//	request-target = origin-form / absolute-form / authority-form / asterisk-form
func parseTarget(method, s string) (t target) {
	if method == "CONNECT" {
		t.authority = s
		return t
	}
	if s == "*" {
		return t
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok && s[0] != '/' && isScheme(scheme) {
		t.scheme = strings.ToLower(scheme)
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		t.authority, s = rest[:end], rest[end:]
		if s == "" || s[0] == '?' {
			t.path = "/"
		}
	}
	path, query, _ := strings.Cut(s, "?")
	t.path, t.query = t.path+path, query
	return t
}

// isScheme checks RFC 3986, section 3.1.
func isScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case 'a' <= c && c <= 'z':
		case i > 0 && (isDigit(s[i]) || s[i] == '+' || s[i] == '-' || s[i] == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// host is the authority without userinfo.
func (t target) host() string {
	return t.authority[strings.LastIndexByte(t.authority, '@')+1:]
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
