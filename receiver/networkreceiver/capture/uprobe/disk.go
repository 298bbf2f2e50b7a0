// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// libraryNames are how files begin that have TLS libraries in them.
var libraryNames = []string{"libssl.so", "libssl-", "libssl3.so", "libgnutls.so"}

func isLibraryName(path string) bool {
	name := filepath.Base(path)
	return slices.ContainsFunc(libraryNames, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// isRuntime tells of files that run TLS as code of their own making: Java's.
func isRuntime(path string) bool {
	return filepath.Base(strings.TrimSuffix(path, " (deleted)")) == "libjvm.so"
}

// libraryDirs are where the dynamic linker looks that has no cache (ld.so(8), musl).
var libraryDirs = []string{
	"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64",
	"/lib/*-linux-gnu", "/usr/lib/*-linux-gnu",
}

const (
	linkerCache  = "/etc/ld.so.cache"
	maxCache     = 16 << 20
	maxLibraries = 64
)

// installedLibraries lists libraries that programs will find which start later.
func installedLibraries() []string {
	found := cachedLibraries(linkerCache)
	for _, dir := range libraryDirs {
		for _, name := range libraryNames {
			matches, _ := filepath.Glob(filepath.Join(dir, name+"*")) // the patterns are right
			found = append(found, matches...)
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	return found[:min(len(found), maxLibraries)]
}

// cachedLibraries takes the paths in the cache of ldconfig(8), which are strings in
// it whatever its format.
func cachedLibraries(cache string) []string {
	f, err := os.Open(cache)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCache))
	if err != nil {
		return nil
	}
	var found []string
	for s := range bytes.SplitSeq(b, []byte{0}) {
		if len(s) > 0 && s[0] == '/' && isLibraryName(string(s)) {
			found = append(found, string(s))
		}
	}
	return found
}
