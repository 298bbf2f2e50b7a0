// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"
)

// Bounds of the symbol table.
const (
	windowSize = 1 << 20
	maxFound   = 4096 // names
)

// place is a function in a file.
type place struct {
	name    string
	address uint64
}

// selection says which names of a symbol table are wanted: those that begin with a
// stem and are in the set, and whole names that contain mangledStem and satisfy
// mangled. Stems make it possible to leave the rest of the names unread.
type selection struct {
	stems       []string
	exact       map[string]bool
	mangledStem string
	mangled     func(name string) bool
}

// staticFunctions finds functions in .symtab, the symbols that strip removes. It
// reads names first, then symbols, each in pieces, and keeps what matches.
func (f *file) staticFunctions(want *selection) ([]place, error) {
	symbols, ok := f.section(".symtab")
	if !ok || int(symbols.Link) >= len(f.sections) || symbols.Size/symbolSize > maxSymbols {
		return nil, nil
	}
	names, err := f.staticNames(&f.sections[symbols.Link], want)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var all []place
	b := make([]byte, windowSize/symbolSize*symbolSize)
	for at, left := symbols.Off, symbols.Size; left >= symbolSize && len(all) < maxFound; {
		b = b[:min(uint64(len(b)), left/symbolSize*symbolSize)]
		if err := f.readInto(b, at); err != nil {
			return nil, err
		}
		all = appendMatches(all, b, names)
		at, left = at+uint64(len(b)), left-uint64(len(b))
	}
	return all, nil
}

func appendMatches(all []place, symbols []byte, names map[uint32]string) []place {
	for ; len(symbols) >= symbolSize; symbols = symbols[symbolSize:] {
		if elf.ST_TYPE(symbols[4]) != elf.STT_FUNC {
			continue
		}
		name, ok := names[binary.LittleEndian.Uint32(symbols)]
		address := binary.LittleEndian.Uint64(symbols[8:])
		if ok && address != 0 && binary.LittleEndian.Uint16(symbols[6:]) != uint16(elf.SHN_UNDEF) {
			all = append(all, place{name, address})
		}
	}
	return all
}

// staticNames gives the wanted names by their place in the table. Linkers let a
// name be the end of a longer one.
func (f *file) staticNames(table *section, want *selection) (map[uint32]string, error) {
	if table.Off > f.size || table.Size > f.size-table.Off {
		return nil, errMalformed
	}
	names := map[uint32]string{}
	b := make([]byte, 0, windowSize)
	for at, begin := uint64(0), uint64(0); at < table.Size; {
		n := min(uint64(windowSize-len(b)), table.Size-at)
		b = b[:len(b)+int(n)]
		if err := f.readInto(b[len(b)-int(n):], table.Off+at); err != nil {
			return nil, err
		}
		at += n
		end := bytes.LastIndexByte(b, 0) + 1
		if end == 0 {
			return nil, errMalformed
		}
		want.match(b[:end], uint32(begin), names)
		if len(names) > maxFound {
			return nil, errTooLarge
		}
		begin += uint64(end)
		b = slices.Delete(b, 0, end)
	}
	return names, nil
}

// match adds the wanted names of a part of the table that begins at base and ends
// with a zero byte.
func (s *selection) match(table []byte, base uint32, names map[uint32]string) {
	for _, stem := range s.stems {
		forEach(table, stem, func(i, end int) {
			if s.exact[string(table[i:end])] {
				names[base+uint32(i)] = string(table[i:end])
			}
		})
	}
	if s.mangled == nil {
		return
	}
	forEach(table, s.mangledStem, func(i, end int) {
		i = bytes.LastIndexByte(table[:i], 0) + 1
		if name := string(table[i:end]); s.mangled(name) {
			names[base+uint32(i)] = name
		}
	})
}

// forEach calls do for each occurrence of the stem with the end of its string.
func forEach(table []byte, stem string, do func(i, end int)) {
	for at := 0; ; {
		i := bytes.Index(table[at:], []byte(stem))
		if i < 0 {
			return
		}
		i += at
		n := bytes.IndexByte(table[i:], 0)
		if n < 0 {
			return
		}
		do(i, i+n)
		at = i + len(stem)
	}
}
