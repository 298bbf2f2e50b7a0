// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"debug/elf"
	"encoding/binary"
	"strings"
)

// Bounds of dynamic linking.
const (
	maxDynamic  = 1024    // entries of PT_DYNAMIC
	maxChain    = 4096    // symbols of one hash bucket
	maxName     = 256     // bytes of a name
	maxVersions = 1024    // versions that a library defines
	maxSymbols  = 8 << 20 // symbols of a table
)

const symbolSize = 24 // of an elf.Sym64

// dynamic is what the dynamic linker sees of a file. It survives strip.
type dynamic struct {
	f       *file
	entries map[elf.DynTag]uint64
}

// readDynamic gives nil for a file without dynamic linking.
func readDynamic(f *file) (*dynamic, error) {
	for _, p := range f.progs {
		if elf.ProgType(p.Type) != elf.PT_DYNAMIC {
			continue
		}
		b, err := f.bytes(p.Off, min(p.Filesz, maxDynamic*16))
		if err != nil {
			return nil, err
		}
		d := &dynamic{f: f, entries: map[elf.DynTag]uint64{}}
		for ; len(b) >= 16; b = b[16:] {
			tag := elf.DynTag(binary.LittleEndian.Uint64(b))
			if tag == elf.DT_NULL {
				break
			}
			d.entries[tag] = binary.LittleEndian.Uint64(b[8:])
		}
		return d, nil
	}
	return nil, nil
}

// table gives the file offset of a table that an entry points to, 0 if there is none.
func (d *dynamic) table(tag elf.DynTag) uint64 {
	address, ok := d.entries[tag]
	if !ok {
		return 0
	}
	offset, _, _ := d.f.offset(address, elf.PF_R)
	return offset
}

// name reads a string of the dynamic string table.
func (d *dynamic) name(i uint64) (string, error) {
	table := d.table(elf.DT_STRTAB)
	if table == 0 || i >= d.entries[elf.DT_STRSZ] {
		return "", nil
	}
	at := table + i
	if at < table || at >= d.f.size {
		return "", errMalformed
	}
	b, err := d.f.bytes(at, min(maxName, d.f.size-at))
	return stringAt(b, 0), err
}

// lookup gives the address of a function that is defined in this file, 0 if it is not.
func (d *dynamic) lookup(name string) (uint64, error) {
	if d.table(elf.DT_SYMTAB) == 0 {
		return 0, nil
	}
	if table := d.table(elf.DT_GNU_HASH); table != 0 {
		return d.lookupGNU(table, name)
	}
	if table := d.table(elf.DT_HASH); table != 0 {
		return d.lookupSysV(table, name)
	}
	return 0, nil
}

// match gives the address of symbol i if it is a function of that name.
func (d *dynamic) match(i uint64, name string) (uint64, error) {
	var s elf.Sym64
	if i > maxSymbols {
		return 0, errMalformed
	}
	if err := d.f.decode(d.table(elf.DT_SYMTAB)+i*symbolSize, &s); err != nil || !isFunction(&s) {
		return 0, err
	}
	n, err := d.name(uint64(s.Name))
	if err != nil || n != name {
		return 0, err
	}
	return s.Value, nil
}

func isFunction(s *elf.Sym64) bool {
	return elf.ST_TYPE(s.Info) == elf.STT_FUNC && elf.SectionIndex(s.Shndx) != elf.SHN_UNDEF && s.Value != 0
}

// lookupGNU uses DT_GNU_HASH: a Bloom filter, buckets, and for every hashed symbol
// its hash, the lowest bit of which ends a chain.
func (d *dynamic) lookupGNU(table uint64, name string) (uint64, error) {
	var h struct{ Buckets, First, Bloom, Shift uint32 }
	if err := d.f.decode(table, &h); err != nil || h.Buckets == 0 || h.Bloom == 0 {
		return 0, err
	}
	hash := uint32(5381)
	for i := range len(name) {
		hash = hash*33 + uint32(name[i])
	}
	const header = 16
	word, err := d.f.uint64(table + header + uint64(hash/64%h.Bloom)*8)
	if err != nil || word>>(hash%64)&(word>>(hash>>(h.Shift&31)%64))&1 == 0 {
		return 0, err
	}
	buckets := table + header + uint64(h.Bloom)*8
	first, err := d.f.uint32(buckets + uint64(hash%h.Buckets)*4)
	if err != nil || first < h.First {
		return 0, err
	}
	chain := buckets + uint64(h.Buckets)*4
	for i := uint64(first); i < uint64(first)+maxChain; i++ {
		found, err := d.f.uint32(chain + (i-uint64(h.First))*4)
		if err != nil {
			return 0, err
		}
		if found|1 == hash|1 {
			if address, err := d.match(i, name); err != nil || address != 0 {
				return address, err
			}
		}
		if found&1 != 0 {
			break
		}
	}
	return 0, nil
}

// lookupSysV uses DT_HASH: buckets and chains of symbol indices.
func (d *dynamic) lookupSysV(table uint64, name string) (uint64, error) {
	var h struct{ Buckets, Chains uint32 }
	if err := d.f.decode(table, &h); err != nil || h.Buckets == 0 {
		return 0, err
	}
	var hash uint32
	for i := range len(name) {
		hash = hash<<4 + uint32(name[i])
		hash = (hash ^ hash>>24&0xf0) & 0x0fffffff
	}
	const header = 8
	at := table + header + uint64(hash%h.Buckets)*4
	for range maxChain {
		i, err := d.f.uint32(at)
		if err != nil || i == 0 || i >= h.Chains {
			return 0, err
		}
		if address, err := d.match(uint64(i), name); err != nil || address != 0 {
			return address, err
		}
		at = table + header + (uint64(h.Buckets)+uint64(i))*4
	}
	return 0, nil
}

// versions lists the symbol versions that a library defines (DT_VERDEF), without the
// first, which is the library's own name.
func (d *dynamic) versions() ([]string, error) {
	at := d.table(elf.DT_VERDEF)
	if at == 0 {
		return nil, nil
	}
	var names []string
	for range min(d.entries[elf.DT_VERDEFNUM], maxVersions) {
		var v struct {
			Version, Flags, Index, Count uint16
			Hash, Aux, Next              uint32
		}
		if err := d.f.decode(at, &v); err != nil {
			return nil, err
		}
		i, err := d.f.uint32(at + uint64(v.Aux))
		if err != nil {
			return nil, err
		}
		name, err := d.name(uint64(i))
		if err != nil {
			return nil, err
		}
		const base = 1 // VER_FLG_BASE
		if v.Flags&base == 0 {
			names = append(names, strings.Clone(name))
		}
		if v.Next == 0 {
			break
		}
		at += uint64(v.Next)
	}
	return names, nil
}
