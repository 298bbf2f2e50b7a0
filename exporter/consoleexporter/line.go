// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"strconv"
	"time"
)

const clock = "15:04:05.000"

// line prints a call in one line:
//
//	14:03:07.512 client curl → 127.0.0.1:8080 POST /v1/checkout 200 OK 145ms 52 B → 1.2 KiB
func (p *page) line(x *call) {
	p.in(dim, func() {
		p.own(x.time.Format(clock))
		if x.side != unknownSide {
			p.own(" " + x.side.String())
		}
	})
	p.own(" ")
	p.ends(x)
	p.own(" ")
	p.styled(bold, x.operation)
	if x.status != "" {
		p.own(" ")
		p.styled(x.outcome.style(), x.status)
	}
	if x.latency >= 0 {
		p.own(" " + formatLatency(x.latency))
	}
	p.sizes(x)
	for _, note := range x.notes {
		p.own(" ")
		p.in(yellow, func() {
			p.own("[")
			p.text(note)
			p.own("]")
		})
	}
	p.own("\n")
}

func (p *page) sizes(x *call) {
	if x.request.body.size < 0 && x.response.body.size < 0 {
		return
	}
	p.in(dim, func() {
		p.own(" " + formatSize(x.request.body.size) + " → " + formatSize(x.response.body.size))
	})
}

// ends prints who called whom.
func (p *page) ends(x *call) {
	p.end(x.client)
	p.own(" → ")
	p.end(x.server)
}

func (p *page) end(e end) {
	if e.name == "" {
		e.name = "?"
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

// formatSize is in IEC units; "?" is a size that is not known.
func formatSize(n int64) string {
	if n < 0 {
		return "?"
	}
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, i := float64(n)/(1<<10), 0
	for ; f >= 1<<10 && i < 5; i++ {
		f /= 1 << 10
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + "KMGTPE"[i:i+1] + "iB"
}
