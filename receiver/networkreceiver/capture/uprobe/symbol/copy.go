// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"slices"

	"golang.org/x/arch/x86/x86asm"
)

// copyIn gives where a Go function on x86-64 of n bytes at offset calls one of moves, if it does so
// once and has its receiver in the place of the first argument by then: above the frame
// pointer and the return address.
func (f *file) copyIn(offset, n uint64, moves []uint64) (uint64, error) {
	if len(moves) == 0 || n > maxFunction {
		return 0, nil
	}
	code, err := f.bytes(offset, n)
	if err != nil {
		return 0, err
	}
	var at uint64
	frame := frame{}
	for i := 0; i < len(code); {
		inst, err := x86asm.Decode(code[i:], 64)
		if err != nil {
			return 0, nil
		}
		to, relative := inst.Args[0].(x86asm.Rel)
		if inst.Op == x86asm.CALL && !frame.kept {
			return 0, nil
		}
		if inst.Op == x86asm.CALL && relative && slices.Contains(moves, offset+uint64(i+inst.Len)+uint64(int64(to))) {
			if at != 0 {
				return 0, nil
			}
			at = offset + uint64(i)
		}
		frame.next(&inst)
		i += inst.Len
	}
	return at, nil
}

// frame follows how a function begins: push rbp; mov rbp, rsp; sub rsp, size; and among
// what comes next, mov [rsp+size+16], rax.
type frame struct {
	pushed, pointed bool
	size            int64
	kept            bool // the receiver
}

func (f *frame) next(inst *x86asm.Inst) {
	switch {
	case inst.Op == x86asm.PUSH && inst.Args[0] == x86asm.RBP:
		f.pushed = true
	case inst.Op == x86asm.MOV && inst.Args[0] == x86asm.RBP && inst.Args[1] == x86asm.RSP:
		f.pointed = f.pushed
	case inst.Op == x86asm.SUB && inst.Args[0] == x86asm.RSP && f.pointed && f.size == 0:
		size, _ := inst.Args[1].(x86asm.Imm)
		f.size = int64(size)
	case inst.Op == x86asm.MOV && inst.Args[1] == x86asm.RAX && f.size > 0:
		to, ok := inst.Args[0].(x86asm.Mem)
		f.kept = f.kept || ok && to.Base == x86asm.RSP && to.Index == 0 && to.Disp == f.size+16
	}
}
