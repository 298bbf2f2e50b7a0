// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

// reader takes a message apart. Once it has been asked for more than there is, it is
// bad and gives nothing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.bad = nil, true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// uint reads a number of n bytes, big endian.
func (r *reader) uint(n int) (v int) {
	for _, c := range r.take(n) {
		v = v<<8 | int(c)
	}
	return v
}

// vector reads what has a length of n bytes before it (RFC 8446, section 3.4).
func (r *reader) vector(n int) reader { return reader{b: r.take(r.uint(n))} }

func (r *reader) empty() bool { return len(r.b) == 0 }

// uint16s reads all that is left as a list of numbers, at most maxList of them.
func (r *reader) uint16s() (list []uint16) {
	for len(r.b) >= 2 && len(list) < maxList {
		list = append(list, uint16(r.uint(2)))
	}
	return list
}
