// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

// anchor is a place at which records and plaintext were seen to fit: what is before it on
// the wire carries what is before it of the plaintext. Both are counted through a loss, so
// it bounds the places that are possible afterwards: between two of them the wire has the
// plaintext and, for each record, what the cipher and the header add.
type anchor struct {
	known    bool
	position uint64 // among all plaintext
	offset   uint64 // of the payload of the record that begins there
}

// verdict of an anchor.
type verdict uint8

const (
	unknown verdict = iota // there is no anchor, or the cipher pads
	agrees
	contradicts
)

// check tells whether the chunk at a position can begin with the record of which the
// payload is at offset.
func (a *aligner) check(position, offset uint64) verdict {
	added, fixed := a.added()
	switch f := &a.anchor; {
	case !f.known || !fixed:
		return unknown
	case position < f.position || offset-f.offset < position-f.position || offset < f.offset:
		return contradicts
	default:
		plain := position - f.position
		more := offset - f.offset - plain
		records := more / added
		if more%added != 0 || records*maxPlain < plain || records > plain {
			return contradicts
		}
		return agrees
	}
}

// added is what a record has besides its plaintext, and whether that is always the same.
func (a *aligner) added() (n uint64, fixed bool) {
	const size = 1000
	r := wire{size: size}
	low, high := a.length(&r)
	return uint64(headerBytes + size - high), low == high
}
