// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

const (
	clock = "15:04:05.000"
	// linePreview is how much of the payload of a stream's message one line has, in bytes.
	linePreview = 160
)

// line prints an entry in one line:
//
//	14:03:07.657 curl → payment:8080 POST /v1/checkout 200 OK 145ms 52 B → 1.2 KiB
//	14:03:07.657 curl → chat:8080 GET /chat ← text "hello" 5 B
func (p *page) line(x *entry, sides bool) {
	p.in(dim, func() {
		p.own(x.end.Format(clock))
		if sides && x.side != unknownSide {
			p.own(" " + x.side.String())
		}
	})
	p.own(" ")
	p.ends(x)
	if x.operation != "" {
		p.own(" ")
		p.styled(bold, x.operation)
	}
	switch x.kind {
	case streamMessage:
		p.streamLine(x)
	case openCall:
		p.own(" ")
		p.in(yellow, func() { p.own("open" + x.openFor()) })
		p.sizes(x)
	default:
		p.statusInLine(x)
		if x.latency >= 0 {
			p.own(" " + formatLatency(x.latency))
		}
		p.sizes(x)
	}
	p.remarks(x)
	p.own("\n")
}

func (p *page) statusInLine(x *entry) {
	if x.status != "" {
		p.own(" ")
		p.styled(x.outcome.style(), cutWithDots(x.status, linePreview))
	}
}

// streamLine prints the direction of a message, which one it is, and its payload.
func (p *page) streamLine(x *entry) {
	arrow := " → "
	if x.stream.fromServer {
		arrow = " ← "
	}
	p.own(arrow)
	p.text(x.stream.title)
	p.statusInLine(x)
	b := &x.stream.body
	if b.text != "" && !b.binary {
		p.own(" ")
		p.text(cutWithDots(oneLine(b.text), linePreview))
	}
	size := b.size
	if size < 0 {
		size = b.kept
	}
	p.in(dim, func() { p.own(" " + formatSize(size)) })
}

// remarks prints what else there is to say of an entry.
func (p *page) remarks(x *entry) {
	for _, f := range x.facts {
		if f.inLine {
			p.in(dim, func() {
				p.own(" (" + strings.ToLower(f.label) + ": ")
				p.text(cutWithDots(f.text, linePreview))
				p.own(")")
			})
		}
	}
	for _, note := range x.notes {
		p.own(" ")
		p.in(yellow, func() {
			p.own("[")
			p.text(note)
			p.own("]")
		})
	}
}

func (x *entry) openFor() string {
	if x.latency < 0 {
		return ""
	}
	return " for " + formatLatency(x.latency)
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

func cutWithDots(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return cutText(s, n) + "…"
}

// sizes prints what is known of the sizes of both bodies.
func (p *page) sizes(x *entry) {
	sent, got := x.request.body.size, x.response.body.size
	text := ""
	switch {
	case sent <= 0 && got <= 0:
		return
	case got < 0:
		text = formatSize(sent) + " →"
	case sent < 0:
		text = "→ " + formatSize(got)
	default:
		text = formatSize(sent) + " → " + formatSize(got)
	}
	p.in(dim, func() { p.own(" " + text) })
}

// ends prints who called whom.
func (p *page) ends(x *entry) {
	p.end(x.client)
	p.own(" → ")
	p.end(x.server)
}

func (p *page) end(e end) {
	if e.name == "" {
		e.name = "unknown"
	}
	p.styled(bold, e.name)
	if e.namespace != "" {
		p.own(" (namespace: ")
		p.text(e.namespace)
		p.own(")")
	}
}

func (o outcome) style() style {
	return [...]style{plain, green, yellow, red}[o]
}

// formatLatency keeps three digits, which is what the eye compares.
func formatLatency(d time.Duration) string {
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// formatSize is in IEC units.
func formatSize(n int64) string {
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, i := float64(n)/(1<<10), 0
	for ; f >= 1<<10 && i < 5; i++ {
		f /= 1 << 10
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + "KMGTPE"[i:i+1] + "iB"
}
