// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// maxFields bounds the header fields, and the trailer fields, of one message that
// become part of a record.
const maxFields = 256

// payload is the part of a message's body that records may carry.
type payload struct {
	body []byte // redacted, at most as long as the larger of MaxBody and Preview
	text bool   // goes into a string
	cut  string // why body is not the whole one
}

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
	body := clip(content.Body, limit)
	body = b.redactor.Body(content.MediaType, body)
	out.body = clip(body, limit)
	if len(content.Body) > limit {
		b.stats.BodiesCut.Add(1)
		out.cut = "limit"
	}
	if out.cut != "" {
		whole := wholeCharacters(out.body)
		if out.text = textual(content) && utf8.Valid(whole); out.text {
			out.body = whole
		}
		return out
	}
	out.text = textual(content) && utf8.Valid(out.body)
	return out
}

// limited is the payload in at most n bytes. reason says why it was cut here.
func (p *payload) limited(n int, reason string) payload {
	if len(p.body) <= n {
		return *p
	}
	cut := *p
	cut.body = clip(p.body, n)
	if cut.cut == "" {
		cut.cut = reason
	}
	return cut
}

// preview is the beginning of a text in at most n bytes. Other bodies are left to
// log records.
func (p *payload) preview(n int) payload {
	if !p.text {
		return payload{cut: p.cut}
	}
	return p.limited(n, "preview")
}

// textual reports whether a body is text by its media type or charset. Without a
// media type it is text if it looks like it.
func textual(c *dissect.Content) bool {
	if c.DecodeError {
		return false
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
	switch {
	case len(p.body) == 0:
	case p.text:
		m.PutStr(key, string(p.body))
	default:
		m.PutEmptyBytes(key).FromRaw(p.body)
	}
}

// addFields adds header or trailer fields as lists of values, redacted, under the
// keys that names gives.
func (b *Builder) addFields(m pcommon.Map, fields []dissect.Header, names *nameCache) {
	if n := len(fields) - maxFields; n > 0 {
		b.stats.HeadersDropped.Add(uint64(n))
	}
	for i := range fields[:min(len(fields), maxFields)] {
		f := &fields[i]
		v, there := m.GetOrPutEmpty(names.key(f.Name))
		if !there {
			v.SetEmptySlice()
		} else if v.Type() != pcommon.ValueTypeSlice {
			continue // a field that the dissector has described itself
		}
		v.Slice().AppendEmpty().SetStr(valid(b.redactor.Header(f.Name, f.Value)))
	}
}
