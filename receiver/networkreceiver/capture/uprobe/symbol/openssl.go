// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import "fmt"

// resolver gives the addresses of the functions that have a name.
type resolver func(name string) ([]uint64, error)

var sslFunctions = []string{
	SSLAccept, SSLConnect, SSLDoHandshake, SSLFree, SSLPeek, SSLPeekEx, SSLRead, SSLReadEx, SSLReadEarlyData, SSLSendfile,
	SSLSetBIO, SSLSetFD, SSLShutdown, SSLWrite, SSLWriteEx, SSLWriteEx2, SSLWriteEarlyData,
}

// Functions that tell about the library and its layout.
const (
	sslGetRBIO       = "SSL_get_rbio"
	sslGetWBIO       = "SSL_get_wbio"
	bioMethodType    = "BIO_method_type"
	bioRetryReason   = "BIO_get_retry_reason"
	opensslVersion   = "OpenSSL_version_num"
	opensslVersion10 = "SSLeay"
	onlyBoringSSL    = "SSL_CTX_set_grease_enabled"
	onlyLibreSSL     = "SSL_CTX_use_certificate_chain_mem"
)

var sslClues = []string{
	sslGetRBIO, sslGetWBIO, bioMethodType, bioRetryReason, opensslVersion, opensslVersion10, onlyBoringSSL, onlyLibreSSL,
}

// findSSL looks for OpenSSL and what came of it. It gives nil if there is none.
func findSSL(f *file, resolve resolver, versions []string) (*Library, error) {
	l := &Library{Kind: OpenSSL}
	if err := l.addFunctions(f, resolve, sslFunctions); err != nil {
		return nil, err
	}
	if !l.has(SSLRead) || !l.has(SSLWrite) {
		return nil, nil
	}
	s := ssl{f: f, clues: map[string]uint64{}}
	for _, name := range sslClues {
		found, err := resolve(name)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			s.clues[name] = f.code(found[0])
		}
	}
	var err error
	switch {
	case s.clues[onlyBoringSSL] != 0:
		l.Kind = BoringSSL
	case s.clues[onlyLibreSSL] != 0:
		l.Kind = LibreSSL
	default:
		l.Version, err = s.version(versions)
	}
	if err != nil {
		return nil, err
	}
	l.SSL, err = s.layout(l.Kind, l.Version)
	if l.SSL == nil {
		l.Reason = UnsupportedVersion
	}
	return l, err
}

// ssl has the file offsets of the functions that give clues.
type ssl struct {
	f     *file
	clues map[string]uint64
}

// version asks the function that returns it, or else the symbol versions: libssl.so
// has no other mark, but a static copy comes with libcrypto.
func (s *ssl) version(versions []string) (string, error) {
	for _, name := range []string{opensslVersion, opensslVersion10} {
		if v, err := s.f.evaluate(s.clues[name]); err != nil || v.kind == constant {
			return opensslVersionString(v.n), err
		}
	}
	return highestVersion(versions, "OPENSSL_"), nil
}

// opensslVersionString reads OPENSSL_VERSION_NUMBER: 0xMNN00PP0 since version 3,
// 0xMNNFFPPS before, where PP counts letters.
func opensslVersionString(n uint32) string {
	major, minor, fix, patch := n>>28, n>>20&0xff, n>>12&0xff, n>>4&0xff
	if major >= 3 {
		return fmt.Sprintf("%d.%d.%d", major, minor, patch)
	}
	letter := ""
	if 0 < patch && patch <= 26 {
		letter = string(rune('a' + patch - 1))
	}
	return fmt.Sprintf("%d.%d.%d%s", major, minor, fix, letter)
}

// layout reads what members the library's own functions return. It gives nil where
// that does not fit together.
func (s *ssl) layout(kind Kind, version string) (*SSLLayout, error) {
	rbio, err := s.f.evaluate(s.clues[sslGetRBIO])
	if err != nil {
		return nil, err
	}
	wbio, err := s.f.evaluate(s.clues[sslGetWBIO])
	if err != nil || !rbio.isPointer() || !wbio.isPointer() || wbio.n != rbio.n+8 {
		return nil, err
	}
	method, num, ok, err := s.bio(kind, version)
	if err != nil || !ok {
		return nil, err
	}
	return &SSLLayout{RBIO: rbio.n, WBIO: wbio.n, Method: method, Num: num}, nil
}

// bio gives the offsets in a BIO: from libcrypto's functions if they are in the same
// file, or by version. In all versions num follows retry_reason.
func (s *ssl) bio(kind Kind, version string) (method, num uint32, ok bool, err error) {
	retry, err := s.f.evaluate(s.clues[bioRetryReason])
	if err != nil {
		return 0, 0, false, err
	}
	of, err := s.f.evaluate(s.clues[bioMethodType])
	if err != nil {
		return 0, 0, false, err
	}
	if retry.kind == member && !retry.wide && of.kind == member && of.nested {
		return of.n, retry.n + 4, true, nil
	}
	if kind != OpenSSL || version == "" {
		return 0, 0, false, nil
	}
	method, num, ok = opensslBIO(version)
	return method, num, ok, nil
}

// opensslBIO gives struct bio_st of crypto/bio/bio_local.h (bio.h before 1.1.0).
func opensslBIO(version string) (method, num uint32, ok bool) {
	switch {
	case compareVersions(version, "1.0.0") < 0 || compareVersions(version, "4") >= 0:
		return 0, 0, false
	case compareVersions(version, "3") >= 0:
		return 8, 56, true
	case compareVersions(version, "1.1.1") >= 0:
		return 0, 48, true
	default:
		return 0, 40, true
	}
}
