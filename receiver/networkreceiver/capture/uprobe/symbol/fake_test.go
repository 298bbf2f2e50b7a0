// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// What is not on this machine is built from sources that have the functions which
// are looked for, and structs with members at places of their own.
const (
	fakeSSL = `
struct method { int type; };
struct bio { long a; struct method *method; int b, retry, num; };
struct ssl { int version; long b[3]; struct bio *rbio, *wbio, *bbio; };
int SSL_read(struct ssl *s) { return s->version; }
int SSL_write(struct ssl *s) { return s->version + 1; }
int my_SSL_do_handshake(struct ssl *s) { return s->version + 2; } /* its end is another's name */
int SSL_do_handshake(struct ssl *s) { return s->version + 3; }
struct bio *BIO_next(struct bio *b) { return b; }
struct bio *SSL_get_rbio(struct ssl *s) { return s->rbio; }
struct bio *SSL_get_wbio(struct ssl *s) { return s->bbio ? BIO_next(s->bbio) : s->wbio; }
`
	fakeBIO = `
int BIO_get_retry_reason(struct bio *b) { return b->retry; }
int BIO_method_type(struct bio *b) { return b->method->type; }
`
	version111   = "unsigned long OpenSSL_version_num(void) { return 0x1010117fL; }\n"
	version102   = "unsigned long SSLeay(void) { return 0x1000215fL; }\n"
	version35    = "unsigned long OpenSSL_version_num(void) { return 0x30500010L; }\n"
	isBoringSSL  = "int SSL_CTX_set_grease_enabled(void) { return 0; }\n"
	isLibreSSL   = "int SSL_CTX_use_certificate_chain_mem(void) { return 0; }\n"
	fakeMain     = "int main(int n, char **v) { return SSL_read((void *)v) + my_SSL_do_handshake((void *)v); }\n"
	fakeVersions = "OPENSSL_1_1_0 { global: SSL_*; BIO_next; }; OPENSSL_1_1_1 { global: nothing; } OPENSSL_1_1_0;"

	// SSL_get_rbio of version 3.5: an object may be of another type.
	fakeTyped = `
struct bio *quic(void *);
void *layer(void *);
struct ssl { int type; long b[5]; struct bio *rbio, *wbio, *bbio; };
int SSL_read(struct ssl *s) { return 1; }
int SSL_write(struct ssl *s) { return 2; }
struct bio *BIO_next(struct bio *b) { return b; }
__attribute__((noinline)) struct bio *quic(void *s) { return s; }
__attribute__((noinline)) void *layer(void *s) { return s; }
#define CONNECTION(s) (!(s) ? 0 : (s)->type == 0 ? (s) : (s)->type & 0x80 ? (struct ssl *)layer(s) : 0)
#define GET(s, one) if ((s) && (s)->type & 0x80) return quic(s); struct ssl *c = CONNECTION(s); if (!c) return 0; return one
struct bio *SSL_get_rbio(struct ssl *s) { GET(s, c->rbio); }
struct bio *SSL_get_wbio(struct ssl *s) { GET(s, c->bbio ? BIO_next(c->bbio) : c->wbio); }
`
)

// buildC compiles a source.
func buildC(t *testing.T, source string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "built")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "source.c"), []byte(source), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "versions"), []byte(fakeVersions), 0o600))
	cc := exec.CommandContext(t.Context(), "gcc", append([]string{"-O2", "-o", path, "source.c"}, args...)...)
	cc.Dir = dir
	out, err := cc.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

var shared = []string{"-shared", "-fPIC", "-Wl,-Bsymbolic"}

// TestSSL looks at the ways in which OpenSSL and its kin are built.
func TestSSL(t *testing.T) {
	derived := &symbol.SSLLayout{RBIO: 32, WBIO: 40, Method: 8, Num: 24}
	for _, tt := range []struct {
		name, source string
		args         []string
		kind         symbol.Kind
		version      string
		layout       *symbol.SSLLayout
	}{
		{"linked statically", fakeSSL + fakeBIO + version111 + fakeMain, nil, symbol.OpenSSL, "1.1.1w", derived},
		{"at a fixed address", fakeSSL + fakeBIO + version111 + fakeMain, []string{"-no-pie", "-static"}, symbol.OpenSSL, "1.1.1w", derived},
		{"with checked branches", fakeSSL + fakeBIO + version111 + fakeMain, []string{"-fcf-protection=full"}, symbol.OpenSSL, "1.1.1w", derived},
		{"with frame pointers", fakeSSL + fakeBIO + version111 + fakeMain, []string{"-fno-omit-frame-pointer"}, symbol.OpenSSL, "1.1.1w", derived},
		{"version 1.0.2", fakeSSL + version102, shared, symbol.OpenSSL, "1.0.2u", &symbol.SSLLayout{RBIO: 32, WBIO: 40, Method: 0, Num: 40}},
		{"version 3.5", "struct bio { long a; };" + fakeTyped + version35, shared, symbol.OpenSSL, "3.5.1", &symbol.SSLLayout{RBIO: 48, WBIO: 56, Method: 8, Num: 56}},
		{"version 3.5 with frame pointers", "struct bio { long a; };" + fakeTyped + version35, append([]string{"-fno-omit-frame-pointer"}, shared...), symbol.OpenSSL, "3.5.1", &symbol.SSLLayout{RBIO: 48, WBIO: 56, Method: 8, Num: 56}},
		{
			"symbol versions", "int nothing;" + fakeSSL, append([]string{"-Wl,--version-script=versions"}, shared...),
			symbol.OpenSSL, "1.1.1", &symbol.SSLLayout{RBIO: 32, WBIO: 40, Method: 0, Num: 48},
		},
		{"older hash table", fakeSSL + fakeBIO, append([]string{"-Wl,--hash-style=sysv"}, shared...), symbol.OpenSSL, "", derived},
		{"without a version", fakeSSL, shared, symbol.OpenSSL, "", nil},
		{"BoringSSL", fakeSSL + fakeBIO + isBoringSSL + fakeMain, nil, symbol.BoringSSL, "", derived},
		{"LibreSSL", fakeSSL + isLibreSSL, shared, symbol.LibreSSL, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := buildC(t, tt.source, tt.args...)
			img := inspect(t, path)
			assert.Equal(t, symbol.None, img.Reason)
			require.Len(t, img.Libraries, 1)
			l := &img.Libraries[0]
			assert.Equal(t, tt.kind, l.Kind)
			assert.Equal(t, tt.version, l.Version)
			assert.Equal(t, tt.layout, l.SSL)
			if tt.layout == nil {
				assert.Equal(t, symbol.UnsupportedVersion, l.Reason)
			}
			offsets := fileOffsets(t, path)
			assert.Contains(t, names(l), symbol.SSLWrite)
			for _, f := range l.Functions {
				assert.Equal(t, offsets[f.Name], f.Offset, f.Name)
			}
			if path := stripProgram(t, path); len(tt.args) > 0 && tt.args[len(tt.args)-1] == shared[2] {
				assert.Equal(t, img.Libraries, inspect(t, path).Libraries, "what is exported stays")
			}
		})
	}
}

// TestStripped recognises libraries in programs without symbols, by what they leave
// in constants.
func TestStripped(t *testing.T) {
	for text, kind := range map[string]symbol.Kind{
		"../ssl/ssl_lib.c":                    symbol.OpenSSL,
		"/src/third_party/ssl/ssl_lib.cc":     symbol.BoringSSL,
		"GNUTLS_DEBUG_LEVEL":                  symbol.GnuTLS,
		"/registry/rustls-0.23.5/src/conn.rs": symbol.Rustls,
	} {
		img := inspect(t, stripProgram(t, buildC(t, `#include <stdio.h>
			int main(void) { puts("`+text+`"); return 0; }`)))
		assert.Equal(t, symbol.Stripped, img.Reason, text)
		require.Len(t, img.Libraries, 1)
		assert.Equal(t, symbol.Library{Kind: kind, Reason: symbol.Stripped}, img.Libraries[0])
	}
}

// fakeMethods has NSS's table in its data, as some compilers leave it.
const fakeMethods = `
void SSL_ImportFD(void) {}
void SSL_ForceHandshake(void) {}
static void f(void) {}
static void closes(void) {} static void reads(void) {} static void writes(void) {}
static void receives(void) {} static void sends(void) {}
struct { int type; void (*functions[24])(void); } methods = {4, {
	closes, reads, writes, f, f, f, f, f, f, f, f, f, f, f, f, f, receives, sends, f, f, f}};
`

// TestMethodTable finds the table by both kinds of relocations.
func TestMethodTable(t *testing.T) {
	for _, packing := range []string{"-Wl,-z,nopack-relative-relocs", "-Wl,-z,pack-relative-relocs"} {
		path := buildC(t, fakeMethods, append([]string{packing, "-fno-ipa-icf"}, shared...)...)
		img := inspect(t, path)
		require.Len(t, img.Libraries, 1, packing)
		l := &img.Libraries[0]
		assert.Equal(t, symbol.None, l.Reason, packing)
		offsets := fileOffsets(t, path)
		want := map[string]uint64{
			symbol.NSSClose: offsets["closes"], symbol.NSSRead: offsets["reads"], symbol.NSSWrite: offsets["writes"],
			symbol.NSSRecv: offsets["receives"], symbol.NSSSend: offsets["sends"], symbol.NSSHandshake: offsets["SSL_ForceHandshake"],
		}
		found := map[string]uint64{}
		for _, f := range l.Functions {
			found[f.Name] = f.Offset
		}
		assert.Equal(t, want, found, packing)
	}
}
