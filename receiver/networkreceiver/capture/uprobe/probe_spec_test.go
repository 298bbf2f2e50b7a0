// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

func TestCookie(t *testing.T) {
	assert.Equal(t, uint64(0x0044_0033_0022_01_31),
		probeSpec{operation: write, outcome: stores5, way: waySSL, a: 0x22, b: 0x33, c: 0x44}.cookie())
	assert.Equal(t, uint64(0x02), probeSpec{operation: read, way: waySSL, a: 1 << 16}.cookie(), "does not fit")
}

func TestPointsOfOpenSSL(t *testing.T) {
	l := &symbol.Library{
		Kind: symbol.OpenSSL, SSL: &symbol.SSLLayout{RBIO: 0x10, WBIO: 0x18, Method: 8, Num: 0x38},
		Functions: []symbol.Function{
			{Name: symbol.SSLFree, Offset: 1},
			{Name: symbol.SSLPeek, Offset: 2},
			{Name: symbol.SSLReadEx, Offset: 3},
			{Name: symbol.SSLWrite, Offset: 4},
		},
	}
	assert.Equal(t, []point{
		{libraryForget, 1, 0},
		{libraryEnter, 3, 0x0038_0008_0010_01_22},
		{libraryReturn, 3, 0x0038_0008_0010_01_22},
		{libraryEnter, 4, 0x0038_0008_0018_01_01},
		{libraryReturn, 4, 0x0038_0008_0018_01_01},
	}, points(l))
}

func TestPointsOfLibreSSL(t *testing.T) {
	l := &symbol.Library{Kind: symbol.LibreSSL, Functions: []symbol.Function{{Name: symbol.SSLConnect, Offset: 1}}}
	assert.Equal(t, []point{{libraryEnter, 1, 0}, {libraryReturn, 1, 0}}, points(l))
	l.Kind = symbol.OpenSSL
	assert.Empty(t, points(l), "leads to SSL_do_handshake")
}

func TestPointsOfGo(t *testing.T) {
	l := &symbol.Library{
		Kind: symbol.Go, Go: &symbol.GoLayout{RegisterABI: true, Sysfd: 16, TCPConnHash: 0x1234},
		Functions: []symbol.Function{
			{Name: symbol.GoClose, Offset: 1, Returns: []uint64{2}},
			{Name: symbol.GoRead, Offset: 3, Returns: []uint64{4, 5}},
			{Name: symbol.GoServerHandshake, Offset: 7},
			{Name: symbol.GoWrite, Offset: 6},
			{Name: goRecord, Offset: 8, Returns: []uint64{9}},
			{Name: goCopy, Offset: 10},
		},
	}
	const way = 0x0000_1234_1000_03_00
	assert.Equal(t, []point{
		{goEnter, 3, way | uint64(goRegisters<<4|read)},
		{goReturn, 4, way | uint64(goRegisters<<4|read)},
		{goReturn, 5, way | uint64(goRegisters<<4|read)},
		{goHandshake, 7, way | uint64(goRegisters<<4)},
		{goEnter, 8, way | uint64(goRecords<<4|write)},
		{goReturn, 9, way | uint64(goRecords<<4|write)},
		{goCopies, 10, way | uint64(goRegisters<<4|read)},
	}, points(l), "a function whose returns are not known is left out")
	l.Go.RegisterABI = false
	assert.Equal(t, way|uint64(goStack<<4|read), points(l)[0].cookie)
	l.Go = nil
	assert.Empty(t, points(l))
}
