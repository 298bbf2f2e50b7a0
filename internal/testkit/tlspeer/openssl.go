// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tlspeer

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// OpenSSLWays are the ways in which the program of openssl/peer.c uses OpenSSL, which it
// describes.
var OpenSSLWays = []string{"plain", "ex", "peek", "partial", "retry", "renegotiate", "update", "early", "shutdown", "memory", "pair"}

// BoringSSLWays are those that BoringSSL has as well.
var BoringSSLWays = []string{"plain", "peek", "partial", "retry", "update", "shutdown"}

// OldBoringSSLWays are those that it had in 2019.
var OldBoringSSLWays = []string{"plain", "peek", "partial", "retry", "shutdown", "memory", "pair"}

// OpenSSL builds the program of openssl/peer.c.
func OpenSSL(t testing.TB) string {
	t.Helper()
	return buildPeer(t, "-lssl", "-lcrypto")
}

// BoringSSL builds it with Debian's copy of BoringSSL.
func BoringSSL(t testing.TB) string {
	t.Helper()
	libraries, err := filepath.Glob("/usr/lib/*/android/libssl.so")
	require.NoError(t, err)
	require.NotEmpty(t, libraries, "the package android-libboringssl-dev")
	dir := filepath.Dir(libraries[0])
	return buildPeer(t, "-I/usr/include/android", "-L"+dir, "-Wl,-rpath,"+dir, "-l:libssl.so", "-l:libcrypto.so")
}

func buildPeer(t testing.TB, arguments ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "peer")
	source := filepath.Join(testkit.Root(), "internal", "testkit", "tlspeer", "openssl", "peer.c")
	arguments = append([]string{"-O2", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o", path, source}, arguments...)
	out, err := exec.Command("gcc", arguments...).CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// OpenSSLBody is what that program answers when it is asked for so many bytes.
func OpenSSLBody(size int) []byte {
	b := make([]byte, size)
	x := uint64(size)
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = byte(x >> 56)
	}
	return b
}
