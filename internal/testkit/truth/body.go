// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// Bodies are the same in every program of this package, so that a test needs no
// file and no log to know what was sent: block k of the body with seed s is
// SHA-256("s:k"), as it is (binary) or as hexadecimal digits (text).

// BinaryBody is a body that is not valid UTF-8.
func BinaryBody(seed, size int) []byte { return body(seed, size, false) }

// TextBody is a body of ASCII characters.
func TextBody(seed, size int) []byte { return body(seed, size, true) }

func body(seed, size int, text bool) []byte {
	b := make([]byte, 0, size+2*sha256.Size)
	for k := 0; len(b) < size; k++ {
		block := sha256.Sum256([]byte(strconv.Itoa(seed) + ":" + strconv.Itoa(k)))
		if text {
			b = hex.AppendEncode(b, block[:])
		} else {
			b = append(b, block[:]...)
		}
	}
	return b[:size]
}

// Sum is the SHA-256 of b in hexadecimal digits.
func Sum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
