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
	head := bytes.Index(rest, []byte("\r\n\r\n"))
	gap := 4
	if head < 0 {
		if head, gap = bytes.Index(rest, []byte("\n\n")), 2; head < 0 {
			return false
		}
	}
	p.header = rest[:head]
	p.start = p.pos + head + gap
	end := bytes.Index(p.body[p.start:], p.delimiter)
	if end < 0 {
		p.end, p.pos = len(p.body), len(p.body)
		return true
	}
	p.pos = p.start + end + len(p.delimiter)
	p.end = p.start + len(bytes.TrimRight(p.body[p.start:p.start+end], "\r\n"))
	return true
}

// findDelimiter takes the first line that begins with two hyphens.
func (p *parts) findDelimiter() bool {
	for i := 0; i < len(p.body); {
		line := p.body[i:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n]
		}
		if trimmed := bytes.TrimRight(line, "\r"); len(trimmed) > 2 && bytes.HasPrefix(trimmed, []byte("--")) {
			p.delimiter = trimmed
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
