// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tracecontext

// lowerHex reads lower-case hexadecimal of exactly dst's size.
func lowerHex(dst []byte, s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'F' {
			return false
		}
	}
	return len(s) == 2*len(dst) && padHex(dst, s)
}

// padHex reads hexadecimal of at most dst's size, right-aligned.
func padHex(dst []byte, s string) bool {
	if s == "" || len(s) > 2*len(dst) {
		return false
	}
	clear(dst)
	for i := range len(s) {
		digit, ok := hexDigit(s[len(s)-1-i])
		if !ok {
			return false
		}
		dst[len(dst)-1-i/2] |= digit << (4 * (i % 2))
	}
	return true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func zero(id []byte) bool {
	for _, b := range id {
		if b != 0 {
			return false
		}
	}
	return true
}
