// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// unknownField is the name of a header field that the peers know from before the
// capture began. A note counts them.
const unknownField = "?"

// messageOf reads one message: from the record's body if it is a map with that
// name, else from attributes. Of its body it holds at most maxBody bytes.
func messageOf(name string, recordBody pcommon.Value, attrs pcommon.Map, maxBody int) message {
	m := message{body: body{size: -1}}
	for _, prefix := range []string{"http.", "wirespan."} {
		if size, ok := integer(attrs, prefix+name+".body.size"); ok {
			m.body.size = size
		}
	}
	m.body.cut = str(attrs, "wirespan."+name+".body.truncated") != ""
	if part, ok := mapIn(recordBody, name); ok {
		if v, ok := part.Get("headers"); ok {
			m.headers = headersOf(v)
		}
		if v, ok := part.Get("trailers"); ok {
			m.trailers = headersOf(v)
		}
		if v, ok := part.Get("body"); ok {
			m.body.take(v, maxBody)
		}
	} else {
		for _, prefix := range []string{"http.", "wirespan."} {
			m.headers = append(m.headers, headersIn(attrs, prefix+name+".header.")...)
			m.trailers = append(m.trailers, headersIn(attrs, prefix+name+".trailer.")...)
			if v, ok := attrs.Get(prefix + name + ".body.content"); ok {
				m.body.take(v, maxBody)
			}
		}
	}
	m.mediaType = mediaTypeOf(m.headers)
	return m
}

func mapIn(v pcommon.Value, key string) (pcommon.Map, bool) {
	if v.Type() != pcommon.ValueTypeMap {
		return pcommon.Map{}, false
	}
	part, ok := v.Map().Get(key)
	if !ok || part.Type() != pcommon.ValueTypeMap {
		return pcommon.Map{}, false
	}
	return part.Map(), true
}

// take holds at most n bytes of a text, and of other bytes only how many there are.
func (b *body) take(v pcommon.Value, n int) {
	b.seen = true
	if v.Type() == pcommon.ValueTypeBytes {
		b.kept, b.binary = int64(v.Bytes().Len()), true
		return
	}
	text := v.AsString()
	b.kept = int64(len(text))
	if len(text) > n {
		text = strings.Clone(cutText(text, n)) // lets go of the rest
	}
	b.text = text
}

// total is the size of the body as well as it is known.
func (b *body) total() int64 {
	if b.cut || !b.seen {
		return max(b.kept, b.size)
	}
	return b.kept
}

// shortened reports whether the body has more than its text.
func (b *body) shortened() bool { return b.cut || int64(len(b.text)) < b.kept }

// cutText returns at most n bytes of s, cut at a character boundary.
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

// headersOf keeps the order of the record.
func headersOf(v pcommon.Value) []header {
	if v.Type() != pcommon.ValueTypeMap {
		return nil
	}
	headers := make([]header, 0, v.Map().Len())
	for name, value := range v.Map().All() {
		headers = appendHeader(headers, name, value)
	}
	return headers
}

func headersIn(attrs pcommon.Map, prefix string) []header {
	var headers []header
	for key, value := range attrs.All() {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			headers = appendHeader(headers, name, value)
		}
	}
	return headers
}

// appendHeader prints a field that was sent more than once as often as it was.
func appendHeader(headers []header, name string, v pcommon.Value) []header {
	if name == unknownField {
		return headers
	}
	if v.Type() != pcommon.ValueTypeSlice {
		return append(headers, header{name, v.AsString()})
	}
	for _, value := range v.Slice().All() {
		headers = append(headers, header{name, value.AsString()})
	}
	return headers
}

// mediaTypeOf is without parameters.
func mediaTypeOf(headers []header) string {
	for _, h := range headers {
		if strings.EqualFold(h.name, "content-type") {
			mediaType, _, _ := strings.Cut(h.value, ";")
			return strings.TrimSpace(mediaType)
		}
	}
	return ""
}
