// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import "encoding/binary"

// Instructions of A64 (Arm Architecture Reference Manual, C6.2), with the bits of
// their operands masked.
const (
	armRET, armRETMask     = 0xd65f0000, 0xfffffc1f
	armB, armBMask         = 0x14000000, 0xfc000000
	armCBZ, armCBNZ        = 0x34000000, 0x35000000 // of a W register
	armTBZ, armTBNZ        = 0x36000000, 0x37000000
	armBranchMask          = 0x7f000000
	armLDRX, armLDRW       = 0xf9400000, 0xb9400000 // LDR (immediate), unsigned offset
	armLDRSW, armLDRMask   = 0xb9800000, 0xffc00000
	armMOV, armMOVMask     = 0xaa0003e0, 0xffe0ffe0 // of X registers
	armADD, armSUB         = 0x91000000, 0xd1000000 // (immediate), of X registers
	armSTR                 = 0xf9000000             // (immediate), unsigned offset, of an X register
	armPair, armPairMask   = 0xa8000000, 0xfc000000 // LDP and STP of X registers
	armPairLoads           = 1 << 22
	armMOVZ, armMOVK       = 0x52800000, 0x72800000 // of a W register
	armMoveMask            = 0x7f800000
	armHint, armHintMask   = 0xd503201f, 0xfffff01f // NOP, BTI, PACIASP …
	armRegister            = 0x1f
	armOffset, armFirst    = 10, 5 // where the operands are
	armSecond, armZero     = 16, 31
	armOffsetMask          = 0xfff
	armHalf, armHalfSelect = 0xffff, 21
)

// evaluateARM gives what a short function returns, like evaluateX86.
func evaluateARM(code []byte) value {
	e := evaluatorARM{}
	e.registers[0].kind = object
	at := 0
	for range maxSteps {
		if at < 0 || at+4 > len(code) {
			return value{}
		}
		inst := binary.LittleEndian.Uint32(code[at:])
		if inst&armRETMask == armRET {
			return e.registers[0]
		}
		jump, ok := e.step(inst)
		if !ok {
			return value{}
		}
		at += jump
	}
	return value{}
}

type evaluatorARM struct {
	registers [armRegister + 1]value
}

// step gives how far the next instruction is, and whether it knows this one.
func (e *evaluatorARM) step(inst uint32) (jump int, ok bool) {
	to, first := &e.registers[inst&armRegister], e.registers[inst>>armFirst&armRegister]
	offset := inst >> armOffset & armOffsetMask
	half, shift := inst>>armFirst&armHalf, inst>>armHalfSelect&1*16
	switch {
	case inst&armHintMask == armHint:
	case inst&armLDRMask == armLDRX:
		*to = first.load(offset*8, true)
	case inst&armLDRMask == armLDRW, inst&armLDRMask == armLDRSW:
		*to = first.load(offset*4, false)
	case inst&armMOVMask == armMOV:
		*to = e.registers[inst>>armSecond&armRegister]
		if inst>>armSecond&armRegister == armZero {
			*to = value{kind: constant}
		}
	case inst&armLDRMask == armSTR:
	case inst&armPairMask == armPair:
		if inst&armPairLoads != 0 {
			*to, e.registers[inst>>armOffset&armRegister] = value{}, value{}
		}
	case inst&(armMoveMask|1<<31) == armADD, inst&(armMoveMask|1<<31) == armSUB:
		*to = value{} // of the stack pointer, mostly
	case inst&armMoveMask == armMOVZ:
		*to = value{kind: constant, n: half << shift}
	case inst&armMoveMask == armMOVK:
		to.n = to.n&^(0xffff<<shift) | half<<shift
	case inst&armBMask == armB:
		return int(int32(inst<<6)>>6) * 4, true
	case inst&armBranchMask == armCBZ, inst&armBranchMask == armCBNZ:
		zero, known := to.isZero()
		if zero == (inst&armBranchMask == armCBZ) {
			return int(int32(inst<<8)>>13) * 4, known
		}
		return 4, known
	case inst&armBranchMask == armTBZ, inst&armBranchMask == armTBNZ:
		zero, known := to.isZero()
		if inst&armBranchMask == armTBZ {
			return int(int32(inst<<13)>>18) * 4, known && zero
		}
		return 4, known && zero
	default:
		return 0, false
	}
	return 4, true
}

func returnsARM(code []byte, offset uint64) []uint64 {
	var all []uint64
	for i := 0; i+4 <= len(code); i += 4 {
		if binary.LittleEndian.Uint32(code[i:])&armRETMask == armRET {
			all = append(all, offset+uint64(i))
		}
	}
	return all
}
