// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "bytes"

// redactParts redacts the parts of a multipart body (RFC 2046): the whole content
// of form fields with a secret name, and pairs in the content of others.
func redactParts(r *Redactor, body []byte) []byte {
	e := edit[[]byte]{src: body}
	for p := (parts{body: body}); p.next(); {
		content := body[p.start:p.end]
		if len(content) == 0 {
			continue
		}
		if isSecret(r.keys, fieldName(p.header)) {
			r.applied++
			e.replace(p.start, p.end, Marker)
			continue
		}
		before := r.applied
		if clean := redactPairs(r, content, false); r.applied != before {
			e.replace(p.start, p.end, string(clean))
		}
	}
	return e.result()
}

// parts walks over the parts of a multipart body. The delimiter is taken from
// the first line that looks like one, so a body whose beginning was lost has
// parts as well.
type parts struct {
	body       []byte
	delimiter  []byte
	pos        int
	header     []byte
	start, end int // the part's content
}

func (p *parts) next() bool {
	if p.delimiter == nil && !p.findDelimiter() {
		return false
	}
	rest := p.body[p.pos:]
	if bytes.HasPrefix(rest, []byte("--")) {
		return false
	}
	content := afterBlankLine(rest)
	if content < 0 {
		return false
	}
	p.header = rest[:content]
	p.start = p.pos + content
	// The delimiter stands at the start of a line; that of an empty part
	// directly after the blank line.
	end := bytes.Index(p.body[p.start-1:], p.delimiter)
	if end < 0 {
		p.end, p.pos = len(p.body), len(p.body)
		return true
	}
	end += p.start - 1
	p.pos = end + len(p.delimiter)
	p.end = max(p.start, end)
	if p.end > p.start && p.body[p.end-1] == '\r' {
		p.end--
	}
	return true
}

// afterBlankLine is the index after the first empty line, or -1.
func afterBlankLine(b []byte) int {
	for i := indexByte(b, 0, '\n'); i >= 0; i = indexByte(b, i+1, '\n') {
		next := i + 1
		if next < len(b) && b[next] == '\r' {
			next++
		}
		if next < len(b) && b[next] == '\n' {
			return next + 1
		}
	}
	return -1
}

// findDelimiter takes the first line that begins with two hyphens.
func (p *parts) findDelimiter() bool {
	for i := 0; i < len(p.body); {
		line := p.body[i:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n]
		}
		if trimmed := bytes.TrimRight(line, "\r"); len(trimmed) > 2 && bytes.HasPrefix(trimmed, []byte("--")) {
			p.delimiter = append([]byte("\n"), trimmed...)
			p.pos = i + len(trimmed)
			return true
		}
		i += len(line) + 1
	}
	return false
}

// fieldName is the name parameter of a part's Content-Disposition (RFC 7578,
// section 4.2).
func fieldName(header []byte) []byte {
	for line := range bytes.Lines(header) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(bytes.TrimSpace(name), []byte("Content-Disposition")) {
			continue
		}
		for param := range bytes.SplitSeq(value, []byte(";")) {
			key, val, _ := bytes.Cut(bytes.TrimSpace(param), []byte("="))
			if bytes.EqualFold(key, []byte("name")) {
				return bytes.Trim(val, "\" \r\n")
			}
		}
	}
	return nil
}
