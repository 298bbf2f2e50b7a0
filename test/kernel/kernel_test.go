// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	for _, tt := range []struct {
		name, console, shown string
		want                 report
	}{
		{"passed", "[ 1.0] noise\r\nsmoke: ok    loads\r\nsmoke: end\r\n", "  ok    loads\n", report{ended: true}},
		{"failed", "smoke: FAIL  loads: refused\nsmoke: end\n", "  FAIL  loads: refused\n", report{failed: true, ended: true}},
		{"behind a message", "\x1b[0msmoke: FAIL  x\n", "  FAIL  x\n", report{failed: true}},
		{"panic", "smoke: ok    loads\nKernel panic\n", "  ok    loads\n", report{}},
		{"nothing", "", "", report{}},
		{"a line without end", strings.Repeat("x", 1<<20), "", report{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var shown bytes.Buffer
			assert.Equal(t, tt.want, readReport(strings.NewReader(tt.console), &shown))
			assert.Equal(t, tt.shown, shown.String())
		})
	}
}

// A report that says nothing of failures is not enough.
func TestFollow(t *testing.T) {
	for _, tt := range []struct {
		script string
		want   bool
	}{
		{"echo smoke: ok; echo smoke: end", true},
		{"echo smoke: ok", false},
		{"echo smoke: FAIL; echo smoke: end", false},
		{"echo smoke: end; exit 1", false},
	} {
		ok, err := follow(exec.CommandContext(t.Context(), "sh", "-c", tt.script), filepath.Join(t.TempDir(), "log"))
		require.NoError(t, err)
		assert.Equal(t, tt.want, ok, tt.script)
	}
}

// cpio is not on every machine, but busybox, which the smoke test needs, has it.
func TestInitramfs(t *testing.T) {
	payload, out := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(payload, "smoke"), []byte("12345"), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(payload, "smoke"), filepath.Join(payload, "linked")))
	path := filepath.Join(t.TempDir(), "initramfs.cpio")
	require.NoError(t, writeInitramfs(path, payload))
	archive, err := os.Open(path)
	require.NoError(t, err)
	defer archive.Close()
	c := exec.CommandContext(t.Context(), "busybox", "cpio", "-id", "init", "payload/*")
	c.Dir, c.Stdin = out, archive
	text, err := c.CombinedOutput()
	require.NoError(t, err, string(text))
	for _, name := range []string{"init", "payload/smoke", "payload/linked"} {
		b, err := os.ReadFile(filepath.Join(out, name))
		require.NoError(t, err)
		assert.Equal(t, "12345", string(b), name)
	}
}

func TestNewestOfNames(t *testing.T) {
	names := []string{"linux-image-6.12.9+deb12-cloud-amd64", "linux-image-6.12.117+deb12-cloud-amd64", "linux-image-6.12.41+deb13-cloud-amd64"}
	assert.Equal(t, names[1], slices.MaxFunc(names, func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) }))
}

func TestFindImage(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range []string{"./boot/config-6.1", "./boot/vmlinuz-6.1"} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(name)), Mode: 0o644}))
		_, err := w.Write([]byte(name))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	image := filepath.Join(t.TempDir(), "vmlinuz")
	require.NoError(t, findImage(tar.NewReader(bytes.NewReader(b.Bytes())), image))
	content, err := os.ReadFile(image)
	require.NoError(t, err)
	assert.Equal(t, "./boot/vmlinuz-6.1", string(content))
	require.Error(t, findImage(tar.NewReader(bytes.NewReader(nil)), image))
}
