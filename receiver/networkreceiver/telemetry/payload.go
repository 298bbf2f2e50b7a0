// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"cmp"
	"strings"
	"unicode/utf8"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// payload is the part of a message's body that records may carry.
// At most one of text and bytes is not empty.
type payload struct {
	text  string // redacted, at most as long as the larger of MaxBody and Preview
	bytes []byte // likewise, of what is no text
	cut   string // why it is not the whole body
}

func (p *payload) len() int { return len(p.text) + len(p.bytes) }

// payloadOf redacts a message's body once, for all records of its call.
func (b *Builder) payloadOf(p *protocol, m *dissect.Message) (out payload) {
	if m == nil {
		return out
	}
	content := &m.Content
	out.cut = content.Truncated
	if !p.payload.Enabled {
		return out
	}
	limit := 0
	if b.set.Logs {
		limit = p.payload.MaxBody
	}
	if b.set.Traces {
		limit = max(limit, p.payload.Preview)
	}
	if len(content.Body) == 0 || limit == 0 {
		return out
	}
	if !p.payload.takes(content.MediaType) {
		b.stats.BodiesCut.Add(1)
		out.cut = "media_type"
		return out
	}
	body := b.redactor.Body(content.MediaType, clip(content.Body, limit))
	body = clip(body, limit)
	if len(content.Body) > limit {
		b.stats.BodiesCut.Add(1)
		out.cut = "limit"
	}
	if textual(content) {
		text := body
		if out.cut != "" {
			text = wholeCharacters(body)
		}
		if utf8.Valid(text) {
			out.text = textOf(text)
			return out
		}
	}
	out.bytes = body
	return out
}

// textOf is b as a string. Where nearly all of b's memory is used it is not copied:
// a message's body belongs to its exchange, and nobody changes it any more.
func textOf(b []byte) string {
	if cap(b)-len(b) > len(b)/8 {
		return string(b)
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// limited is the payload in at most n bytes. reason says why it was cut here.
func (p *payload) limited(n int, reason string) payload {
	if p.len() <= n {
		return *p
	}
	cut := payload{text: clip(p.text, n), bytes: clip(p.bytes, n), cut: cmp.Or(p.cut, reason)}
	if len(p.text) > 2*n {
		cut.text = strings.Clone(cut.text) // let go of the rest
	}
	return cut
}

// preview is the beginning of a text in at most n bytes. Other bodies are left to
// log records.
func (p *payload) preview(n int) payload {
	if len(p.bytes) > 0 {
		return payload{cut: p.cut}
	}
	return p.limited(n, "preview")
}

// textual reports whether a body is text by its media type or charset. Without a
// media type it is text if it looks like it.
func textual(c *dissect.Content) bool {
	if c.DecodeError && !printable(c.Body) {
		return false // it is coded still
	}
	if c.MediaType == "" {
		return printable(c.Body)
	}
	if c.Charset != "" {
		return true
	}
	top, sub, _ := strings.Cut(c.MediaType, "/")
	if top == "text" || top == "multipart" {
		return true
	}
	for _, name := range [...]string{"json", "xml", "yaml"} {
		if rest, ok := strings.CutSuffix(sub, name); ok && (rest == "" || rest == "x-" || strings.HasSuffix(rest, "+") || strings.HasSuffix(rest, "-")) {
			return true
		}
	}
	switch sub {
	case "x-www-form-urlencoded", "javascript", "x-javascript", "ecmascript", "graphql", "sql", "toml", "jsonlines", "jsonl", "ndjson", "x-ndjson", "x-sh":
		return true
	}
	return false
}

// printable looks at the beginning of a body.
func printable(b []byte) bool {
	for _, c := range b[:min(len(b), 512)] {
		if c < 0x20 && c != '\t' && c != '\r' && c != '\n' || c == 0x7f {
			return false
		}
	}
	return true
}

// wholeCharacters is b without a character that was cut at its end.
func wholeCharacters(b []byte) []byte {
	for i := len(b) - 1; i >= 0 && len(b)-i < utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}

// putBody adds a payload that is not empty: text as a string, else bytes.
func putBody(m pcommon.Map, key string, p *payload) {
	if len(p.text) > 0 {
		m.PutStr(key, p.text)
	}
	putBytes(m, key, p.bytes)
}

func putBytes(m pcommon.Map, key string, b []byte) {
	if len(b) > 0 {
		m.PutEmptyBytes(key).FromRaw(b)
	}
}
