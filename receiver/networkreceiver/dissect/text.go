// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissect

import (
	"strings"
	"unicode/utf8"
)

// Text returns s as UTF-8. What is not, is read as ISO 8859-1, in which every byte is a
// character: nothing is lost, and different texts stay different.
func Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// Clip returns at most n bytes of s, cut between characters.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for cut := n; cut > 0 && n-cut < utf8.UTFMax; cut-- {
		if utf8.RuneStart(s[cut]) {
			return s[:cut]
		}
	}
	return s[:n] // not UTF-8
}
