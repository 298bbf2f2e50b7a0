// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"io"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// Go's functions begin with a look at how much stack is left. Then, since Go 1.21, they push
// the frame pointer, when arguments are still where they were. Return instructions are not
// emulated, so no probe is put there if what a call did is known elsewhere:
//
//	Write → writeRecordLocked(*Conn, type, data), and the first jump behind that call
//	Read  → memmove(to, from, n), once per call

// Names of those places.
const (
	goRecord = "crypto/tls: a record is written"
	goCopy   = "crypto/tls: a reader gets plaintext"
)

// checkLen is how long a look at the stack may be.
const checkLen = 32

// cheapenGo moves probes behind the look at the stack, and puts others, which the kernel
// emulates, in the place of those at returns: where what Write gets is about to be encrypted
// and after that, and where Read copies what was decrypted.
func cheapenGo(r io.ReaderAt, l *symbol.Library) {
	for i := range l.Functions {
		f := &l.Functions[i]
		f.Offset = behindStackCheck(r, f.Offset)
		if f.Name == symbol.GoRead && f.Copy != 0 && registers(l) {
			*f = symbol.Function{Name: goCopy, Offset: f.Copy}
		}
	}
	write, record := find(l, symbol.GoWrite), find(l, symbol.GoWriteRecord)
	if write < 0 || record < 0 || !registers(l) || len(l.Functions[write].Sent) == 0 || !isCheap(r, l.Functions[record].Offset) {
		return
	}
	l.Functions[record] = symbol.Function{Name: goRecord, Offset: l.Functions[record].Offset, Returns: l.Functions[write].Sent}
	l.Functions = slices.Delete(l.Functions, write, write+1)
}

func registers(l *symbol.Library) bool { return l.Go != nil && l.Go.RegisterABI }

// behindStackCheck gives where the function at an offset pushes the frame pointer, if only
// a look at the stack comes before, else the offset.
func behindStackCheck(r io.ReaderAt, offset uint64) uint64 {
	var buffer [checkLen]byte
	n, _ := r.ReadAt(buffer[:], int64(offset))
	for at := 0; at < n; {
		inst, err := x86asm.Decode(buffer[at:n], 64)
		if err != nil {
			return offset
		}
		switch inst.Op {
		case x86asm.PUSH:
			return offset + uint64(at)
		case x86asm.CMP, x86asm.LEA, x86asm.JBE:
			at += inst.Len
		default:
			return offset
		}
	}
	return offset
}
