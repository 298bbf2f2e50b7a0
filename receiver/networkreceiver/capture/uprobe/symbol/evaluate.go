// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"bytes"

	"golang.org/x/arch/x86/x86asm"
)

// maxSteps bounds how many instructions of a getter are followed.
const maxSteps = 64

// endbr64 begins functions where indirect branches are checked (Intel CET). The
// decoder does not know it.
var endbr64 = []byte{0xf3, 0x0f, 0x1e, 0xfa}

// value is what a register holds when a function is called with a pointer to an
// object that is all zero.
type value struct {
	kind   valueKind
	n      uint32 // of a constant; the offset of a member
	wide   bool   // of a member: 8 bytes, not 4
	nested bool   // of a member: of what a member points to
}

type valueKind uint8

const (
	unknown valueKind = iota
	constant
	object // the pointer to the object
	member
)

// isZero says whether the value is zero, if that is known.
func (v value) isZero() (zero, known bool) {
	switch v.kind {
	case constant:
		return v.n == 0, true
	case object:
		return false, true
	case member:
		return true, true
	default:
		return false, false
	}
}

// isPointer says whether the value is a member that can be a pointer.
func (v value) isPointer() bool { return v.kind == member && v.wide && !v.nested }

// load gives what is loaded from an address.
func (v value) load(offset uint32, wide bool) value {
	switch {
	case v.kind == object:
		return value{kind: member, n: offset, wide: wide}
	case v.isPointer() && offset == 0:
		return value{kind: member, n: v.n, nested: true}
	default:
		return value{}
	}
}

// evaluateX86 gives what a short function returns.
func evaluateX86(code []byte) value {
	e := evaluator{}
	e.registers[x86asm.RDI-x86asm.RAX].kind = object
	at := 0
	if bytes.HasPrefix(code, endbr64) {
		at = len(endbr64)
	}
	for range maxSteps {
		if at < 0 || at >= len(code) {
			return value{}
		}
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			return value{}
		}
		at += inst.Len
		if inst.Op == x86asm.RET {
			return e.registers[0]
		}
		jump, ok := e.step(&inst)
		if !ok {
			return value{}
		}
		at += jump
	}
	return value{}
}

type evaluator struct {
	registers   [16]value
	zero, known bool // the flag of the last test
}

// step gives how far to jump, and whether it knows the instruction.
func (e *evaluator) step(inst *x86asm.Inst) (jump int, ok bool) {
	to, from := inst.Args[0], inst.Args[1]
	switch inst.Op {
	case x86asm.NOP, x86asm.PUSH, x86asm.POP, x86asm.LEAVE:
	case x86asm.MOV, x86asm.MOVSXD:
		if r, isRegister := general(to); isRegister {
			e.registers[r] = e.value(from, inst.MemBytes)
		}
	case x86asm.XOR:
		r, isRegister := general(to)
		if !isRegister {
			return 0, false
		}
		e.registers[r] = value{}
		if to == from {
			e.registers[r].kind = constant
		}
	case x86asm.SUB, x86asm.ADD: // of the stack pointer
		if r, isRegister := general(to); isRegister {
			e.registers[r] = value{}
		}
		e.known = false
	case x86asm.TEST:
		// What is zero stays so with any mask; what is not must be tested whole.
		e.zero, e.known = e.value(to, inst.MemBytes).isZero()
		e.known = e.known && (e.zero || to == from)
	case x86asm.CMP:
		with, isConstant := from.(x86asm.Imm)
		e.zero, e.known = e.value(to, inst.MemBytes).isZero()
		e.known = e.known && isConstant && with == 0
	default:
		return e.branch(inst)
	}
	return 0, true
}

// branch decides jumps by the last test.
func (e *evaluator) branch(inst *x86asm.Inst) (jump int, ok bool) {
	to, isRelative := inst.Args[0].(x86asm.Rel)
	if !isRelative {
		return 0, false
	}
	var taken bool
	switch inst.Op {
	case x86asm.JMP:
		return int(to), true
	case x86asm.JE:
		taken = e.zero
	case x86asm.JNE:
		taken = !e.zero
	case x86asm.JS, x86asm.JNS:
		if !e.zero {
			return 0, false
		}
		taken = inst.Op == x86asm.JNS
	default:
		return 0, false
	}
	if !taken {
		return 0, e.known
	}
	return int(to), e.known
}

func (e *evaluator) value(a x86asm.Arg, size int) value {
	switch a := a.(type) {
	case x86asm.Imm:
		return value{kind: constant, n: uint32(a)}
	case x86asm.Reg:
		if r, ok := general(a); ok {
			return e.registers[r]
		}
		if x86asm.AL <= a && a <= x86asm.BL {
			return e.registers[a-x86asm.AL]
		}
	case x86asm.Mem:
		r, ok := general(a.Base)
		if !ok || a.Index != 0 || a.Segment != 0 || a.Disp < 0 || a.Disp > maxOffset {
			break
		}
		return e.registers[r].load(uint32(a.Disp), size == 8)
	}
	return value{}
}
