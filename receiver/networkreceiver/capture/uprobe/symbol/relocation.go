// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"debug/elf"
	"encoding/binary"
	"math/bits"
)

// maxRelocations bounds the bytes of a table of relocations.
const maxRelocations = 256 << 20

// Tags of relocations without addends (ELF gABI, draft of 2017).
const (
	dtRELRSZ = elf.DynTag(35)
	dtRELR   = elf.DynTag(36)
)

// eachRelative calls do for the pointers in data that the dynamic linker adjusts to
// where the file is loaded, until that gives false.
func (d *dynamic) eachRelative(do func(at, to uint64) bool) error {
	more, err := d.eachRELA(do)
	if err != nil || !more {
		return err
	}
	return d.eachRELR(do)
}

func (d *dynamic) eachRELA(do func(at, to uint64) bool) (more bool, err error) {
	const size = 24 // of an elf.Rela64
	table, n := d.table(elf.DT_RELA), d.entries[elf.DT_RELASZ]
	if table == 0 || n > maxRelocations {
		return true, nil
	}
	relative := uint32(elf.R_X86_64_RELATIVE)
	if d.f.machine() == elf.EM_AARCH64 {
		relative = uint32(elf.R_AARCH64_RELATIVE)
	}
	w := window{f: d.f, end: d.f.size}
	for i := uint64(0); i+size <= n; i += size {
		b, err := w.at(table+i, size)
		if err != nil {
			return false, err
		}
		if binary.LittleEndian.Uint32(b[8:]) == relative &&
			!do(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[16:])) {
			return false, nil
		}
	}
	return true, nil
}

// eachRELR reads addresses, each followed by bit maps of the 63 words after it. What
// they point to is in the data.
func (d *dynamic) eachRELR(do func(at, to uint64) bool) error {
	table, n := d.table(dtRELR), d.entries[dtRELRSZ]
	if table == 0 || n > maxRelocations {
		return nil
	}
	words, data := window{f: d.f, end: d.f.size}, window{f: d.f, end: d.f.size}
	visit := func(at uint64) (bool, error) {
		offset, follow, ok := d.f.offset(at, elf.PF_R)
		if !ok || follow < 8 {
			return false, errMalformed
		}
		b, err := data.at(offset, 8)
		return err == nil && do(at, binary.LittleEndian.Uint64(b)), err
	}
	var next uint64
	for i := uint64(0); i+8 <= n; i += 8 {
		b, err := words.at(table+i, 8)
		if err != nil {
			return err
		}
		word := binary.LittleEndian.Uint64(b)
		if word&1 == 0 {
			if more, err := visit(word); err != nil || !more {
				return err
			}
			next = word + 8
			continue
		}
		for word >>= 1; word != 0; word &= word - 1 {
			if more, err := visit(next + 8*uint64(bits.TrailingZeros64(word))); err != nil || !more {
				return err
			}
		}
		next += 63 * 8
	}
	return nil
}
