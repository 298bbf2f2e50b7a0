// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol_test

import (
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// toolchainsVariable names versions of Go to test too, which are downloaded:
// "go1.16.15 go1.24.9", or for another architecture "local/arm64".
const toolchainsVariable = "WIRESPAN_TEST_TOOLCHAINS"

// buildGo builds the test program, in a module of its own that old versions read too.
func buildGo(t *testing.T, toolchain, arch string, env []string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/tlsprogram/main.go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module program\n\ngo 1.16\n"), 0o600))
	build := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", "program"}, args...), "main.go")...)
	build.Dir = dir
	build.Env = append(append(os.Environ(), "GOTOOLCHAIN="+toolchain, "GOROOT=", "GOFLAGS=-mod=mod", "GOARCH="+arch, "CGO_ENABLED=0"), env...)
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return filepath.Join(dir, "program")
}

// stripProgram removes all symbols, with C's tool.
func stripProgram(t *testing.T, path string) string {
	t.Helper()
	stripped := path + ".stripped"
	out, err := exec.CommandContext(t.Context(), "strip", "-o", stripped, path).CombinedOutput()
	require.NoError(t, err, string(out))
	return stripped
}

// golang gives what was found, without the file's own marks.
func golang(t *testing.T, path string) symbol.Library {
	t.Helper()
	img := inspect(t, path)
	require.Equal(t, symbol.None, img.Reason, path)
	require.Len(t, img.Libraries, 1)
	require.Equal(t, symbol.Go, img.Libraries[0].Kind)
	return img.Libraries[0]
}

// TestGo builds a program in the ways that differ in where its function table is, and
// how it is found, and compares with symbols, DWARF, and the disassembler of binutils.
// A stripped program must give the same.
func TestGo(t *testing.T) {
	t.Run("static", func(t *testing.T) {
		path := buildGo(t, "local", runtime.GOARCH, nil)
		checkGo(t, path, runtime.Version())
		checkReturns(t, path, golang(t, path).Functions)
		checkPlaces(t, path, golang(t, path).Functions)
		stripped := buildGo(t, "local", runtime.GOARCH, nil, "-ldflags=-s -w")
		assert.Equal(t, golang(t, path), golang(t, stripped))
	})
	// C's linker puts its own code before Go's, and relocations where pointers were.
	t.Run("position independent, linked by C's linker", func(t *testing.T) {
		path := buildGo(t, "local", runtime.GOARCH, []string{"CGO_ENABLED=1"}, "-buildmode=pie", "-ldflags=-linkmode=external")
		checkGo(t, path, runtime.Version())
		assert.Equal(t, golang(t, path), golang(t, stripProgram(t, path)))
		t.Run("without sections", func(t *testing.T) {
			assert.Equal(t, golang(t, path), golang(t, withoutSections(t, path)))
		})
	})
	for other := range strings.FieldsSeq(os.Getenv(toolchainsVariable)) {
		toolchain, arch, _ := strings.Cut(other, "/")
		arch = cmp.Or(arch, runtime.GOARCH)
		t.Run(other, func(t *testing.T) {
			version := toolchain
			if toolchain == "local" {
				version = runtime.Version()
			}
			path := buildGo(t, toolchain, arch, nil)
			checkGo(t, path, version)
			assert.Equal(t, golang(t, path), golang(t, buildGo(t, toolchain, arch, nil, "-ldflags=-s -w")))
			checkGo(t, buildGo(t, toolchain, arch, nil, "-buildmode=pie"), version)
		})
	}
}

// withoutSections gives a copy that says it has no sections, which it does not need.
func withoutSections(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	clear(b[40:48]) // e_shoff
	clear(b[60:64]) // e_shnum, e_shstrndx
	bare := path + ".bare"
	require.NoError(t, os.WriteFile(bare, b, 0o600))
	return bare
}

// checkGo checks a program that has its symbols.
func checkGo(t *testing.T, path, version string) {
	t.Helper()
	l := golang(t, path)
	assert.Equal(t, version, l.Version)
	assert.Equal(t, symbol.None, l.Reason)
	offsets := fileOffsets(t, path)
	assert.Equal(t, []string{
		symbol.GoClose, symbol.GoCloseWrite, symbol.GoRead, symbol.GoWrite,
		symbol.GoClientHandshake, symbol.GoHandshake, symbol.GoServerHandshake, symbol.GoWriteRecord,
	}, names(&l))
	for _, f := range l.Functions {
		want, ok := offsets[f.Name]
		if !ok {
			want = offsets["crypto/tls.(*Conn).Handshake"]
		}
		assert.Equal(t, want, f.Offset, f.Name)
		assert.Equal(t, noReturns[f.Name], len(f.Returns) == 0, f.Name)
	}
	require.NotNil(t, l.Go)
	checkGoLayout(t, path, l.Go)
}

var noReturns = map[string]bool{
	symbol.GoClientHandshake: true, symbol.GoServerHandshake: true, symbol.GoWriteRecord: true,
}

// checkGoLayout compares with DWARF, and with the itab that the linker made.
func checkGoLayout(t *testing.T, path string, layout *symbol.GoLayout) {
	t.Helper()
	f, err := elf.Open(path)
	require.NoError(t, err)
	defer f.Close()
	data, err := f.DWARF()
	require.NoError(t, err)
	structs := map[string]*dwarf.StructType{}
	for r := data.Reader(); ; {
		entry, err := r.Next()
		require.NoError(t, err)
		if entry == nil {
			break
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		if entry.Tag != dwarf.TagStructType || !wantedStructs[name] {
			continue
		}
		kind, err := data.Type(entry.Offset)
		require.NoError(t, err)
		structs[name], _ = kind.(*dwarf.StructType)
	}
	member := func(name, field string) uint32 {
		require.Contains(t, structs, name)
		for _, m := range structs[name].Field {
			if m.Name == field {
				return uint32(m.ByteOffset)
			}
		}
		t.Fatalf("%s has no %s", name, field)
		return 0
	}
	assert.Equal(t, member("crypto/tls.Conn", "conn"), layout.Conn)
	assert.Equal(t, member("net.TCPConn", "conn")+member("net.conn", "fd"), layout.FD)
	assert.Equal(t, member("net.netFD", "pfd")+member("internal/poll.FD", "Sysfd"), layout.Sysfd)

	symbols, err := f.Symbols()
	require.NoError(t, err)
	for _, s := range symbols {
		if strings.HasSuffix(s.Name, "itab.*net.TCPConn,net.Conn") {
			section := f.Sections[s.Section]
			var hash [4]byte
			_, err := section.ReadAt(hash[:], int64(s.Value-section.Addr+symbol.ItabHash))
			require.NoError(t, err)
			assert.Equal(t, binary.LittleEndian.Uint32(hash[:]), layout.TCPConnHash)
			return
		}
	}
	t.Error("no itab of *net.TCPConn")
}

var wantedStructs = map[string]bool{
	"crypto/tls.Conn": true, "net.TCPConn": true, "net.conn": true, "net.netFD": true, "internal/poll.FD": true,
}

var objdumpReturn = regexp.MustCompile(`(?m)^\s*([0-9a-f]+):\s+ret\b`)

// checkReturns compares returns with what objdump finds in the same functions.
func checkReturns(t *testing.T, path string, functions []symbol.Function) {
	t.Helper()
	f, err := elf.Open(path)
	require.NoError(t, err)
	defer f.Close()
	text := f.Section(".text")
	symbols, err := f.Symbols()
	require.NoError(t, err)
	for _, fn := range functions {
		for _, s := range symbols {
			if s.Name != fn.Name || noReturns[fn.Name] {
				continue
			}
			out, err := exec.CommandContext(t.Context(), "objdump", "-d", "--no-show-raw-insn",
				"--start-address="+strconv.FormatUint(s.Value, 10), "--stop-address="+strconv.FormatUint(s.Value+s.Size, 10), path).Output()
			require.NoError(t, err)
			var want []uint64
			for _, match := range objdumpReturn.FindAllStringSubmatch(string(out), -1) {
				address, err := strconv.ParseUint(match[1], 16, 64)
				require.NoError(t, err)
				want = append(want, address-text.Addr+text.Offset)
			}
			assert.NotEmpty(t, want, fn.Name)
			assert.Equal(t, want, fn.Returns, fn.Name)
		}
	}
}

var (
	objdumpMove   = regexp.MustCompile(`(?m)^\s*([0-9a-f]+):\s+call\s+[0-9a-f]+ <runtime\.memmove>`)
	objdumpRecord = regexp.MustCompile(`(?m)^.*call\s+[0-9a-f]+ <crypto/tls\.\(\*Conn\)\.writeRecordLocked>\n(?:.*:\s+[^jc].*\n|.*:\s+cmp.*\n)*\s*([0-9a-f]+):`)
)

// checkPlaces compares with what objdump finds where Read calls memmove, and the first jumps
// and calls behind those by which Write calls writeRecordLocked.
func checkPlaces(t *testing.T, path string, functions []symbol.Function) {
	t.Helper()
	f, err := elf.Open(path)
	require.NoError(t, err)
	defer f.Close()
	find := func(name string, what *regexp.Regexp) (all []uint64) {
		out, err := exec.CommandContext(t.Context(), "objdump", "-d", "--no-show-raw-insn", "--disassemble="+name, path).Output()
		require.NoError(t, err)
		for _, match := range what.FindAllStringSubmatch(string(out), -1) {
			address, err := strconv.ParseUint(match[1], 16, 64)
			require.NoError(t, err)
			all = append(all, address-f.Section(".text").Addr+f.Section(".text").Offset)
		}
		return all
	}
	for _, fn := range functions {
		var sent, copies []uint64
		if fn.Copy != 0 {
			copies = []uint64{fn.Copy}
		}
		if f.Machine == elf.EM_X86_64 && fn.Name == symbol.GoRead {
			assert.Len(t, copies, 1)
			assert.Equal(t, find(fn.Name, objdumpMove), copies)
		} else {
			assert.Empty(t, copies, fn.Name)
		}
		if f.Machine == elf.EM_X86_64 && fn.Name == symbol.GoWrite {
			sent = find(fn.Name, objdumpRecord)
			assert.Len(t, sent, 2)
		}
		assert.Equal(t, sent, fn.Sent, fn.Name)
	}
}

// TestGoWithoutTLS looks at a Go program that has no crypto/tls.
func TestGoWithoutTLS(t *testing.T) {
	gofmt, err := exec.LookPath("gofmt")
	require.NoError(t, err)
	assert.Equal(t, symbol.NoLibrary, inspect(t, gofmt).Reason)
}
