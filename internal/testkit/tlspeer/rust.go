// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tlspeer

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// RustClient is the client of rust/, with certificates in DER.
func (p *Peers) RustClient(t testing.TB, name, path string) Client {
	t.Helper()
	cert := inDER(t, p.Cert)
	return Client{name, true, func(url, sequence string) *exec.Cmd {
		return exec.Command(path, "get", url, cert, truth.SequenceHeader, sequence)
	}}
}

// RustServer is the server of rust/, likewise.
func (p *Peers) RustServer(t testing.TB, name, path string) Server {
	t.Helper()
	cert, key := inDER(t, p.Cert), inDER(t, p.Key)
	return Server{name, func() *exec.Cmd {
		return exec.Command(path, "serve", cert, key, p.File, truth.SequenceHeader)
	}}
}

func inDER(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	block, _ := pem.Decode(b)
	require.NotNil(t, block, path)
	path = filepath.Join(t.TempDir(), "der")
	require.NoError(t, os.WriteFile(path, block.Bytes, 0o600))
	return path
}
