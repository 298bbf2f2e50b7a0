// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds of what is read. The kernel loads a program whatever its sections say, so
// these are far above what linkers write.
const (
	maxProgs    = 512
	maxSections = 4096
	maxPiece    = 16 << 20 // bytes read at once
	maxRead     = 1 << 30  // bytes read of one file, all in all
	minRead     = 4 << 20  // likewise, of a file that is small
)

var (
	errMalformed = errors.New("malformed file")
	errTooLarge  = errors.New("file beyond bounds")
	errMachine   = errors.New("unsupported machine")
)

// file is an ELF file (64 bits, little-endian), of which the tables are held that
// say where the rest is. Package debug/elf is not for files of unknown origin, and
// holds whole symbol tables.
type file struct {
	r    io.ReaderAt
	size uint64
	left uint64 // how much may still be read

	header   elf.Header64
	progs    []elf.Prog64
	sections []section // none if the file has lost them
}

type section struct {
	name string
	elf.Section64
}

func openFile(r io.ReaderAt, size int64) (*file, error) {
	f := &file{r: r, size: uint64(max(size, 0))}
	f.left = min(minRead+2*f.size, maxRead) // so that the time grows with the size, whatever is in the file
	if err := f.decode(0, &f.header); err != nil {
		return nil, err
	}
	ident := f.header.Ident
	if string(ident[:elf.EI_CLASS]) != elf.ELFMAG {
		return nil, errMalformed
	}
	machine := elf.Machine(f.header.Machine)
	if elf.Class(ident[elf.EI_CLASS]) != elf.ELFCLASS64 || elf.Data(ident[elf.EI_DATA]) != elf.ELFDATA2LSB ||
		(machine != elf.EM_X86_64 && machine != elf.EM_AARCH64) {
		return nil, errMachine
	}
	if f.header.Phnum > maxProgs {
		return nil, errTooLarge
	}
	f.progs = make([]elf.Prog64, f.header.Phnum)
	if err := f.decode(f.header.Phoff, f.progs); err != nil {
		return nil, err
	}
	// Sections are for linkers and debuggers. Without them the file works.
	if err := f.readSections(); err != nil {
		f.sections = nil
	}
	return f, nil
}

func (f *file) machine() elf.Machine { return elf.Machine(f.header.Machine) }

func (f *file) readSections() error {
	n := int(f.header.Shnum)
	if n > maxSections || int(f.header.Shstrndx) >= n {
		return errTooLarge
	}
	headers := make([]elf.Section64, n)
	if err := f.decode(f.header.Shoff, headers); err != nil {
		return err
	}
	table := headers[f.header.Shstrndx]
	names, err := f.bytes(table.Off, table.Size)
	if err != nil {
		return err
	}
	f.sections = make([]section, n)
	for i, h := range headers {
		f.sections[i] = section{stringAt(names, uint64(h.Name)), h}
	}
	return nil
}

// section gives a section that has contents in the file.
func (f *file) section(name string) (section, bool) {
	for _, s := range f.sections {
		if s.name == name && elf.SectionType(s.Type) != elf.SHT_NOBITS && s.Off <= f.size && s.Size <= f.size-s.Off {
			return s, true
		}
	}
	return section{}, false
}

// bytes reads n bytes.
func (f *file) bytes(offset, n uint64) ([]byte, error) {
	if n > maxPiece {
		return nil, errTooLarge
	}
	if offset > f.size || n > f.size-offset {
		return nil, errMalformed
	}
	b := make([]byte, n)
	return b, f.readInto(b, offset)
}

func (f *file) readInto(b []byte, offset uint64) error {
	n := uint64(len(b))
	if offset > f.size || n > f.size-offset {
		return errMalformed
	}
	if n > f.left {
		return errTooLarge
	}
	f.left -= n
	if _, err := f.r.ReadAt(b, int64(offset)); err != nil && (err != io.EOF || offset+n != f.size) {
		return fmt.Errorf("read executable: %w", err)
	}
	return nil
}

// decode reads a value of fixed size.
func (f *file) decode(offset uint64, v any) error {
	b, err := f.bytes(offset, uint64(binary.Size(v)))
	if err != nil {
		return err
	}
	_, err = binary.Decode(b, binary.LittleEndian, v)
	return err
}

func (f *file) uint32(offset uint64) (uint32, error) {
	var b [4]byte
	err := f.readInto(b[:], offset)
	return binary.LittleEndian.Uint32(b[:]), err
}

func (f *file) uint64(offset uint64) (uint64, error) {
	var b [8]byte
	err := f.readInto(b[:], offset)
	return binary.LittleEndian.Uint64(b[:]), err
}

// offset gives where in the file the byte is that is loaded at an address, and how
// many bytes of the same segment follow it there.
func (f *file) offset(address uint64, flags elf.ProgFlag) (offset, follow uint64, ok bool) {
	for _, p := range f.progs {
		if elf.ProgType(p.Type) != elf.PT_LOAD || elf.ProgFlag(p.Flags)&flags != flags {
			continue
		}
		into := address - p.Vaddr
		if address < p.Vaddr || into >= p.Filesz || p.Off > f.size || into >= f.size-p.Off {
			continue
		}
		return p.Off + into, min(p.Filesz-into, f.size-p.Off-into), true
	}
	return 0, 0, false
}

// code gives the file offset of an address that is executable, 0 if it is not.
func (f *file) code(address uint64) uint64 {
	offset, _, ok := f.offset(address, elf.PF_X)
	if !ok {
		return 0
	}
	return offset
}

// stringAt gives the string that begins at i and ends with a zero byte, or nothing.
func stringAt(b []byte, i uint64) string {
	if i >= uint64(len(b)) {
		return ""
	}
	b = b[i:]
	for n, c := range b {
		if c == 0 {
			return string(b[:n])
		}
	}
	return ""
}
