// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseMaps(t *testing.T) {
	all, err := parseMaps(strings.NewReader(`
55d0c0000000-55d0c0001000 r--p 00000000 fe:00 11                         /usr/bin/curl
55d0c0001000-55d0c0002000 r-xp 00001000 fe:00 11                         /usr/bin/curl
7f0000000000-7f0000001000 rw-p 00000000 00:00 0                          [heap]
7f0000001000-7f0000002000 r-xp 00000000 fe:00 12                         /usr/lib/lib ssl.so.3 (deleted)
7f0000003000-7f0000004000 r-xp 00002000 fe:00 12                         /usr/lib/lib ssl.so.3 (deleted)
7f0000005000-7f0000006000 r-xp 00000000 00:00 0                          [vdso]
7f0000006000-7f0000007000 rwxp 00000000 00:00 0 
7f0000008000-7f0000009000 r-xp 00000000 00:05 0                          /dev/zero
bad line
`))
	require.NoError(t, err)
	assert.Equal(t, []mapping{
		{key: "fe:00:11:/usr/bin/curl", span: "55d0c0001000-55d0c0002000", path: "/usr/bin/curl", inode: 11},
		{key: "fe:00:12:/usr/lib/lib ssl.so.3 (deleted)", span: "7f0000001000-7f0000002000", path: "/usr/lib/lib ssl.so.3 (deleted)", inode: 12},
	}, all)
}

func TestMappingsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 2 * maxMappings {
		b.WriteString("1000-2000 r-xp 00000000 fe:00 1 /lib/" + strings.Repeat("x", i+1) + "\n")
	}
	all, err := parseMaps(strings.NewReader(b.String()))
	require.NoError(t, err)
	assert.Len(t, all, maxMappings)
}

// Of this process, what is mapped can be opened and is what /proc says.
func TestOwnMappings(t *testing.T) {
	all, err := mappings(os.Getpid())
	require.NoError(t, err)
	require.NotEmpty(t, all)
	exe, err := os.Stat("/proc/self/exe")
	require.NoError(t, err)
	want, err := identify(exe)
	require.NoError(t, err)
	f, err := all[0].open(os.Getpid())
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	got, err := identify(info)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	head := make([]byte, 4)
	_, err = io.ReadFull(f, head)
	require.NoError(t, err)
	assert.Equal(t, "\x7fELF", string(head))
}

func TestReplacedFileIsNotOpened(t *testing.T) {
	m := mapping{span: "0-1", path: "/etc/passwd", inode: 1<<64 - 1}
	_, err := m.open(os.Getpid())
	assert.ErrorContains(t, err, "was replaced")
}

func TestIdentifyOnlyFiles(t *testing.T) {
	info, err := os.Stat(t.TempDir())
	require.NoError(t, err)
	_, err = identify(info)
	assert.ErrorIs(t, err, os.ErrInvalid)
}

func FuzzMaps(f *testing.F) {
	own, err := os.ReadFile("/proc/self/maps")
	require.NoError(f, err)
	f.Add(string(own))
	f.Fuzz(func(t *testing.T, s string) {
		all, _ := parseMaps(strings.NewReader(s))
		assert.LessOrEqual(t, len(all), maxMappings)
		for _, m := range all {
			assert.NotZero(t, m.inode)
			assert.Equal(t, byte('/'), m.path[0])
		}
	})
}
