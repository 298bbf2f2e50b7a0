// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package seed

import (
	"bytes"
	"strings"
	"testing"
)

const maxFields = 300

// Field is a line of the form "name: value".
type Field struct{ Name, Value string }

// Fields gives the header fields in captured conversations, each once.
func Fields(tb testing.TB) []Field {
	tb.Helper()
	var all []Field
	seen := map[Field]bool{}
	for _, c := range Conversations(tb) {
		for _, turn := range c.Turns {
			head, _, _ := bytes.Cut(turn.Data, []byte("\r\n\r\n"))
			for line := range strings.SplitSeq(string(head), "\r\n") {
				name, value, ok := strings.Cut(line, ": ")
				field := Field{name, value}
				if ok && !strings.ContainsAny(name, " \x00") && !seen[field] {
					seen[field] = true
					all = append(all, field)
				}
			}
		}
	}
	return spread(all, maxFields)
}

// Body is what follows the first header section of a direction.
type Body struct {
	Field Field // one field before it
	Bytes []byte
}

// Bodies gives what captured conversations said after a header section.
func Bodies(tb testing.TB) []Body {
	tb.Helper()
	var all []Body
	for _, c := range Conversations(tb) {
		there, back := c.Bytes()
		for _, said := range [][]byte{there, back} {
			head, body, ok := bytes.Cut(said, []byte("\r\n\r\n"))
			if !ok || len(body) == 0 {
				continue
			}
			lines := strings.Split(string(head), "\r\n")
			name, value, _ := strings.Cut(lines[len(lines)-1], ": ")
			all = append(all, Body{Field{name, value}, body})
		}
	}
	return spread(all, maxFields)
}
