// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "bytes"

// redactElements replaces the content of XML elements whose local name stands
// for a secret (as in <wsse:Password>), and of such attributes.
func redactElements(r *Redactor, s []byte) []byte {
	e := edit[[]byte]{src: s}
	for i := indexByte(s, 0, '<'); i >= 0; i = indexByte(s, i, '<') {
		i++
		end := indexAny(s, i, tagNameEnd)
		name := s[i:min(end, i+maxName)]
		if len(name) == 0 || !isSecret(r.keys, localName(name)) {
			i = end
			continue
		}
		tag := indexByte(s, end, '>')
		if tag < 0 {
			break
		}
		if s[tag-1] == '/' {
			i = tag
			continue
		}
		closing := append([]byte("</"), name...)
		start, stop := tag+1, len(s)
		if n := bytes.Index(s[start:], closing); n >= 0 {
			stop = start + n
		}
		if stop > start {
			r.applied++
			e.replace(start, stop, Marker)
		}
		i = stop
	}
	return redactParams(r, r.keys, e.result(), looseText)
}

var tagNameEnd = setOf(" \t\r\n/>?!<")

func localName(name []byte) []byte { return name[bytes.LastIndexByte(name, ':')+1:] }
