// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"strconv"
	"strings"
)

// shortID is how many digits of a container's id are printed: as many as container
// runtimes print.
const shortID = 12

// detail prints an entry as a block of labelled lines, with an empty line after it.
func (p *page) detail(x *entry, headers bool, maxBody int) {
	p.ends(x)
	p.own("\n")
	p.process("Process", "Container", &x.process)
	p.process("Peer process", "Peer container", &x.peer)
	if x.operation != "" {
		p.field("API", bold, x.operation)
	}
	if x.kind == streamMessage {
		p.streamMessage(x, maxBody)
	} else {
		p.message("Request", &x.request, headers, maxBody)
		p.message("Response", &x.response, headers, maxBody)
	}
	p.ending(x)
	for _, f := range x.facts {
		p.field(f.label, plain, f.text)
	}
	if len(x.notes) > 0 {
		p.field("Incomplete", yellow, strings.Join(x.notes, ", "))
	}
	p.seen(x)
	p.own("\n")
}

// ending prints how the call ended, and after which time.
func (p *page) ending(x *entry) {
	switch {
	case x.kind == openCall:
		p.field("Open", yellow, "still running"+strings.Replace(x.openFor(), " for ", " after ", 1))
	case x.kind == wholeCall && x.givenUp && x.latency >= 0:
		p.field("Given up after", plain, formatLatency(x.latency))
	case x.kind == wholeCall && x.latency >= 0:
		p.field("Latency", plain, formatLatency(x.latency))
	}
	if x.status != "" {
		p.field("Status", x.outcome.style(), x.status)
	}
}

// streamMessage prints the direction of a message, which one it is, and its payload.
func (p *page) streamMessage(x *entry, maxBody int) {
	direction := "client to server"
	if x.stream.fromServer {
		direction = "server to client"
	}
	p.field("Direction", plain, direction)
	p.field("Message", plain, strings.TrimPrefix(x.stream.title, "message "))
	if b := &x.stream.body; b.seen || !strings.HasPrefix(x.stream.title, "close") {
		p.body("Payload", b, "", maxBody)
	}
}

func (p *page) label(name string) {
	p.in(dim, func() { p.own(name + ":") })
}

func (p *page) field(label string, s style, value string) {
	p.label(label)
	p.own(" ")
	p.styled(s, value)
	p.own("\n")
}

// process names the owner of a socket, and its container if it has one.
func (p *page) process(prefix, container string, x *process) {
	if x.name != "" || x.pid != 0 {
		p.label(prefix)
		if x.name != "" {
			p.own(" ")
			p.text(x.name)
		}
		if x.pid != 0 {
			p.own(" (PID " + strconv.FormatInt(x.pid, 10) + ")")
		}
		p.own("\n")
	}
	if x.container != "" {
		p.field(container, plain, cutText(x.container, shortID))
	}
}

func (p *page) message(kind string, m *message, headers bool, maxBody int) {
	if headers {
		p.fields(kind+" headers", m.headers)
	}
	if m.body.size > 0 || m.body.kept > 0 {
		p.body(kind+" body", &m.body, m.mediaType, maxBody)
	}
	if headers {
		p.fields(kind+" trailers", m.trailers)
	}
}

func (p *page) fields(title string, fields []header) {
	if len(fields) == 0 {
		return
	}
	p.label(title)
	p.own("\n")
	for _, h := range fields {
		p.own("  ")
		p.in(dim, func() { p.text(h.name + ":") })
		p.own(" ")
		p.text(h.value)
		p.own("\n")
	}
}

// body prints text as text, and of everything else the size and media type. Text of
// several lines begins on a line of its own, each of its lines indented: what was captured
// never begins a line of the output.
func (p *page) body(label string, b *body, mediaType string, maxBody int) {
	p.label(label)
	if !b.seen || b.binary || maxBody == 0 {
		p.own(" <" + strconv.FormatInt(max(b.total(), 0), 10) + " bytes")
		p.text(prefixed(" ", mediaType))
		p.own(">\n")
		return
	}
	text := strings.TrimSuffix(strings.ReplaceAll(b.text, "\r\n", "\n"), "\n")
	if !strings.Contains(text, "\n") {
		p.own(" ")
		p.text(text)
	} else {
		for line := range strings.SplitSeq(text, "\n") {
			p.own("\n  ")
			p.text(line)
		}
	}
	if b.shortened() {
		p.in(dim, func() { p.own("… (" + strconv.FormatInt(b.total(), 10) + " bytes)") })
	}
	p.own("\n")
}

// seen prints when the entry happened, and at which end it was captured.
func (p *page) seen(x *entry) {
	p.label("Seen")
	from, to := x.start.Format(clock), x.end.Format(clock)
	p.own(" " + from)
	if to != from {
		p.own(" to " + to)
	}
	switch x.side {
	case bothSides:
		p.own(", both ends")
	case clientSide, serverSide:
		p.own(", " + x.side.String() + " end")
	}
	p.own("\n")
}
