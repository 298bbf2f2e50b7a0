// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"debug/elf"

	"golang.org/x/arch/x86/x86asm"
)

// maxStoring bounds the code that is searched for stores.
const maxStoring = 4 << 20

// storedPointers gives the addresses of code that a library's code stores in its own
// data, by where. A constant table that is copied at run time may exist in this form
// only. Instructions are followed in the order in which they are in the file, which
// is enough for code without branches. It finds nothing on ARM.
func (f *file) storedPointers() (map[uint64]uint64, error) {
	if f.machine() != elf.EM_X86_64 {
		return nil, nil
	}
	stores := map[uint64]uint64{}
	for _, p := range f.progs {
		if elf.ProgType(p.Type) != elf.PT_LOAD || elf.ProgFlag(p.Flags)&elf.PF_X == 0 || p.Filesz > maxStoring {
			continue
		}
		code, err := f.bytes(p.Off, p.Filesz)
		if err != nil {
			return nil, err
		}
		t := tracer{begin: p.Vaddr, end: p.Vaddr + p.Filesz, stores: stores}
		for i := 0; i < len(code) && len(stores) < maxPointers; {
			inst, err := x86asm.Decode(code[i:], 64)
			if err != nil {
				i++
				continue
			}
			i += inst.Len
			t.step(&inst, p.Vaddr+uint64(i))
		}
	}
	return stores, nil
}

// tracer knows which registers hold the address of code; 0 stands for anything else.
type tracer struct {
	begin, end uint64
	general    [16]uint64
	vector     [16][2]uint64 // low and high half
	stores     map[uint64]uint64
}

func (t *tracer) step(inst *x86asm.Inst, next uint64) {
	to, from := inst.Args[0], inst.Args[1]
	switch inst.Op {
	case x86asm.CALL, x86asm.RET:
		*t = tracer{begin: t.begin, end: t.end, stores: t.stores}
		return
	case x86asm.LEA:
		r, ok := general(to)
		if !ok {
			return
		}
		t.general[r] = 0
		if address, ok := relative(from, next); ok && t.begin <= address && address < t.end {
			t.general[r] = address
		}
		return
	case x86asm.MOVQ:
		v, ok := vector(to)
		if r, isGeneral := general(from); ok && isGeneral {
			t.vector[v] = [2]uint64{t.general[r], 0}
			return
		}
	case x86asm.PUNPCKLQDQ:
		v, ok := vector(to)
		if w, isVector := vector(from); ok && isVector {
			t.vector[v][1] = t.vector[w][0]
			return
		}
	case x86asm.MOV, x86asm.MOVUPS, x86asm.MOVAPS, x86asm.MOVDQA, x86asm.MOVDQU:
		if address, ok := relative(to, next); ok {
			t.store(address, from)
			return
		}
	}
	t.forget(to)
}

func (t *tracer) store(address uint64, from x86asm.Arg) {
	if r, ok := general(from); ok && t.general[r] != 0 {
		t.stores[address] = t.general[r]
	}
	if v, ok := vector(from); ok {
		for i, value := range t.vector[v] {
			if value != 0 {
				t.stores[address+8*uint64(i)] = value
			}
		}
	}
}

func (t *tracer) forget(to x86asm.Arg) {
	if r, ok := general(to); ok {
		t.general[r] = 0
	}
	if v, ok := vector(to); ok {
		t.vector[v] = [2]uint64{}
	}
}

func general(a x86asm.Arg) (int, bool) {
	r, ok := a.(x86asm.Reg)
	switch {
	case ok && x86asm.RAX <= r && r <= x86asm.R15:
		return int(r - x86asm.RAX), true
	case ok && x86asm.EAX <= r && r <= x86asm.R15L:
		return int(r - x86asm.EAX), true
	}
	return 0, false
}

func vector(a x86asm.Arg) (int, bool) {
	r, ok := a.(x86asm.Reg)
	if ok && x86asm.X0 <= r && r <= x86asm.X15 {
		return int(r - x86asm.X0), true
	}
	return 0, false
}

// relative gives the address of memory that is named relative to the next
// instruction.
func relative(a x86asm.Arg, next uint64) (uint64, bool) {
	m, ok := a.(x86asm.Mem)
	if !ok || m.Base != x86asm.RIP || m.Index != 0 {
		return 0, false
	}
	return next + uint64(int64(int32(m.Disp))), true // 32 bits, which the decoder does not extend
}
