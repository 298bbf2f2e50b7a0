// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tracecontext

import "strings"

// w3c reads traceparent by W3C Trace Context, section 3.2: version 00 has exactly
// these fields, a later one may append more. More than one traceparent is none.
func w3c(f *fields) (c Context, ok bool) {
	s := f.traceparent
	if f.traceparents != 1 || len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return c, false
	}
	var version, flags [1]byte
	if !lowerHex(version[:], s[:2]) || version[0] == 0xff || version[0] == 0 && len(s) != 55 || len(s) > 55 && s[55] != '-' {
		return c, false
	}
	if !lowerHex(c.TraceID[:], s[3:35]) || !lowerHex(c.SpanID[:], s[36:52]) || !lowerHex(flags[:], s[53:55]) {
		return c, false
	}
	if zero(c.TraceID[:]) || zero(c.SpanID[:]) {
		return c, false
	}
	c.Format, c.Flags = W3C, flags[0]
	if version[0] != 0 {
		c.Flags &= Sampled
	}
	if validState(f.tracestate) {
		c.State = f.tracestate
	}
	return c, true
}

// maxState bounds what is taken over: 32 members (section 3.3.1.1) of at most
// 256 bytes for the key, 256 for the value and two for the signs between.
const (
	maxMembers = 32
	maxState   = maxMembers * (256 + 256 + 2)
)

// validState checks tracestate by section 3.3.1. An invalid one is dropped; the
// traceparent stays.
func validState(s string) bool {
	if len(s) > maxState {
		return false
	}
	n := 0
	for member := range strings.SplitSeq(s, ",") {
		if member = strings.Trim(member, " \t"); member == "" {
			continue
		}
		key, value, ok := strings.Cut(member, "=")
		if n++; !ok || n > maxMembers || !validKey(key) || !validValue(value) {
			return false
		}
	}
	return true
}

func validKey(k string) bool {
	if k == "" || len(k) > 256 {
		return false
	}
	for i := range len(k) {
		c := k[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		case i > 0 && (c == '_' || c == '-' || c == '*' || c == '/' || c == '@'):
		default:
			return false
		}
	}
	return true
}

func validValue(v string) bool {
	if v == "" || len(v) > 256 || v[len(v)-1] == ' ' {
		return false
	}
	for i := range len(v) {
		if c := v[i]; c < 0x20 || c > 0x7e || c == ',' || c == '=' {
			return false
		}
	}
	return true
}
