// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"debug/elf"
	"encoding/binary"
	"errors"

	"golang.org/x/arch/x86/x86asm"
)

// Bounds of disassembly.
const (
	maxGetter   = 256      // bytes of a function that only gives a member
	maxFunction = 64 << 10 // bytes of a function whose returns are wanted
	maxOffset   = 1 << 16  // of a member
)

var errInstruction = errors.New("unknown instruction")

// returns gives the file offsets of the return instructions of a function that has n
// bytes at offset.
func (f *file) returns(offset, n uint64) ([]uint64, error) {
	if n > maxFunction {
		return nil, errTooLarge
	}
	code, err := f.bytes(offset, n)
	if err != nil {
		return nil, err
	}
	if f.machine() == elf.EM_AARCH64 {
		return returnsARM(code, offset), nil
	}
	return returnsX86(code, offset)
}

func returnsX86(code []byte, offset uint64) ([]uint64, error) {
	var all []uint64
	for i := 0; i < len(code); {
		inst, err := x86asm.Decode(code[i:], 64)
		if err != nil {
			return nil, errInstruction
		}
		if inst.Op == x86asm.RET {
			all = append(all, offset+uint64(i))
		}
		i += inst.Len
	}
	return all, nil
}

// load is an instruction that loads a register from a register and an offset.
type load struct {
	first  bool // the address is in the function's first argument
	result bool // what is loaded goes to the register of results
	wide   bool // 8 bytes, not 4
	offset uint32
}

// loads lists the loads of a short function up to its first return, call or jump
// away, and says whether that is a return.
func (f *file) loads(offset uint64) (all []load, returned bool, err error) {
	if offset == 0 || offset >= f.size {
		return nil, false, nil
	}
	code, err := f.bytes(offset, min(maxGetter, f.size-offset))
	if err != nil {
		return nil, false, err
	}
	if f.machine() == elf.EM_AARCH64 {
		all, returned = loadsARM(code)
	} else {
		all, returned = loadsX86(code)
	}
	return all, returned, nil
}

func loadsX86(code []byte) (all []load, returned bool) {
	for len(code) > 0 {
		inst, err := x86asm.Decode(code, 64)
		if err != nil {
			return all, false
		}
		code = code[inst.Len:]
		switch inst.Op {
		case x86asm.RET:
			return all, true
		case x86asm.JMP:
			return all, false
		case x86asm.MOV, x86asm.MOVSXD:
			to, isRegister := inst.Args[0].(x86asm.Reg)
			from, isMemory := inst.Args[1].(x86asm.Mem)
			if !isRegister || !isMemory || from.Index != 0 || from.Segment != 0 || from.Disp < 0 || from.Disp > maxOffset {
				continue
			}
			all = append(all, load{
				first:  from.Base == x86asm.RDI,
				result: to == x86asm.RAX || to == x86asm.EAX,
				wide:   inst.MemBytes == 8,
				offset: uint32(from.Disp),
			})
		}
	}
	return all, false
}

func loadsARM(code []byte) (all []load, returned bool) {
	for ; len(code) >= 4; code = code[4:] {
		inst := binary.LittleEndian.Uint32(code)
		if inst&armRETMask == armRET {
			return all, true
		}
		if inst&armBMask == armB {
			return all, false
		}
		scale := uint32(4)
		switch inst & armLDRMask {
		case armLDRX:
			scale = 8
		case armLDRW, armLDRSW:
		default:
			continue
		}
		all = append(all, load{
			first:  inst>>armFirst&armRegister == 0,
			result: inst&armRegister == 0,
			wide:   scale == 8,
			offset: inst >> armOffset & armOffsetMask * scale,
		})
	}
	return all, false
}

// evaluate gives what a short function returns, if it returns a constant or a member
// of its argument.
func (f *file) evaluate(offset uint64) (value, error) {
	if offset == 0 || offset >= f.size {
		return value{}, nil
	}
	code, err := f.bytes(offset, min(maxGetter, f.size-offset))
	if err != nil {
		return value{}, err
	}
	if f.machine() == elf.EM_AARCH64 {
		return evaluateARM(code), nil
	}
	return evaluateX86(code), nil
}
