// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
)

// The table by which the Go runtime finds names of functions (runtime/symtab.go). It
// survives strip, because a program needs it itself. Package debug/gosym reads all
// of it, and does not know where code begins in programs linked by C's linker.
const (
	magic12  = 0xfffffffb
	magic116 = 0xfffffffa
	magic118 = 0xfffffff0
	magic120 = 0xfffffff1
)

const (
	tableHeader  = 72      // bytes of the longest header, rounded up
	maxFunctions = 4 << 20 // functions of a program
	maxTableScan = 1 << 28 // bytes in which the table is looked for
	scanWindow   = 256 << 10
)

var errNoTable = errors.New("no function table")

// functionTable is a pclntab.
type functionTable struct {
	f       *file
	magic   uint32
	offset  uint64 // in the file
	address uint64
	end     uint64 // file offset
	text    uint64 // address to which entries are relative, since 1.18

	count    uint64 // functions
	names    uint64 // file offsets of its parts, and an end of names
	namesEnd uint64
	functab  uint64
	base     uint64 // what the descriptions of functions are relative to
}

type goFunction struct {
	name       string
	entry, end uint64 // addresses
}

// findFunctionTable looks in the section that is named for it, then in all constant
// data: C's linker may have put it together with other data.
func findFunctionTable(f *file) (*functionTable, error) {
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		if s, ok := f.section(name); ok {
			if t := parseFunctionTable(f, s.Off, s.Addr, s.Size); t != nil {
				return t, t.findText()
			}
		}
	}
	for _, p := range f.progs {
		if elf.ProgType(p.Type) != elf.PT_LOAD || elf.ProgFlag(p.Flags)&elf.PF_X != 0 {
			continue
		}
		if t, err := scanFunctionTable(f, &p); err != nil || t != nil {
			return t, err
		}
	}
	return nil, errNoTable
}

// scanFunctionTable looks for the header: a magic number, two zero bytes, the size
// of instructions' units and that of pointers.
func scanFunctionTable(f *file, p *elf.Prog64) (*functionTable, error) {
	if p.Off > f.size {
		return nil, nil
	}
	left := min(p.Filesz, f.size-p.Off, maxTableScan)
	b := make([]byte, scanWindow)
	for at := uint64(0); at+8 <= left; {
		b = b[:min(uint64(len(b)), left-at)]
		if err := f.readInto(b, p.Off+at); err != nil {
			return nil, err
		}
		for i := 0; i+8 <= len(b); i += 8 {
			if b[i+1] != 0xff || b[i+2] != 0xff || b[i+3] != 0xff || !bytes.Equal(b[i+4:i+6], []byte{0, 0}) || b[i+7] != 8 {
				continue
			}
			where := at + uint64(i)
			t := parseFunctionTable(f, p.Off+where, p.Vaddr+where, left-where)
			if t == nil {
				continue
			}
			if err := t.findText(); !errors.Is(err, errNoTable) {
				return t, err
			}
		}
		at += uint64(len(b)) &^ 7
	}
	return nil, nil
}

// parseFunctionTable gives nil for what is none. The table has at most size bytes.
func parseFunctionTable(f *file, offset, address, size uint64) *functionTable {
	if offset > f.size {
		return nil
	}
	size = min(size, f.size-offset)
	h, err := f.bytes(offset, tableHeader)
	if err != nil || size < tableHeader || h[4] != 0 || h[5] != 0 || h[7] != 8 {
		return nil
	}
	t := &functionTable{f: f, magic: binary.LittleEndian.Uint32(h), offset: offset, address: address, end: offset + size}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(h[8+8*i:]) }
	var names, namesEnd, functab uint64
	switch t.magic {
	case magic120, magic118:
		t.text, names, namesEnd, functab = word(2), word(3), word(4), word(7)
	case magic116:
		names, namesEnd, functab = word(2), word(3), word(6)
	case magic12:
		names, namesEnd, functab = 0, size, 8+8
	default:
		return nil
	}
	t.count = word(0)
	if names > size || namesEnd > size || namesEnd < names || functab > size || t.count == 0 ||
		t.count > min(maxFunctions, (size-functab)/t.entrySize()) {
		return nil
	}
	t.names, t.namesEnd, t.functab = offset+names, offset+namesEnd, offset+functab
	t.base = t.functab
	if t.magic == magic12 {
		t.base = offset
	}
	return t
}

// entrySize is the size of an entry of functab: where a function begins, and where it
// is described.
func (t *functionTable) entrySize() uint64 {
	if t.magic == magic118 || t.magic == magic120 {
		return 8
	}
	return 16
}

// findText finds where code begins. The header has it as a pointer in versions 1.18
// to 1.25, which may be left to the dynamic linker; the runtime's moduledata has it
// in all versions, and begins with a pointer to the table.
func (t *functionTable) findText() error {
	if t.entrySize() == 16 || t.f.code(t.text) != 0 {
		return nil
	}
	module, err := t.findModule()
	if err != nil {
		return err
	}
	const text = 22 * 8 // after the table's address, 6 slices and 3 pointers
	if t.text, err = t.f.pointer(module + text); err != nil {
		return err
	}
	if t.f.code(t.text) == 0 {
		return errNoTable
	}
	return nil
}

// functions looks for functions by name.
func (t *functionTable) functions(want map[string]string) ([]goFunction, error) {
	names, err := t.findNames(want)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	w := window{f: t.f, end: t.end}
	var all []goFunction
	size := t.entrySize()
	entries := window{f: t.f, end: t.end}
	last := uint64(0)
	for i := range t.count {
		e, err := entries.at(t.functab+i*size, size)
		if err != nil {
			return nil, err
		}
		entry, described := t.entry(e), t.described(e)
		if described < last {
			return nil, errMalformed // they are in order, so that one pass is enough
		}
		last = described
		at := t.base + described + size/2
		b, err := w.at(at, 4)
		if err != nil {
			return nil, err
		}
		name, ok := names[binary.LittleEndian.Uint32(b)]
		if !ok {
			continue
		}
		next, err := entries.at(t.functab+(i+1)*size, size/2)
		if err != nil {
			return nil, err
		}
		all = append(all, goFunction{name: name, entry: entry, end: t.entry(next)})
	}
	return all, nil
}

// entry decodes the first half of an entry of functab: the function's address.
func (t *functionTable) entry(b []byte) uint64 {
	if t.entrySize() == 8 {
		return t.text + uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// described decodes the second half: where the function is described.
func (t *functionTable) described(b []byte) uint64 {
	if t.entrySize() == 8 {
		return uint64(binary.LittleEndian.Uint32(b[4:]))
	}
	return binary.LittleEndian.Uint64(b[8:])
}

// findNames gives the wanted names by their offset, none if there is none of crypto/tls.
// Names are zero-terminated and there is one of each.
func (t *functionTable) findNames(want map[string]string) (map[uint32]string, error) {
	names := map[uint32]string{}
	if err := t.addNames(names, want, "crypto/tls.(*Conn)."); err != nil || len(names) == 0 {
		return nil, err
	}
	return names, t.addNames(names, want, goMove)
}

// addNames adds those that begin with a stem.
func (t *functionTable) addNames(names map[uint32]string, want map[string]string, stem string) error {
	w := make([]byte, scanWindow)
	const overlap = 256
	for at := t.names; at < t.namesEnd; {
		b := w[:min(uint64(len(w)), t.namesEnd-at)]
		if err := t.f.readInto(b, at); err != nil {
			return err
		}
		forEach(b, stem, func(i, end int) {
			if _, ok := want[string(b[i:end])]; ok {
				names[uint32(at-t.names)+uint32(i)] = string(b[i:end])
			}
		})
		if at+uint64(len(b)) == t.namesEnd {
			break
		}
		at += uint64(len(b)) - overlap
	}
	return nil
}

// window reads a file forward, in pieces.
type window struct {
	f     *file
	end   uint64
	begin uint64
	b     []byte
}

// at gives n bytes, which are valid until the next call.
func (w *window) at(offset, n uint64) ([]byte, error) {
	if offset < w.begin || offset+n > w.begin+uint64(len(w.b)) {
		if offset >= w.end || n > w.end-offset {
			return nil, errMalformed
		}
		if cap(w.b) == 0 {
			w.b = make([]byte, 64<<10)
		}
		w.b = w.b[:min(uint64(cap(w.b)), w.end-offset)]
		w.begin = offset
		if err := w.f.readInto(w.b, offset); err != nil {
			w.b = w.b[:0]
			return nil, err
		}
	}
	return w.b[offset-w.begin:][:n], nil
}
