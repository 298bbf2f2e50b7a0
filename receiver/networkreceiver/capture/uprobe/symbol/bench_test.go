// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// BenchmarkInspect is what a new executable costs, once: a library, a program of
// 100 MB with a symbol table, and a Go program.
func BenchmarkInspect(b *testing.B) {
	self, err := os.Executable()
	require.NoError(b, err)
	for _, file := range []struct{ name, path string }{
		{"libssl", library(b, "libssl.so.3")},
		{"libgnutls", library(b, "libgnutls.so.30")},
		{"libssl3", library(b, "libssl3.so")},
		{"libc", library(b, "libc.so.6")},
		{"node", program(b, "node")},
		{"go", self},
	} {
		b.Run(file.name, func(b *testing.B) {
			f, err := os.Open(file.path)
			require.NoError(b, err)
			defer f.Close()
			info, err := f.Stat()
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := symbol.Inspect(f, info.Size()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
