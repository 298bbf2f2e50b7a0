// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCachedLibraries(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, os.WriteFile(cache, []byte("glibc-ld.so.cache1.1\x00\x01\x02libssl.so.3\x00/opt/lib/libssl.so.3\x00"+
		"/opt/lib/libc.so.6\x00/opt/lib/libgnutls.so.30\x00/"), 0o600))
	assert.Equal(t, []string{"/opt/lib/libssl.so.3", "/opt/lib/libgnutls.so.30"}, cachedLibraries(cache))
	assert.Empty(t, cachedLibraries(cache+".none"))
}

func TestInstalledLibraries(t *testing.T) {
	all := installedLibraries()
	assert.LessOrEqual(t, len(all), maxLibraries)
	for _, path := range all {
		assert.True(t, isLibraryName(path), path)
	}
}
