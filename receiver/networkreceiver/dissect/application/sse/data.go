// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package sse

import (
	"bytes"
	"iter"
)

// Data gives the data of each event of a stream that is kept, the last one also if it
// has no blank line at its end. It is borrowed until the next one.
func Data(body []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var data []byte
		lines, joined := 0, false
		for len(body) > 0 {
			var line []byte
			line, body = nextLine(body)
			name, value, _ := bytes.Cut(line, []byte{':'})
			switch {
			case len(line) == 0:
				if lines > 0 && !yield(data) {
					return
				}
				data, lines, joined = nil, 0, false
			case string(name) != "data":
			case lines == 0:
				data, lines = trimSpace(value), 1
			default:
				if !joined { // what the body holds is not to be written to
					data, joined = bytes.Clone(data), true
				}
				data = append(append(data, '\n'), trimSpace(value)...)
			}
		}
		if lines > 0 {
			yield(data)
		}
	}
}

// nextLine cuts the first line off, which ends with CR, LF or both.
func nextLine(b []byte) (line, rest []byte) {
	n := bytes.IndexByte(b, '\n')
	if n < 0 {
		n = len(b)
	}
	if k := bytes.IndexByte(b[:n], '\r'); k >= 0 {
		n = k
	}
	line = b[:n]
	switch {
	case n == len(b):
		return line, nil
	case b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n':
		n++
	}
	return line, b[n+1:]
}

func trimSpace(value []byte) []byte {
	if len(value) > 0 && value[0] == ' ' {
		return value[1:]
	}
	return value
}
