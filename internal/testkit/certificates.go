// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Certificates are files in PEM: what a server shows, and what clients have to trust
// for that.
type Certificates struct {
	Authority   string // certificate of an authority that nobody else knows
	Certificate string // of localhost, 127.0.0.1, ::1 and what else was asked for, which the authority vouches for
	Key         string // of that certificate
}

// NewCertificates makes certificates that are valid while the test runs, also for
// servers at further hosts, which are names or addresses.
func NewCertificates(t testing.TB, hosts ...string) *Certificates {
	t.Helper()
	dir := t.TempDir()
	c := &Certificates{
		Authority:   filepath.Join(dir, "authority.pem"),
		Certificate: filepath.Join(dir, "certificate.pem"),
		Key:         filepath.Join(dir, "key.pem"),
	}
	authority := certificate("Wirespan's tests")
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	authorityKey := newKey(t)
	writePEM(t, c.Authority, "CERTIFICATE", sign(t, authority, authority, authorityKey, authorityKey))

	server := certificate("localhost")
	for _, host := range append([]string{"localhost", "127.0.0.1", "::1"}, hosts...) {
		if ip := net.ParseIP(host); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, host)
		}
	}
	server.KeyUsage = x509.KeyUsageDigitalSignature
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	key := newKey(t)
	writePEM(t, c.Certificate, "CERTIFICATE", sign(t, server, authority, key, authorityKey))
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	writePEM(t, c.Key, "PRIVATE KEY", secret)
	return c
}

// server is the environment in which the programs of this package speak TLS.
func (c *Certificates) server() []string {
	return []string{"TLS_CERTIFICATE=" + c.Certificate, "TLS_KEY=" + c.Key}
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func sign(t testing.TB, c, issuer *x509.Certificate, key, issuerKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	signed, err := x509.CreateCertificate(rand.Reader, c, issuer, &key.PublicKey, issuerKey)
	require.NoError(t, err)
	return signed
}

func writePEM(t testing.TB, path, kind string, contents []byte) {
	t.Helper()
	b := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: contents})
	require.NoError(t, os.WriteFile(path, b, 0o600))
}
