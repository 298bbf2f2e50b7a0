// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol_test

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// inspect inspects a file that has to be readable.
func inspect(tb testing.TB, path string) *symbol.Image {
	tb.Helper()
	f, err := os.Open(path)
	require.NoError(tb, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(tb, err)
	img, err := symbol.Inspect(f, info.Size())
	require.NoError(tb, err)
	return img
}

// library gives the path of a shared library of this machine.
func library(tb testing.TB, name string) string {
	tb.Helper()
	for _, pattern := range []string{"/usr/lib/*-linux-gnu/", "/lib/*-linux-gnu/", "/usr/lib64/"} {
		if found, _ := filepath.Glob(pattern + name); len(found) > 0 {
			return found[0]
		}
	}
	tb.Fatalf("no %s on this machine: see .ci/deps", name)
	return ""
}

func program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	require.NoError(tb, err)
	path, err = filepath.EvalSymlinks(path)
	require.NoError(tb, err)
	return path
}

// fileOffsets gives where in the file functions are, by debug/elf.
func fileOffsets(tb testing.TB, path string) map[string]uint64 {
	tb.Helper()
	f, err := elf.Open(path)
	require.NoError(tb, err)
	defer f.Close()
	symbols, _ := f.Symbols() // a stripped file has none
	exported, _ := f.DynamicSymbols()
	offsets := map[string]uint64{}
	for _, s := range append(symbols, exported...) {
		if elf.ST_TYPE(s.Info) != elf.STT_FUNC || int(s.Section) >= len(f.Sections) || s.Section == elf.SHN_UNDEF {
			continue
		}
		section := f.Sections[s.Section]
		offsets[s.Name] = s.Value - section.Addr + section.Offset
	}
	return offsets
}

func names(l *symbol.Library) []string {
	var all []string
	for _, f := range l.Functions {
		all = append(all, f.Name)
	}
	return all
}

// TestSymbols compares where functions are with what debug/elf says.
func TestSymbols(t *testing.T) {
	for _, tt := range []struct {
		path string
		kind symbol.Kind
		want []string
	}{
		{library(t, "libssl.so.3"), symbol.OpenSSL, []string{
			symbol.SSLAccept, symbol.SSLConnect, symbol.SSLDoHandshake, symbol.SSLFree, symbol.SSLPeek, symbol.SSLPeekEx,
			symbol.SSLRead, symbol.SSLReadEarlyData, symbol.SSLReadEx, symbol.SSLSendfile, symbol.SSLSetBIO, symbol.SSLSetFD,
			symbol.SSLShutdown, symbol.SSLWrite, symbol.SSLWriteEarlyData, symbol.SSLWriteEx,
		}},
		{library(t, "libgnutls.so.30"), symbol.GnuTLS, []string{
			symbol.GnuTLSBye, symbol.GnuTLSDeinit, symbol.GnuTLSHandshake, symbol.GnuTLSRecordRecv, symbol.GnuTLSRecordRecvSeq,
			symbol.GnuTLSRecordSend, symbol.GnuTLSRecordSend2, symbol.GnuTLSRecordSendFile, symbol.GnuTLSRecordUncork,
		}},
	} {
		t.Run(tt.kind.String(), func(t *testing.T) {
			img := inspect(t, tt.path)
			require.Len(t, img.Libraries, 1)
			l := &img.Libraries[0]
			assert.Equal(t, tt.kind, l.Kind)
			assert.Equal(t, symbol.None, img.Reason)
			assert.Equal(t, symbol.None, l.Reason)
			assert.Len(t, img.BuildID, 40)
			assert.Equal(t, tt.want, names(l))
			offsets := fileOffsets(t, tt.path)
			for _, f := range l.Functions {
				assert.Equal(t, offsets[f.Name], f.Offset, f.Name)
			}
		})
	}
}

// TestNode looks at OpenSSL in a program that has it linked statically, or, as
// distributions build it, uses the library.
func TestNode(t *testing.T) {
	path := program(t, "node")
	offsets := fileOffsets(t, path)
	img := inspect(t, path)
	if offsets["SSL_read"] == 0 {
		assert.Equal(t, symbol.NoLibrary, img.Reason)
		return
	}
	require.Len(t, img.Libraries, 1)
	l := &img.Libraries[0]
	assert.Equal(t, symbol.OpenSSL, l.Kind)
	version, err := exec.CommandContext(t.Context(), path, "-p", "process.versions.openssl.split('+')[0]").Output()
	require.NoError(t, err)
	assert.Equal(t, string(version), l.Version+"\n")
	for _, f := range l.Functions {
		assert.Equal(t, offsets[f.Name], f.Offset, f.Name)
	}
	assert.Contains(t, names(l), symbol.SSLWrite)
	assert.NotNil(t, l.SSL)
}

// TestNothing looks at files that have no TLS.
func TestNothing(t *testing.T) {
	for path, reason := range map[string]symbol.Reason{
		library(t, "libc.so.6"): symbol.NoLibrary,
		program(t, "true"):      symbol.NoLibrary,
		program(t, "curl"):      symbol.NoLibrary, // it uses a library
		"library_test.go":       symbol.Malformed,
		"/dev/null":             symbol.Malformed,
	} {
		img := inspect(t, path)
		assert.Equal(t, reason, img.Reason, path)
		assert.Empty(t, img.Libraries, path)
	}
}

// truth asks the libraries themselves, in a process that has loaded them, by the
// offsets that were found.
const truth = `
import ctypes, json, socket, sys
want = json.loads(sys.argv[1])
P, I = ctypes.c_void_p, ctypes.c_int
def at(address, kind): return ctypes.cast(address, ctypes.POINTER(kind))[0]
def call(f, *args):
    f.restype, f.argtypes = P, [P] * len(args)
    return f(*args)
def base(name):
    return min(int(l.split('-')[0], 16) for l in open('/proc/self/maps') if l.rstrip().endswith('/' + name))
got = {}

ssl = ctypes.CDLL('libssl.so.3')
o = want['ssl']
s = call(ssl.SSL_new, call(ssl.SSL_CTX_new, call(ssl.TLS_method)))
ssl.SSL_set_rfd(P(s), 71)
ssl.SSL_set_wfd(P(s), 72)
got['ssl'] = []
for bio in 'RBIO', 'WBIO':
    b = at(s + o[bio], P)
    got['ssl'] += [at(b + o['Num'], I), at(at(b + o['Method'], P), I)]

gnutls = ctypes.CDLL('libgnutls.so.30')
session = P()
gnutls.gnutls_init(ctypes.byref(session), 2)
gnutls.gnutls_transport_set_int2(session, 73, 74)
got['gnutls'] = [at(session.value + want['gnutls'][n], I) for n in ('RecvPointer', 'SendPointer')]

nspr, nss, ssl3 = (ctypes.CDLL(n) for n in ('libnspr4.so', 'libnss3.so', 'libssl3.so'))
nss.NSS_NoDB_Init(None)
fd = call(ssl3.SSL_ImportFD, None, call(nspr.PR_NewTCPSocket))
o = want['nspr']
low = fd
while at(low + o['Lower'], P): low = at(low + o['Lower'], P)
nspr.PR_FileDesc2NativeHandle.argtypes = [P]
got['nspr'] = [at(at(low + o['Secret'], P) + o['Descriptor'], I), nspr.PR_FileDesc2NativeHandle(fd)]
methods = at(fd, P)
order = {'ssl_Close': 1, 'ssl_Read': 2, 'ssl_Write': 3, 'ssl_Recv': 17, 'ssl_Send': 18} # prio.h
got['nss'] = {n: at(methods + 8 * i, P) - base('libssl3.so') for n, i in order.items()}
got['nss']['SSL_ForceHandshake'] = ctypes.cast(ssl3.SSL_ForceHandshake, P).value - base('libssl3.so')
json.dump(got, sys.stdout)
`

// TestLayoutsAreTrue reads descriptors from real objects at the offsets that were
// found, and the addresses of NSS's methods from its table.
func TestLayoutsAreTrue(t *testing.T) {
	openssl := inspect(t, library(t, "libssl.so.3")).Libraries[0]
	gnutls := inspect(t, library(t, "libgnutls.so.30")).Libraries[0]
	nss := inspect(t, library(t, "libssl3.so")).Libraries[0]
	nspr := inspect(t, library(t, "libnspr4.so")).Libraries[0]
	require.NotNil(t, openssl.SSL)
	require.NotNil(t, gnutls.GnuTLS)
	require.NotNil(t, nspr.NSPR)
	assert.Equal(t, symbol.NSS, nss.Kind)
	question, err := json.Marshal(map[string]any{"ssl": openssl.SSL, "gnutls": gnutls.GnuTLS, "nspr": nspr.NSPR})
	require.NoError(t, err)
	python := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", truth, string(question))
	python.Stderr = os.Stderr
	out, err := python.Output()
	require.NoError(t, err)
	var got struct {
		SSL, GnuTLS, NSPR []int
		NSS               map[string]uint64
	}
	require.NoError(t, json.Unmarshal(out, &got))

	const socketType = 5 | 0x0400 | symbol.BIOTypeDescriptor // BIO_TYPE_SOCKET
	assert.Equal(t, []int{71, socketType, 72, socketType}, got.SSL)
	assert.Equal(t, []int{73, 74}, got.GnuTLS)
	require.Len(t, got.NSPR, 2)
	assert.Equal(t, got.NSPR[1], got.NSPR[0])
	found := map[string]uint64{}
	for _, f := range nss.Functions {
		found[f.Name] = f.Offset // the library's segments are in place, so that this is its address
	}
	assert.Equal(t, got.NSS, found)
}
