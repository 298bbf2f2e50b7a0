// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/quic"
)

func TestGolden(t *testing.T) { dissecttest.Golden(t, dissectors(t)...) }
func TestChop(t *testing.T)   { dissecttest.Chop(t, dissectors(t)...) }
func TestHole(t *testing.T)   { dissecttest.Hole(t, dissectors(t)...) }
func FuzzData(f *testing.F)   { dissecttest.Fuzz(f, dissectors(f)...) }

// dissectors are TLS with the keys of all fixtures, and what is carried in them.
func dissectors(tb testing.TB) []dissect.Dissector {
	tb.Helper()
	return []dissect.Dissector{tls.Dissector{Keys: keys(tb)}, quic.Dissector{}, http2.Dissector{}, http.Dissector{}}
}

// keys are those of all fixtures.
func keys(tb testing.TB) *decrypt.Keys {
	tb.Helper()
	all := new(decrypt.Keys)
	names, err := filepath.Glob("testdata/*.keys")
	require.NoError(tb, err)
	require.NotEmpty(tb, names)
	for _, name := range names {
		log, err := os.Open(name)
		require.NoError(tb, err)
		require.NoError(tb, all.Read(log))
		require.NoError(tb, log.Close())
	}
	return all
}
