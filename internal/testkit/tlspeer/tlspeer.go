// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package tlspeer has programs that speak HTTP over TLS, each with another library or
// another way to use it.
package tlspeer

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
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// Peers are the programs, with what they need.
type Peers struct {
	Cert, Key string // files; the certificate is for localhost and 127.0.0.1
	File      string // with the body
	Body      []byte
	Golang    map[string]string // the program that uses Go's library, by how it was built
}

// Client is a program that writes the body of a response to its standard output.
type Client struct {
	Name string
	// CarriesLibrary is set if the program has the TLS library in itself.
	CarriesLibrary bool
	// Command asks for a URL. The request bears a sequence as truth.SequenceHeader.
	Command func(url, sequence string) *exec.Cmd
}

// Server is a program that answers every request with the body and its sequence, and says on a first
// line where it listens.
type Server struct {
	Name    string
	Command func() *exec.Cmd
}

// New makes peers whose body has so many bytes, of noise.
func New(t testing.TB, size int) *Peers {
	t.Helper()
	p := &Peers{Body: make([]byte, size), Golang: map[string]string{}}
	_, err := rand.Read(p.Body)
	require.NoError(t, err)
	p.Cert, p.Key = Certificate(t)
	p.File = filepath.Join(t.TempDir(), "body")
	require.NoError(t, os.WriteFile(p.File, p.Body, 0o600))
	return p
}

// WithGo builds the program that uses Go's own library, in the ways that matter for
// finding it.
func (p *Peers) WithGo(t testing.TB) *Peers {
	t.Helper()
	for name, flags := range map[string][]string{
		"go":          nil,
		"go stripped": {"-trimpath", "-ldflags=-s -w"},
		"go pie":      {"-buildmode=pie"},
	} {
		p.Golang[name] = filepath.Join(t.TempDir(), "tlspeer")
		args := append([]string{"build", "-o", p.Golang[name]}, flags...)
		out, err := exec.Command("go", append(args, "github.com/wirespan/wirespan/internal/testkit/tlspeer/golang")...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return p
}

// Clients are those that there are; those of Go only after WithGo.
func (p *Peers) Clients() []Client {
	all := []Client{
		{"curl", false, func(url, sequence string) *exec.Cmd {
			return exec.Command("curl", "-sS", "--http1.1", "--cacert", p.Cert, "-H", truth.SequenceHeader+": "+sequence, url)
		}},
		{"wget", false, func(url, sequence string) *exec.Cmd {
			return exec.Command("wget", "-q", "-O", "-", "--ca-certificate", p.Cert, "--header", truth.SequenceHeader+": "+sequence, url)
		}},
		{"python", false, func(url, sequence string) *exec.Cmd {
			return exec.Command("python3", "-c", blockingClient, url, p.Cert, truth.SequenceHeader, sequence)
		}},
		{"python asyncio", false, func(url, sequence string) *exec.Cmd {
			return exec.Command("python3", "-c", asyncClient, url, p.Cert, truth.SequenceHeader, sequence)
		}},
		p.NodeClient("node", "node"),
	}
	for _, build := range []string{"go", "go stripped", "go pie"} {
		if path, ok := p.Golang[build]; ok {
			all = append(all, p.GoClient(build, path))
		}
	}
	return all
}

// NodeClient is the client for a Node at a path.
func (p *Peers) NodeClient(name, path string) Client {
	return Client{name, true, func(url, sequence string) *exec.Cmd {
		return exec.Command(path, "-e", nodeClient, url, p.Cert, truth.SequenceHeader, sequence)
	}}
}

// GoClient is the client that was built of golang/main.go.
func (p *Peers) GoClient(name, path string) Client {
	return Client{name, true, func(url, sequence string) *exec.Cmd {
		return exec.Command(path, "get", url, p.Cert, sequence)
	}}
}

// NodeServer is the server for a Node at a path.
func (p *Peers) NodeServer(name, path string) Server {
	return Server{name, func() *exec.Cmd {
		return exec.Command(path, "-e", nodeServer, p.Cert, p.Key, p.File, truth.SequenceHeader)
	}}
}

// GoServer is the server that was built of golang/main.go.
func (p *Peers) GoServer(name, path string) Server {
	return Server{name, func() *exec.Cmd { return exec.Command(path, "serve", p.Cert, p.Key, p.File) }}
}

// Servers are those that there are; that of Go only after WithGo.
func (p *Peers) Servers() []Server {
	all := []Server{
		{"python", func() *exec.Cmd {
			return exec.Command("python3", "-c", blockingServer, p.Cert, p.Key, p.File, truth.SequenceHeader)
		}},
		{"python asyncio", func() *exec.Cmd {
			return exec.Command("python3", "-c", asyncServer, p.Cert, p.Key, p.File, truth.SequenceHeader)
		}},
		p.NodeServer("node", "node"),
	}
	if path, ok := p.Golang["go"]; ok {
		all = append(all, p.GoServer("go", path))
	}
	return all
}

// Certificate makes a key and a certificate for localhost and 127.0.0.1, and gives
// their files.
func Certificate(t testing.TB) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	public, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}
