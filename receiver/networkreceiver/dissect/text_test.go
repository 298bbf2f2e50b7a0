// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissect

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                "",
		"plain":           "plain",
		"žluťoučký":       "žluťoučký",
		"Ren\xe9":         "René",
		"\x80\xff\x00":    "\u0080ÿ\x00",
		"é and \xe9":      "Ã© and é",
		"cut \xc5":        "cut Å",
		"\xed\xa0\x80 \n": "í\u00a0\u0080 \n",
	} {
		assert.Equal(t, want, Text(in), "%q", in)
	}
	seen := map[string]bool{}
	for c := range 256 {
		text := Text(string([]byte{byte(c), 0xff}))
		assert.True(t, utf8.ValidString(text))
		assert.NotContains(t, text, "\uFFFD")
		assert.False(t, seen[text], "different bytes stay different")
		seen[text] = true
	}
}

func TestClip(t *testing.T) {
	assert.Equal(t, "abc", Clip("abc", 3))
	assert.Equal(t, "ab", Clip("abc", 2))
	assert.Equal(t, "a", Clip("aé", 2))
	assert.Equal(t, "\xe9\xe9", Clip(strings.Repeat("\xe9", 9), 2))
	assert.Equal(t, "\x80\x80\x80\x80\x80", Clip(strings.Repeat("\x80", 9), 5))
}
