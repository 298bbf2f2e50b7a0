// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"strconv"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
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

const methodConnect = "CONNECT"

// ParseTarget reads RFC 9112, section 3.2:
//
//	request-target = origin-form / absolute-form / authority-form / asterisk-form
func ParseTarget(method, s string) (t Target) {
	if method == methodConnect {
		if scheme, rest, ok := strings.Cut(s, "://"); ok && isScheme(scheme) {
			s = rest // that of a client which takes it for any other method
		}
		t.Authority = s[:authorityEnd(s)]
		return t
	}
	if s == "*" {
		return t
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok && s[0] != '/' && isScheme(scheme) {
		t.Scheme = strings.ToLower(scheme)
		end := authorityEnd(rest)
		t.Authority, s = rest[:end], rest[end:]
		if s == "" || s[0] == '?' {
			t.Path = "/"
		}
	}
	path, query, _ := strings.Cut(s, "?")
	t.Path, t.Query = t.Path+path, query
	return t
}

// authorityEnd is where an authority ends that something else follows (RFC 3986, section
// 3.2).
func authorityEnd(s string) int {
	if end := strings.IndexAny(s, "/?#\\ \t"); end >= 0 {
		return end
	}
	return len(s)
}

// URL puts the parts together. A path that does not begin with a slash is one relative to
// the root: what it begins with must not become a part of the host.
func (t Target) URL() string {
	slash, mark := "", ""
	if t.Path != "" && t.Path[0] != '/' {
		slash = "/"
	}
	if t.Query != "" {
		mark = "?"
	}
	return t.Scheme + "://" + t.Authority[:authorityEnd(t.Authority)] + slash + t.Path + mark + t.Query
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
	authority := t.Authority[:authorityEnd(t.Authority)]
	return authority[strings.LastIndexByte(authority, '@')+1:]
}

// Endpoint is the server that the authority names. It is not ok without a host or a port.
func (t Target) Endpoint() (e dissect.Endpoint, ok bool) {
	authority := t.Host()
	if authority == "" {
		return e, false
	}
	host, port := splitHostPort(authority)
	if host == "" || port <= 0 {
		return e, false
	}
	return dissect.Endpoint{Address: host, Port: uint16(port)}, true
}

const unknownPort = -1

// splitHostPort reads uri-host [ ":" port ]. The brackets of an IPv6 address are
// removed; port is 0 if there is none, and unknownPort if it cannot be read.
func splitHostPort(s string) (host string, port int64) {
	host = s
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') &&
		(s[0] == '[' || strings.IndexByte(s, ':') == i) {
		host = s[:i]
		if n, err := strconv.ParseUint(s[i+1:], 10, 16); err == nil {
			port = int64(n)
		} else if i+1 < len(s) {
			port = unknownPort
		}
	}
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	return host, port
}
