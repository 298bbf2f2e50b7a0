// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"debug/elf"
	"io"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// A probe at an instruction that the kernel can not emulate costs a second trap, which
// on a virtual machine can take ten times as long as everything else. OpenSSL's
// functions often begin with such a one, and those that they lead to do not:
//
//	SSL_read, SSL_read_ex   → ssl_read_internal(SSL *, void *, size_t, size_t *)
//	SSL_write, SSL_write_ex → ssl_write_internal, likewise; since 3.3 with one more argument
//
// Go's functions begin with a look at how much stack is left. Then, since Go 1.21, they push
// the frame pointer, when arguments are still where they were.

// Names of those, and what they are for.
const (
	readInternal  = "ssl_read_internal"
	writeInternal = "ssl_write_internal"

	goRecord = "crypto/tls: a record is written"
	goCopy   = "crypto/tls: a reader gets plaintext"
)

// checkLen is how long a look at the stack may be.
const checkLen = 32

// codeLen is how far into a function is looked for its first call.
const codeLen = 96

// cheapened gives a library with functions at which probes are cheap instead of those
// at which they are not, as far as it has such.
func cheapened(r io.ReaderAt, machine elf.Machine, l symbol.Library) symbol.Library {
	if l.Kind != symbol.OpenSSL && l.Kind != symbol.Go || machine != elf.EM_X86_64 {
		return l
	}
	l.Functions = slices.Clone(l.Functions)
	if l.Kind == symbol.Go {
		cheapenGo(r, &l)
		return l
	}
	replace(r, &l, readInternal, symbol.SSLRead, symbol.SSLReadEx)
	if find(&l, symbol.SSLWriteEx2) < 0 {
		replace(r, &l, writeInternal, symbol.SSLWrite, symbol.SSLWriteEx)
	}
	return l
}

// replace puts the function that two others call first in their place.
func replace(r io.ReaderAt, l *symbol.Library, name, one, other string) {
	i, j := find(l, one), find(l, other)
	if i < 0 || j < 0 || isCheap(r, l.Functions[i].Offset) && isCheap(r, l.Functions[j].Offset) {
		return
	}
	a, ok := firstCall(r, l.Functions[i].Offset)
	b, same := firstCall(r, l.Functions[j].Offset)
	if !ok || !same || a != b || !isCheap(r, a) {
		return
	}
	l.Functions[i] = symbol.Function{Name: name, Offset: a}
	l.Functions = slices.Delete(l.Functions, j, j+1)
}

// find gives the index of a function that is there exactly once, or -1.
func find(l *symbol.Library, name string) int {
	is := func(f symbol.Function) bool { return f.Name == name }
	i := slices.IndexFunc(l.Functions, is)
	if i >= 0 && slices.ContainsFunc(l.Functions[i+1:], is) {
		return -1
	}
	return i
}

// firstCall gives the target of the first call of a function, as an offset in the file.
func firstCall(r io.ReaderAt, offset uint64) (uint64, bool) {
	var buffer [codeLen]byte
	n, _ := r.ReadAt(buffer[:], int64(offset)) // what is cut does not decode
	for at := 0; at < n; {
		inst, err := x86asm.Decode(buffer[at:n], 64)
		if err != nil || inst.Op == x86asm.RET {
			return 0, false
		}
		at += inst.Len
		if inst.Op != x86asm.CALL {
			continue
		}
		to, ok := inst.Args[0].(x86asm.Rel)
		return offset + uint64(at) + uint64(int64(to)), ok
	}
	return 0, false
}

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

// isCheap reports whether a function begins with an instruction that the kernel
// emulates on x86-64: a push of a register.
func isCheap(r io.ReaderAt, offset uint64) bool {
	var b [2]byte
	if _, err := r.ReadAt(b[:], int64(offset)); err != nil {
		return false
	}
	if b[0] == 0x41 { // REX.B: registers r8 to r15
		b[0] = b[1]
	}
	return b[0]&^7 == 0x50
}
