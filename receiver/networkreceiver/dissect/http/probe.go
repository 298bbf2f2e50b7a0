// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// maxMethod bounds the length of a method. The longest registered one,
// UPDATEREDIRECTREF, has 17 characters.
const maxMethod = 32

// Probe knows HTTP/1 by a whole request line of one end or a status line of the
// other. What stands in the middle of a message is not recognised.
func (Dissector) Probe(client, server []byte) dissect.Verdict {
	return probe(client, server)
}

func probe(client, server []byte) dissect.Verdict {
	forward := either(either(probeRequest(client), probeStatus(server)), probeSimple(client, server))
	backward := either(either(probeRequest(server), probeStatus(client)), probeSimple(server, client))
	switch {
	case forward == dissect.Yes:
		return dissect.Yes
	case backward == dissect.Yes:
		return dissect.Reversed
	case forward == dissect.NeedMore || backward == dissect.NeedMore:
		return dissect.NeedMore
	}
	return dissect.No
}

// either joins what the two directions say. The direction that has bytes counts;
// where both have some, one certain answer is enough.
func either(a, b dissect.Verdict) dissect.Verdict {
	switch {
	case a == dissect.Yes || b == dissect.Yes:
		return dissect.Yes
	case a == dissect.NeedMore || b == dissect.NeedMore:
		return dissect.NeedMore
	}
	return dissect.No
}

// probeStart looks for the start line that a message of this direction has.
func probeStart(d dissect.Direction, b []byte) dissect.Verdict {
	if d == dissect.ToServer {
		return probeRequest(b)
	}
	return probeStatus(b)
}

// probeRequest looks for method SP request-target SP "HTTP/1." DIGIT. No bytes
// say No, so that the other direction decides.
func probeRequest(b []byte) dissect.Verdict {
	if len(b) == 0 {
		return dissect.No
	}
	b = b[consumeEmptyLines(b):]
	if len(b) == 0 {
		return dissect.NeedMore
	}
	sp := methodEnd(b)
	if sp < 0 {
		return dissect.No
	}
	if sp == len(b) {
		return dissect.NeedMore
	}
	method, rest := b[:sp], b[sp+1:]
	lf := bytes.IndexByte(rest, '\n')
	line := rest
	if lf >= 0 {
		line = rest[:lf]
	}
	// Control characters end the hope early: a request line has none.
	for i := range min(len(line), 64) {
		if line[i] < ' ' && line[i] != '\t' && (line[i] != '\r' || i+1 != len(line)) {
			return dissect.No
		}
	}
	if lf < 0 {
		if len(b) < probeBytes {
			return dissect.NeedMore
		}
		if known(method) && (rest[0] == '/' || bytes.HasPrefix(rest, []byte("http"))) {
			return dissect.Yes
		}
		return dissect.No
	}
	return probeTarget(method, bytes.TrimRight(line, "\r \t"))
}

// probeTarget looks at request-target SP HTTP-version.
func probeTarget(method, line []byte) dissect.Verdict {
	if !endsInVersion(line) {
		return dissect.No
	}
	// The asterisk-form is for OPTIONS only (RFC 9112, section 3.2.4). Others use
	// it in protocols that look like HTTP: SSDP's M-SEARCH and NOTIFY.
	if bytes.HasPrefix(line, []byte("* ")) && string(method) != "OPTIONS" {
		return dissect.No
	}
	return dissect.Yes
}

// probeStatus looks for "HTTP/1." DIGIT SP 3DIGIT. No bytes say No.
func probeStatus(b []byte) dissect.Verdict {
	const form = "HTTP/1.d ddd"
	if len(b) == 0 {
		return dissect.No
	}
	b = b[consumeEmptyLines(b):]
	for i := range min(len(b), len(form)) {
		if form[i] == 'd' && !isDigit(b[i]) || form[i] != 'd' && form[i] != b[i] {
			return dissect.No
		}
	}
	if len(b) <= len(form) {
		return dissect.NeedMore
	}
	if end := b[len(form)]; end != ' ' && end != '\r' && end != '\n' {
		return dissect.No
	}
	return dissect.Yes
}

// consumeEmptyLines is the length of the empty lines that b starts with. A server
// ignores them before a request line (RFC 9112, section 2.2).
func consumeEmptyLines(b []byte) (n int) {
	for n < len(b) && (b[n] == '\r' || b[n] == '\n') {
		n++
	}
	return n
}

// methodEnd is the index of the SP that follows the method, len(b) if all of b can
// still be a method, or -1.
func methodEnd(b []byte) int {
	for i := range min(len(b), maxMethod+1) {
		if b[i] == ' ' && i > 0 {
			return i
		}
		if !tchar[b[i]] {
			return -1
		}
	}
	if len(b) > maxMethod {
		return -1
	}
	return len(b)
}

// known tells whether a method is registered with IANA (RFC 9110, section 16.1.1),
// except those that RTSP and SIP use too.
func known(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
		"ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK",
		"MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE",
		"ORDERPATCH", "PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNCHECKOUT",
		"UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL", "PURGE", "SUBSCRIBE",
		"UNSUBSCRIBE":
		return true
	}
	return false
}
