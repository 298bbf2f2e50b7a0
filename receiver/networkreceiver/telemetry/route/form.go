// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package route

// maxName bounds the segments that can be names.
const maxName = 48

// isValue reports whether a segment of a path is a value by its form: a number, a UUID,
// a ULID, a date, an address, a hash, a token. Everything that is not made of words is.
// It is a pure function: both ends of a call agree.
func isValue(segment string) bool {
	if len(segment) > maxName || manyDigits(segment) {
		return true
	}
	if isVersion(segment) {
		return false
	}
	letters, digits, start := 0, 0, 0
	for i := 0; i <= len(segment); i++ {
		if i < len(segment) && !isSeparator(segment[i]) {
			if classOf(segment[i]) == other {
				return true
			}
			continue
		}
		w := measure(segment[start:i])
		if w.random() {
			return true
		}
		letters, digits, start = letters+w.lower+w.upper, digits+w.digits, i+1
	}
	return letters == 0 && digits > 0 // a number
}

// manyDigits finds most values, and soon.
func manyDigits(s string) bool {
	n := 0
	for i := range len(s) {
		if classOf(s[i]) == digit {
			if n++; n > 3 {
				return true
			}
		}
	}
	return false
}

// isVersion reports whether a segment is like v1, v1p1beta1 or 1.0.
func isVersion(s string) bool {
	if len(s) == 3 && classOf(s[0]) == digit && s[1] == '.' && classOf(s[2]) == digit {
		return true
	}
	if len(s) < 2 || len(s) > 10 || s[0] != 'v' || classOf(s[1]) != digit {
		return false
	}
	w := measure(s)
	return w.digits <= 3 && w.digits+w.lower == len(s)
}

func isSeparator(c byte) bool { return c == '-' || c == '_' || c == '.' || c == '~' }

// class is a kind of character.
type class uint8

const (
	other class = iota
	lower
	upper
	digit
)

func classOf(c byte) class {
	switch {
	case 'a' <= c && c <= 'z':
		return lower
	case 'A' <= c && c <= 'Z':
		return upper
	case '0' <= c && c <= '9':
		return digit
	}
	return other
}

// word is what a part of a segment between separators is made of.
type word struct {
	lower, upper, digits int
	turns                int // neighbours of different classes
	vowels               int
	consonants           int // longest run without a vowel
	hex                  bool
}

func (w *word) len() int { return w.lower + w.upper + w.digits }

func measure(s string) word {
	w := word{hex: true}
	run, last := 0, other
	for i := range len(s) {
		c := classOf(s[i])
		switch c {
		case lower:
			w.lower++
		case upper:
			w.upper++
		case digit:
			w.digits++
		}
		if i > 0 && c != last {
			w.turns++
		}
		last = c
		small := s[i] | 0x20
		w.hex = w.hex && (c == digit || c != other && small <= 'f')
		switch {
		case c == digit:
			run = 0
		case isVowel(small):
			w.vowels++
			run = 0
		default:
			run++
			w.consonants = max(w.consonants, run)
		}
	}
	return w
}

func isVowel(c byte) bool {
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'
}

// random reports whether a word is not one that people name things with.
func (w *word) random() bool {
	n, letters := w.len(), w.lower+w.upper
	switch {
	case letters == 0:
		return w.digits > 1
	case w.hex && (w.digits > 1 && n >= 6 || n >= 12):
		return true
	case w.turns*5 > n*2 && n >= 8: // base64
		return true
	case w.digits > 0:
		return w.lower == 0 && n >= 8 || n >= 20
	case w.vowels == 0 && n >= 6, w.consonants >= 7:
		return true
	}
	return w.lower == 0 && n >= 16 || w.upper == 0 && n >= 28
}
