// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"debug/elf"
	"encoding/binary"
)

// maxData bounds how much data is searched for pointers.
const maxData = 1 << 28

// findModule gives the address of the runtime's moduledata, which begins with a
// pointer to the function table, then has one to the table's names.
func (t *functionTable) findModule() (uint64, error) {
	found, err := t.f.pointersTo(t.address)
	if err != nil {
		return 0, err
	}
	for _, at := range found {
		names, err := t.f.pointer(at + 8)
		if err != nil {
			return 0, err
		}
		if names == t.address+t.names-t.offset {
			return at, nil
		}
	}
	return 0, errNoTable
}

// pointersTo lists addresses of data that hold an address: as it is in the file, or
// as the dynamic linker will put it there.
func (f *file) pointersTo(address uint64) ([]uint64, error) {
	const most = 16
	var all []uint64
	err := f.eachRelocation(func(at, to uint64) bool {
		if to == address {
			all = append(all, at)
		}
		return len(all) < most
	})
	if err != nil {
		return nil, err
	}
	for _, p := range f.progs {
		if elf.ProgType(p.Type) != elf.PT_LOAD || elf.ProgFlag(p.Flags)&elf.PF_W == 0 {
			continue
		}
		w := window{f: f, end: min(f.size, p.Off+min(p.Filesz, maxData))}
		for at := uint64(0); at+8 <= min(p.Filesz, maxData) && len(all) < most; at += 8 {
			b, err := w.at(p.Off+at, 8)
			if err != nil {
				return nil, err
			}
			if binary.LittleEndian.Uint64(b) == address {
				all = append(all, p.Vaddr+at)
			}
		}
	}
	return all, nil
}

// pointer gives the pointer at an address, as it will be without a load bias.
func (f *file) pointer(address uint64) (uint64, error) {
	offset, follow, ok := f.offset(address, 0)
	if !ok || follow < 8 {
		return 0, nil
	}
	value, err := f.uint64(offset)
	if err != nil || value != 0 {
		return value, err
	}
	err = f.eachRelocation(func(at, to uint64) bool {
		if at == address {
			value = to
		}
		return value == 0
	})
	return value, err
}

// eachRelocation calls do for pointers that the dynamic linker writes, until that
// gives false.
func (f *file) eachRelocation(do func(at, to uint64) bool) error {
	d, err := readDynamic(f)
	if err != nil || d == nil {
		return err
	}
	return d.eachRelative(do)
}
