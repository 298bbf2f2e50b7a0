// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// The beginnings of four functions, each of 16 bytes: sub rsp; call 0x20, twice, then one
// that begins with push r13, and one that begins with test.
const someCode = `
4883ec18 e817000000 c3 909090909090
4883ec08 e807000000 c3 909090909090
4155 4154 90909090 9090909090909090
4885ff 90 90909090 9090909090909090`

func someLibrary(t *testing.T) (*bytes.Reader, symbol.Library) {
	t.Helper()
	code, err := hex.DecodeString(strings.Join(strings.Fields(someCode), ""))
	require.NoError(t, err)
	return bytes.NewReader(code), symbol.Library{Kind: symbol.OpenSSL, Functions: []symbol.Function{
		{Name: symbol.SSLFree, Offset: 0x30}, {Name: symbol.SSLRead, Offset: 0}, {Name: symbol.SSLReadEx, Offset: 0x10},
	}}
}

func TestCheaperFunctions(t *testing.T) {
	r, l := someLibrary(t)
	before := l.Functions
	got := cheapened(r, elf.EM_X86_64, l)
	assert.Equal(t, []symbol.Function{{Name: symbol.SSLFree, Offset: 0x30}, {Name: readInternal, Offset: 0x20}}, got.Functions)
	assert.Equal(t, symbol.SSLRead, before[1].Name, "an image is shared")
	const stored = uint64(stores4<<4 | read)
	assert.Equal(t, []point{{libraryForget, 0x30, 0}, {libraryEnter, 0x20, stored}, {libraryReturn, 0x20, stored}}, points(&got))
}

func TestFunctionsStayWhereNothingIsCheaper(t *testing.T) {
	r, l := someLibrary(t)
	for name, change := range map[string]func(){
		"one of them":     func() { l.Functions = l.Functions[:2] },
		"ambiguous":       func() { l.Functions = append(l.Functions, l.Functions[1]) },
		"no call":         func() { l.Functions[2].Offset = 0x30 },
		"beyond the file": func() { l.Functions[2].Offset = 0x1000 },
		"BoringSSL":       func() { l.Kind = symbol.BoringSSL },
	} {
		t.Run(name, func(t *testing.T) {
			r, l = someLibrary(t)
			change()
			assert.Equal(t, l.Functions, cheapened(r, elf.EM_X86_64, l).Functions)
		})
	}
	r, l = someLibrary(t)
	assert.Equal(t, l.Functions, cheapened(r, elf.EM_AARCH64, l).Functions)
}

// How functions of Go 1.26 begin with a small and a large frame, without a look at the
// stack, and how one of Go 1.20 does, which makes room for its frame at once.
const goCode = `
493b6610 7620 55 4889e5 909090909090
4c8d6424c0 4d3b6610 7615 55 4889e5 90
55 4889e5 909090909090909090909090
493b6610 7620 4883ec18 909090909090`

func TestCheaperBeginningsInGo(t *testing.T) {
	code, err := hex.DecodeString(strings.Join(strings.Fields(goCode), ""))
	require.NoError(t, err)
	l := symbol.Library{Kind: symbol.Go, Functions: []symbol.Function{{Offset: 0}, {Offset: 16}, {Offset: 32}, {Offset: 48}, {Offset: 1000}}}
	got := cheapened(bytes.NewReader(code), elf.EM_X86_64, l)
	assert.Equal(t, []symbol.Function{{Offset: 6}, {Offset: 27}, {Offset: 32}, {Offset: 48}, {Offset: 1000}}, got.Functions)
	assert.Equal(t, l.Functions, cheapened(bytes.NewReader(code), elf.EM_AARCH64, l).Functions)
}

func TestNoProbesOnReturnsInGo(t *testing.T) {
	code, err := hex.DecodeString(strings.Join(strings.Fields(goCode), ""))
	require.NoError(t, err)
	functions := []symbol.Function{
		{Name: symbol.GoRead, Offset: 0, Returns: []uint64{1}, Copy: 40},
		{Name: symbol.GoWrite, Offset: 0, Returns: []uint64{2}, Sent: []uint64{41}},
		{Name: symbol.GoWriteRecord, Offset: 16},
	}
	l := symbol.Library{Kind: symbol.Go, Functions: functions, Go: &symbol.GoLayout{RegisterABI: true}}
	got := func() []symbol.Function { return cheapened(bytes.NewReader(code), elf.EM_X86_64, l).Functions }
	assert.Equal(t, []symbol.Function{{Name: goCopy, Offset: 40}, {Name: goRecord, Offset: 27, Returns: []uint64{41}}}, got())

	l.Functions = slices.Clone(functions)
	l.Functions[0].Copy, l.Functions[2].Offset = 0, 48
	l.Functions[0].Offset, l.Functions[1].Offset = 48, 48
	assert.Equal(t, l.Functions, got(), "nothing is known of Read, and of what Write calls only how Go 1.20 had it")
	l.Functions[1].Sent, l.Functions[2].Offset = nil, 32
	assert.Equal(t, l.Functions, got(), "nor where Write is done")
	l.Functions, l.Go = slices.Clone(functions), &symbol.GoLayout{}
	l.Functions[0].Offset, l.Functions[1].Offset, l.Functions[2].Offset = 32, 32, 32
	assert.Equal(t, l.Functions, got(), "arguments on the stack")
}
