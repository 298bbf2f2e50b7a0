// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"bytes"
	"debug/elf"
)

// maxConstants bounds how much constant data is searched.
const maxConstants = 64 << 20

// marks are names of source files and the like that end up in the constants of a
// library, wherever it is linked.
var marks = []struct {
	text string
	kind Kind
}{
	{"ssl/ssl_lib.cc", BoringSSL},
	{"ssl/ssl_lib.c\x00", OpenSSL},
	{"GNUTLS_DEBUG_LEVEL", GnuTLS},
	{"rustls-0.", Rustls}, // of the path of its sources
}

// inspectStrings finds libraries that are linked statically into a program that has
// lost its symbols, to say so.
func (img *Image) inspectStrings(f *file) error {
	for _, p := range f.progs {
		flags := elf.ProgFlag(p.Flags)
		if elf.ProgType(p.Type) != elf.PT_LOAD || flags&elf.PF_W != 0 || p.Off > f.size {
			continue
		}
		if s, ok := f.section(".rodata"); ok && (s.Off < p.Off || s.Off-p.Off >= p.Filesz) {
			continue
		} else if ok {
			p.Off, p.Filesz = s.Off, s.Size
		}
		if err := img.searchMarks(f, p.Off, min(p.Filesz, f.size-p.Off, maxConstants)); err != nil {
			return err
		}
	}
	return nil
}

func (img *Image) searchMarks(f *file, offset, n uint64) error {
	const overlap = 64
	buffer := make([]byte, scanWindow)
	for at := uint64(0); at < n; {
		b := buffer[:min(uint64(len(buffer)), n-at)]
		if err := f.readInto(b, offset+at); err != nil {
			return err
		}
		for _, m := range marks {
			if bytes.Contains(b, []byte(m.text)) {
				img.add(&Library{Kind: m.kind, Reason: Stripped})
			}
		}
		if at += uint64(len(b)); at < n {
			at -= overlap
		}
	}
	return nil
}
