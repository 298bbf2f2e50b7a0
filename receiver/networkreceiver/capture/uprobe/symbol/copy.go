// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"slices"

	"golang.org/x/arch/x86/x86asm"
)

// step is an instruction of a function on x86-64.
type step struct {
	x86asm.Inst
	offset uint64 // in the file
}

// steps gives the instructions of a function that has n bytes at offset, nil if they are not
// known.
func (f *file) steps(offset, n uint64) ([]step, error) {
	if n > maxFunction {
		return nil, nil
	}
	code, err := f.bytes(offset, n)
	if err != nil {
		return nil, err
	}
	var all []step
	for i := 0; i < len(code); {
		inst, err := x86asm.Decode(code[i:], 64)
		if err != nil {
			return nil, nil
		}
		all = append(all, step{inst, offset + uint64(i)})
		i += inst.Len
	}
	return all, nil
}

// goes reports whether a step jumps or calls, whatever the condition, to a fixed place.
func (s *step) goes() bool {
	_, relative := s.Args[0].(x86asm.Rel)
	return relative
}

// calls reports whether a step calls one of functions, given as offsets in the file.
func (s *step) calls(functions []uint64) bool {
	to, relative := s.Args[0].(x86asm.Rel)
	return relative && s.Op == x86asm.CALL && slices.Contains(functions, s.offset+uint64(s.Len)+uint64(int64(to)))
}

// copyIn gives where a Go function calls one of moves, if it does so once and has its
// receiver in the place of the first argument by then: above the frame pointer and the
// return address.
func copyIn(code []step, moves []uint64) (at uint64) {
	var f frame
	for i := range code {
		s := &code[i]
		if s.Op == x86asm.CALL && !f.kept || s.calls(moves) && at != 0 {
			return 0
		}
		if s.calls(moves) {
			at = s.offset
		}
		f.next(&s.Inst)
	}
	return at
}

// behind gives the first jump or call behind each call of a function.
func behind(code []step, function uint64) (all []uint64) {
	called := false
	for i := range code {
		s := &code[i]
		switch {
		case called && s.goes():
			all = append(all, s.offset)
			called = false
		case called && s.Op == x86asm.RET:
			return nil
		}
		called = called || s.calls([]uint64{function})
	}
	if called {
		return nil
	}
	return all
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
