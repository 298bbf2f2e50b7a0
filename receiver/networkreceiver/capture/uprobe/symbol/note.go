// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"unicode"
)

// Bounds of notes.
const (
	maxNotes = 64 << 10 // bytes of a segment of notes
	maxID    = 128      // bytes of a build id
)

// Types of notes.
const (
	gnuBuildID = 3
	goBuildID  = 4
)

// buildID gives the GNU build id, or else Go's, or nothing.
func (f *file) buildID() (string, error) {
	golang := ""
	for _, p := range f.progs {
		if elf.ProgType(p.Type) != elf.PT_NOTE {
			continue
		}
		if p.Off > f.size {
			continue
		}
		b, err := f.bytes(p.Off, min(p.Filesz, f.size-p.Off, maxNotes))
		if err != nil {
			return "", err
		}
		for len(b) > 0 {
			var owner string
			var kind uint32
			var value []byte
			owner, kind, value, b = nextNote(b)
			switch {
			case len(value) > maxID:
			case owner == "GNU" && kind == gnuBuildID:
				return hex.EncodeToString(value), nil
			case owner == "Go" && kind == goBuildID && isPrintable(value):
				golang = string(value)
			}
		}
	}
	return golang, nil
}

// nextNote decodes a note: three sizes and types, owner and value, each aligned.
func nextNote(b []byte) (owner string, kind uint32, value, rest []byte) {
	if len(b) < 12 {
		return "", 0, nil, nil
	}
	names, values := uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[4:]))
	kind = binary.LittleEndian.Uint32(b[8:])
	b = b[12:]
	end := (names + 3) &^ 3
	if end+values > uint64(len(b)) {
		return "", 0, nil, nil
	}
	next := min(end+(values+3)&^3, uint64(len(b)))
	return stringAt(b[:names], 0), kind, b[end : end+values], b[next:]
}

func isPrintable(b []byte) bool {
	for _, c := range b {
		if c > unicode.MaxASCII || !unicode.IsPrint(rune(c)) {
			return false
		}
	}
	return true
}
