// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

var gnutlsFunctions = []string{
	GnuTLSBye, GnuTLSDeinit, GnuTLSHandshake, GnuTLSRecordRecv, GnuTLSRecordRecvSeq, GnuTLSRecordSend, GnuTLSRecordSend2,
	GnuTLSRecordSendFile, GnuTLSRecordUncork,
}

// Functions that tell where a session has its descriptors.
const (
	gnutlsGetInt  = "gnutls_transport_get_int"
	gnutlsGetInt2 = "gnutls_transport_get_int2"
)

// findGnuTLS gives nil if there is none.
func findGnuTLS(f *file, resolve resolver, versions []string) (*Library, error) {
	l := &Library{Kind: GnuTLS, Version: highestVersion(versions, "GNUTLS_")}
	if err := l.addFunctions(f, resolve, gnutlsFunctions); err != nil {
		return nil, err
	}
	if !l.has(GnuTLSRecordRecv) || !l.has(GnuTLSRecordSend) {
		return nil, nil
	}
	var err error
	if l.GnuTLS, err = gnutlsLayout(f, resolve); l.GnuTLS == nil {
		l.Reason = UnsupportedVersion
	}
	return l, err
}

// gnutlsLayout reads the members that gnutls_transport_get_int2 stores. The first one
// is also what gnutls_transport_get_int returns.
func gnutlsLayout(f *file, resolve resolver) (*GnuTLSLayout, error) {
	var both [2]uint64
	for i, name := range []string{gnutlsGetInt, gnutlsGetInt2} {
		found, err := resolve(name)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		both[i] = f.code(found[0])
	}
	one, err := f.evaluate(both[0])
	if err != nil || one.kind != member || one.wide {
		return nil, err
	}
	two, returned, err := f.loads(both[1])
	if err != nil || !returned || len(two) != 2 || !two[0].first || !two[1].first || two[0].offset != one.n {
		return nil, err
	}
	return &GnuTLSLayout{RecvPointer: one.n, SendPointer: two[1].offset}, nil
}
