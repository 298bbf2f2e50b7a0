// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// detail prints a call as a block of labelled lines, with an empty line after it.
func (p *page) detail(x *call, headers bool, maxBody int) {
	p.ends(x)
	p.own("\n")
	p.process("Process", "Container", &x.process)
	p.process("Peer process", "Peer container", &x.peer)
	p.field("API", bold, x.operation)
	p.message("Request", &x.request, headers, maxBody)
	p.message("Response", &x.response, headers, maxBody)
	if x.latency >= 0 {
		p.field("Latency", plain, formatLatency(x.latency))
	}
	if x.status != "" {
		p.field("Status", x.outcome.style(), x.status)
	}
	if len(x.notes) > 0 {
		p.field("Incomplete", yellow, strings.Join(x.notes, ", "))
	}
	p.seen(x)
	p.own("\n")
}

func (p *page) label(name string) {
	p.in(dim, func() { p.own(name + ":") })
	p.own(" ")
}

func (p *page) field(label string, s style, value string) {
	p.label(label)
	p.styled(s, value)
	p.own("\n")
}

// process names the owner of a socket, and its container if it has one.
func (p *page) process(prefix, container string, x *process) {
	if x.name != "" || x.pid != 0 {
		p.label(prefix)
		p.text(x.name)
		if x.pid != 0 {
			p.own(" (PID " + strconv.FormatInt(x.pid, 10) + ")")
		}
		p.own("\n")
	}
	if x.container != "" {
		p.field(container, plain, x.container)
	}
}

func (p *page) message(kind string, m *message, headers bool, maxBody int) {
	if headers {
		p.fields(kind+" headers", m.headers)
	}
	if m.body.size > 0 || len(m.body.text) > 0 || len(m.body.bytes) > 0 {
		p.label(kind + " body")
		p.body(m, maxBody)
		p.own("\n")
	}
	if headers {
		p.fields(kind+" trailers", m.trailers)
	}
}

func (p *page) fields(title string, fields []header) {
	if len(fields) == 0 {
		return
	}
	p.in(dim, func() { p.own(title + ":") })
	p.own("\n")
	for _, h := range fields {
		p.own("  ")
		p.in(dim, func() { p.text(h.name + ":") })
		p.own(" ")
		p.text(h.value)
		p.own("\n")
	}
}

// body prints text as text, and of everything else the size and media type.
func (p *page) body(m *message, maxBody int) {
	if !m.body.kept || m.body.binary || maxBody == 0 {
		p.own("<" + strconv.FormatInt(m.body.total(), 10) + " bytes")
		if m.mediaType != "" {
			p.own(" ")
			p.text(m.mediaType)
		}
		p.own(">")
		return
	}
	text := oneLine(m.body.text)
	shown := cutText(text, maxBody)
	p.text(shown)
	if len(shown) < len(text) || m.body.cut {
		p.in(dim, func() { p.own("… (" + strconv.FormatInt(m.body.total(), 10) + " bytes)") })
	}
}

// total is the size of the body as well as it is known.
func (b *body) total() int64 {
	kept := int64(len(b.text) + len(b.bytes))
	if b.cut || !b.kept {
		return max(kept, b.size)
	}
	return kept
}

// oneLine compacts JSON that spans several lines. Everything else stays as it is.
func oneLine(s string) string {
	if !strings.Contains(s, "\n") || s == "" || (s[0] != '{' && s[0] != '[') {
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, []byte(s)) != nil {
		return s
	}
	return b.String()
}

// cutText gives at most n bytes of s, cut at a character boundary.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for back := 0; back < utf8.UTFMax && back < n; back++ {
		if utf8.RuneStart(s[n-back]) {
			return s[:n-back]
		}
	}
	return s[:n]
}

func (p *page) seen(x *call) {
	p.label("Seen")
	p.own(x.time.Format(clock))
	if x.side != unknownSide {
		p.own(", " + x.side.String() + " side")
	}
	p.own("\n")
}
