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

// Names of those, and what they are for.
const (
	readInternal  = "ssl_read_internal"
	writeInternal = "ssl_write_internal"
)

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
