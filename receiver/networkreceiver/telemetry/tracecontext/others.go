// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tracecontext

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// b3Single reads the header b3: trace-span[-sampled[-parent]]. A lone sampling
// decision carries no context.
func b3Single(s string) (c Context, ok bool) {
	trace, rest, ok := strings.Cut(s, "-")
	if !ok {
		return c, false
	}
	span, rest, more := strings.Cut(rest, "-")
	if !b3IDs(&c, trace, span) {
		return c, false
	}
	c.Flags = Sampled
	if more {
		switch sampled, _, _ := strings.Cut(rest, "-"); sampled {
		case "0":
			c.Flags = 0
		case "1", "d":
		default:
			return Context{}, false
		}
	}
	return c, true
}

// b3Multi reads the headers X-B3-TraceId, -SpanId, -Sampled and -Flags.
func b3Multi(f *fields) (c Context, ok bool) {
	if !b3IDs(&c, f.b3Trace, f.b3Span) {
		return c, false
	}
	c.Flags = Sampled
	if (f.b3Sampled == "0" || strings.EqualFold(f.b3Sampled, "false")) && f.b3Dbg != "1" {
		c.Flags = 0
	}
	return c, true
}

func b3IDs(c *Context, trace, span string) bool {
	c.Format = B3
	return (len(trace) == 32 || len(trace) == 16) && padHex(c.TraceID[:], trace) && !zero(c.TraceID[:]) &&
		len(span) == 16 && padHex(c.SpanID[:], span) && !zero(c.SpanID[:])
}

// jaeger reads uber-trace-id: trace:span:parent:flags, leading zeros left out,
// colons percent-encoded by some clients.
func jaeger(s string) (c Context, ok bool) {
	if strings.Contains(s, "%3") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "%3A", ":"), "%3a", ":")
	}
	trace, rest, _ := strings.Cut(s, ":")
	span, rest, _ := strings.Cut(rest, ":")
	_, flags, ok := strings.Cut(rest, ":")
	if !ok || !padHex(c.TraceID[:], trace) || !padHex(c.SpanID[:], span) || zero(c.TraceID[:]) || zero(c.SpanID[:]) {
		return c, false
	}
	bits, err := strconv.ParseUint(flags, 16, 8)
	if err != nil {
		return c, false
	}
	c.Format, c.Flags = Jaeger, byte(bits)&Sampled
	return c, true
}

// xray reads X-Amzn-Trace-Id: Root=1-8hex-24hex;Parent=16hex;Sampled=1. A load
// balancer may give a root alone.
func xray(s string) (c Context, ok bool) {
	c.Format, c.Flags = XRay, Sampled
	for part := range strings.SplitSeq(s, ";") {
		key, value, _ := strings.Cut(strings.Trim(part, " \t"), "=")
		switch {
		case strings.EqualFold(key, "Root"):
			if len(value) != 35 || value[:2] != "1-" || value[10] != '-' ||
				!padHex(c.TraceID[:4], value[2:10]) || !padHex(c.TraceID[4:], value[11:]) || zero(c.TraceID[:]) {
				return c, false
			}
			ok = true
		case strings.EqualFold(key, "Parent"):
			if len(value) != 16 || !padHex(c.SpanID[:], value) {
				return c, false
			}
		case strings.EqualFold(key, "Sampled"):
			if value == "0" {
				c.Flags = 0
			}
		}
	}
	return c, ok
}

// datadog reads x-datadog-trace-id and -parent-id, decimal 64 bit numbers. The
// upper half of a 128 bit trace id is the tag _dd.p.tid, in hexadecimal.
func datadog(f *fields) (c Context, ok bool) {
	trace, err := strconv.ParseUint(f.ddTrace, 10, 64)
	if err != nil || trace == 0 {
		return c, false
	}
	parent, err := strconv.ParseUint(f.ddParent, 10, 64)
	if err != nil || parent == 0 {
		return c, false
	}
	binary.BigEndian.PutUint64(c.TraceID[8:], trace)
	binary.BigEndian.PutUint64(c.SpanID[:], parent)
	for tag := range strings.SplitSeq(f.ddTags, ",") {
		if high, ok := strings.CutPrefix(strings.Trim(tag, " "), "_dd.p.tid="); ok && len(high) == 16 {
			if !lowerHex(c.TraceID[:8], high) {
				clear(c.TraceID[:8])
			}
		}
	}
	c.Format, c.Flags = Datadog, Sampled
	if priority, err := strconv.Atoi(f.ddPriority); err == nil && priority <= 0 {
		c.Flags = 0
	}
	return c, true
}
