// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// patched is a real file of which some bytes are other ones.
type patched struct {
	io.ReaderAt
	bytes map[int64]byte
	read  int64
}

func (p *patched) ReadAt(b []byte, offset int64) (int, error) {
	n, err := p.ReaderAt.ReadAt(b, offset)
	p.read += int64(n)
	for i := range b[:n] {
		if c, ok := p.bytes[offset+int64(i)]; ok {
			b[i] = c
		}
	}
	return n, err
}

// regions are the places in a file that are interpreted: where they begin and end.
func regions(tb testing.TB, path string) [][2]int64 {
	tb.Helper()
	f, err := os.Open(path)
	require.NoError(tb, err)
	defer f.Close()
	var header [64]byte
	_, err = f.ReadAt(header[:], 0)
	require.NoError(tb, err)
	sections := int64(binary.LittleEndian.Uint64(header[40:]))
	n := int64(binary.LittleEndian.Uint16(header[60:]))
	all := [][2]int64{{0, 64 + 56*12}, {sections, sections + 64*n}}
	b := make([]byte, 64*n)
	_, err = f.ReadAt(b, sections)
	require.NoError(tb, err)
	for ; len(b) > 0; b = b[64:] {
		if binary.LittleEndian.Uint32(b[4:]) == 8 { // SHT_NOBITS
			continue
		}
		begin, size := int64(binary.LittleEndian.Uint64(b[24:])), int64(binary.LittleEndian.Uint64(b[32:]))
		all = append(all, [2]int64{begin, begin + size})
	}
	return all
}

// FuzzInspect changes bytes of real files, six bytes of input for one: which region,
// where in it, what.
func FuzzInspect(f *testing.F) {
	var files [][]byte
	var places [][][2]int64
	for _, path := range []string{library(f, "libssl.so.3"), library(f, "libssl3.so"), library(f, "libgnutls.so.30"), program(f, "gofmt")} {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		files, places = append(files, b), append(places, regions(f, path))
	}
	for i := range files {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{0, 0, 0, 0, 16, 0xff, 1, 0, 0, 0, 24, 0xff})
		f.Add(uint8(i), []byte{7, 0, 0, 0, 0, 0xff, 7, 0, 0, 0, 4, 0x80, 5, 0, 0, 0, 9, 1})
	}
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		i := int(which) % len(files)
		p := &patched{ReaderAt: bytes.NewReader(files[i]), bytes: map[int64]byte{}}
		for ; len(changes) >= 6; changes = changes[6:] {
			region := places[i][int(changes[0])%len(places[i])]
			at := int64(binary.BigEndian.Uint32(changes[1:]))
			p.bytes[region[0]+at%max(region[1]-region[0], 1)] = changes[5]
		}
		img, err := symbol.Inspect(p, int64(len(files[i])))
		require.NoError(t, err)
		checkImage(t, img, uint64(len(files[i])))
		assert.LessOrEqual(t, p.read, int64(4<<20+2*len(files[i])))
	})
}

// FuzzBytes takes the input as the file.
func FuzzBytes(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	head, err := os.ReadFile(library(f, "libnspr4.so"))
	require.NoError(f, err)
	f.Add(head[:4096])
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := symbol.Inspect(bytes.NewReader(b), int64(len(b)))
		require.NoError(t, err)
		checkImage(t, img, uint64(len(b)))
	})
}

// checkImage checks what holds for any file.
func checkImage(t *testing.T, img *symbol.Image, size uint64) {
	t.Helper()
	found := false
	for i := range img.Libraries {
		l := &img.Libraries[i]
		found = found || len(l.Functions) > 0 || l.Kind == symbol.NSPR
		for _, f := range l.Functions {
			assert.Less(t, f.Offset, size, f.Name)
			assert.NotZero(t, f.Offset, f.Name)
			assert.True(t, slices.IsSorted(f.Returns))
			for _, at := range f.Returns {
				assert.Less(t, at, size, f.Name)
				assert.GreaterOrEqual(t, at, f.Offset, f.Name)
			}
		}
	}
	if !found {
		assert.NotEqual(t, symbol.None, img.Reason)
	}
	assert.NotPanics(t, func() { _ = img.Reason.String() })
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, os.ErrPermission }

func TestReadErrors(t *testing.T) {
	_, err := symbol.Inspect(failing{}, math.MaxInt64)
	require.ErrorIs(t, err, os.ErrPermission)

	// A file that becomes shorter while it is read.
	b, err := os.ReadFile(library(t, "libssl.so.3"))
	require.NoError(t, err)
	_, err = symbol.Inspect(bytes.NewReader(b[:len(b)/2]), int64(len(b)))
	require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), err)
}

// TestMachine refuses what is not for these machines.
func TestMachine(t *testing.T) {
	b, err := os.ReadFile(library(t, "libssl.so.3"))
	require.NoError(t, err)
	for at, value := range map[int]byte{4: 1, 5: 2, 18: 243} { // 32 bits, big-endian, RISC-V
		changed := bytes.Clone(b)
		changed[at] = value
		img, err := symbol.Inspect(bytes.NewReader(changed), int64(len(changed)))
		require.NoError(t, err)
		assert.Equal(t, symbol.UnsupportedMachine, img.Reason, at)
	}
}
