// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"bytes"
	"crypto/md5" //nolint:gosec // what compilers use to hash types, not to protect anything
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// The block that the linker leaves for `go version` (debug/buildinfo).
const (
	buildInfoMagic  = "\xff Go buildinf:"
	buildInfoSize   = 32 // of its header
	buildInfoAlign  = 16
	buildInfoInline = 2       // flag: the strings follow the header
	maxBuildInfo    = 1 << 20 // bytes of data in which it is looked for, without sections
)

// maxGoVersion bounds the version's name, which may have the names of experiments.
const maxGoVersion = 256

// goFunctions are the wanted functions by their name in the program.
var goFunctions = map[string]string{
	GoWrite:                        GoWrite,
	GoRead:                         GoRead,
	GoHandshake:                    GoHandshake,
	"crypto/tls.(*Conn).Handshake": GoHandshake,
	GoClientHandshake:              GoClientHandshake,
	GoServerHandshake:              GoServerHandshake,
	GoClose:                        GoClose,
	GoCloseWrite:                   GoCloseWrite,
	GoWriteRecord:                  GoWriteRecord,
	goMove:                         "",
}

const goMove = "runtime.memmove"

// findGo looks for a Go program. It gives nil for what is none, or is one without
// crypto/tls.
func findGo(f *file) (*Library, error) {
	at, err := f.buildInfo()
	if err != nil || at == 0 {
		return nil, err
	}
	l := &Library{Kind: Go}
	if l.Version, err = f.goVersion(at); err != nil {
		return nil, err
	}
	switch err := l.addGoFunctions(f); {
	case errors.Is(err, errNoTable):
		l.Reason = Stripped
		return l, nil
	case errors.Is(err, errInstruction):
		l.Reason = UnsupportedVersion
	case err != nil:
		return nil, err
	case len(l.Functions) == 0:
		return nil, nil
	}
	if l.Go = goLayout(f.machine(), l.Version); l.Go == nil {
		l.Reason = UnsupportedVersion
	}
	return l, nil
}

func (l *Library) addGoFunctions(f *file) error {
	table, err := findFunctionTable(f)
	if err != nil {
		return err
	}
	found, err := table.functions(goFunctions)
	if err != nil {
		return err
	}
	// Before 1.17, there is no handshakeContext; since then, Handshake calls it.
	modern := slices.ContainsFunc(found, func(g goFunction) bool { return g.name == GoHandshake })
	callees := map[string][]uint64{} // one for each calling convention
	for _, g := range found {
		callees[g.name] = append(callees[g.name], f.code(g.entry))
	}
	var failed error
	for _, g := range found {
		name := goFunctions[g.name]
		offset := f.code(g.entry)
		if name == "" || offset == 0 || g.end <= g.entry || (name != g.name && modern) {
			continue
		}
		if name == GoClientHandshake || name == GoServerHandshake || name == GoWriteRecord {
			l.Functions = append(l.Functions, Function{Name: name, Offset: offset})
			continue
		}
		returns, err := f.returns(offset, g.end-g.entry)
		if err != nil {
			failed = err
			continue
		}
		fn := Function{Name: name, Offset: offset, Returns: returns}
		if err := fn.follow(f, g.end-g.entry, callees); err != nil {
			return err
		}
		l.Functions = append(l.Functions, fn)
	}
	l.sort()
	return failed
}

// follow adds where Read and Write, which have n bytes, are done with their data.
func (fn *Function) follow(f *file, n uint64, callees map[string][]uint64) error {
	if (fn.Name != GoRead && fn.Name != GoWrite) || f.machine() != elf.EM_X86_64 {
		return nil
	}
	code, err := f.steps(fn.Offset, n)
	if err != nil {
		return err
	}
	if record := callees[GoWriteRecord]; fn.Name == GoWrite && len(record) == 1 {
		fn.Sent = behind(code, record[0])
	} else if fn.Name == GoRead {
		fn.Copy = copyIn(code, callees[goMove])
	}
	return nil
}

// buildInfo gives the file offset of the block, 0 if there is none.
func (f *file) buildInfo() (uint64, error) {
	if s, ok := f.section(".go.buildinfo"); ok {
		return f.findBuildInfo(s.Off, min(s.Size, maxBuildInfo))
	}
	if len(f.sections) > 0 {
		return 0, nil
	}
	for _, p := range f.progs {
		if elf.ProgType(p.Type) == elf.PT_LOAD && elf.ProgFlag(p.Flags)&(elf.PF_X|elf.PF_W) == elf.PF_W {
			return f.findBuildInfo(p.Off, min(p.Filesz, maxBuildInfo))
		}
	}
	return 0, nil
}

func (f *file) findBuildInfo(offset, n uint64) (uint64, error) {
	b, err := f.bytes(offset, n)
	if err != nil {
		return 0, err
	}
	for i := 0; ; i += buildInfoAlign {
		next := bytes.Index(b[i:], []byte(buildInfoMagic))
		if next < 0 || len(b)-i-next < buildInfoSize {
			return 0, nil
		}
		if i += next; i%buildInfoAlign == 0 {
			return offset + uint64(i), nil
		}
		i -= i % buildInfoAlign
	}
}

// goVersion reads the version, nothing if it is not told. Before Go 1.18 the block
// has a pointer to a string, which is a pointer and a length.
func (f *file) goVersion(at uint64) (string, error) {
	header, err := f.bytes(at, buildInfoSize)
	if err != nil {
		return "", err
	}
	if header[15]&buildInfoInline != 0 {
		b, err := f.bytes(at+buildInfoSize, min(maxGoVersion, f.size-at-buildInfoSize))
		if err != nil {
			return "", err
		}
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return "", nil
		}
		return string(b[used : used+int(n)]), nil
	}
	return f.stringBehind(binary.LittleEndian.Uint64(header[16:]))
}

// stringBehind reads the Go string whose header is at an address.
func (f *file) stringBehind(address uint64) (string, error) {
	offset, follow, ok := f.offset(address, elf.PF_R)
	if !ok || follow < 16 {
		return "", nil
	}
	data, err := f.uint64(offset)
	if err != nil {
		return "", err
	}
	n, err := f.uint64(offset + 8)
	if err != nil {
		return "", err
	}
	offset, follow, ok = f.offset(data, elf.PF_R)
	if !ok || n > min(follow, maxGoVersion) {
		return "", nil
	}
	b, err := f.bytes(offset, n)
	return string(b), err
}

// goLayout gives nil for versions that are not known (before 1.15). Its offsets have been the same
// in all of them: conn is the first member of tls.Conn, fd the only one of net.conn
// and so of net.TCPConn, pfd the first one of net.netFD; poll.FD begins with a lock
// of 16 bytes, then has Sysfd.
func goLayout(machine elf.Machine, version string) *GoLayout {
	number, ok := strings.CutPrefix(version, "go")
	if !ok || compareVersions(number, "1.15") < 0 {
		return nil
	}
	registers := "1.17"
	if machine == elf.EM_AARCH64 {
		registers = "1.18"
	}
	layout := &GoLayout{Conn: 0, FD: 0, Sysfd: 16, TCPConnHash: goTypeHash("*net.TCPConn", number)}
	layout.RegisterABI = compareVersions(number, registers) >= 0
	if !layout.RegisterABI && machine == elf.EM_X86_64 {
		layout.GoroutineTLS = -8
	}
	return layout
}

// goTypeHash computes what the compiler has as the hash of a type (cmd/compile,
// types.TypeHash): 4 bytes of a hash of its name, which ones depends on the version.
func goTypeHash(name, version string) uint32 {
	sum := sha256.Sum256([]byte(name))
	switch {
	case compareVersions(version, "1.19") < 0:
		old := md5.Sum([]byte(name)) //nolint:gosec // likewise
		return binary.LittleEndian.Uint32(old[:])
	case compareVersions(version, "1.24") < 0:
		return ^binary.LittleEndian.Uint32(sum[:])
	case compareVersions(version, "1.25") < 0:
		return binary.LittleEndian.Uint32(sum[8:])
	default:
		return binary.LittleEndian.Uint32(sum[:]) ^ 0xff
	}
}
