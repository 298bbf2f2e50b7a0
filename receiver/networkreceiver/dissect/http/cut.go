// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Captures with a small snap length have only the beginning of each segment. What is
// there of a start line is told.

var (
	_ dissect.CutProber = Dissector{}
	_ dissect.Cutter    = (*conversation)(nil)
)

// ProbeCut implements dissect.CutProber.
func (Dissector) ProbeCut(client, server []byte) dissect.Verdict {
	switch {
	case startsCut(dissect.ToServer, client) || startsCut(dissect.ToClient, server):
		return dissect.Yes
	case startsCut(dissect.ToServer, server) || startsCut(dissect.ToClient, client):
		return dissect.Reversed
	}
	return dissect.No
}

// Cut implements dissect.Cutter.
func (c *conversation) Cut(d dissect.Direction, m dissect.Marks, b []byte) bool {
	h := &c.halves[d]
	if h.phase != inHead || len(h.partial) > 0 || !startsCut(d, b) {
		return false
	}
	c.found(d, h)
	h.first, h.last = m.At(0), m.At(0)
	h.see(m.At(len(b) - 1))
	return c.hold(h, b)
}

// startsCut is stricter than the probe, because less is to be had: a registered method
// and the beginning of a target, or all of a status line but the reason.
func startsCut(d dissect.Direction, b []byte) bool {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	for i, c := range line {
		if c < ' ' && c != '\t' && (c != '\r' || i+1 != len(line)) {
			return false
		}
	}
	if d == dissect.ToClient {
		_, _, ok := parseStatusLine(string(line[:min(len(line), len("HTTP/1.1 200 "))]))
		return ok
	}
	if len(line) == 0 || !startsKnown(line) {
		return false
	}
	_, rest, more := bytes.Cut(line[methodEnd(line)+1:], []byte(" "))
	return !more || startsVersion(bytes.TrimRight(rest, "\r"))
}

// startsVersion reports whether an HTTP-version begins with b.
func startsVersion(b []byte) bool {
	const form = "HTTP/1.1"
	n := min(len(b), len(form)-1)
	return len(b) <= len(form) && string(b[:n]) == form[:n]
}

// parseCutRequestLine reads a request line that ends in a gap.
func parseCutRequestLine(line string) (r RequestInfo, f flagSet) {
	method, rest, _ := strings.Cut(line, " ")
	target, _, whole := strings.Cut(rest, " ")
	r.Method, r.Target = method, target
	if !whole {
		f |= flagCutTarget
	}
	return r, f
}

// beginCut makes a message from the beginning of a start line.
func (c *conversation) beginCut(d dissect.Direction, h *half) {
	line := string(h.partial)
	switch {
	case !startsCut(d, h.partial):
		return
	case d == dissect.ToClient:
		const whole = len("HTTP/1.1 200")
		_ = c.begin(d, h, []byte(line[:min(len(line), whole)]), dissect.ReasonGap)
		return
	}
	info, flags := parseCutRequestLine(line)
	m := &requestMessage{info: info}
	m.Protocol = &m.info
	c.talked = true
	h.msg, h.flags = &m.Message, flags|h.strayFlag()
	c.beginRequest(h, &m.info, "", dissect.ReasonGap)
}
