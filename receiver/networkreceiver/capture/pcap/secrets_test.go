// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

const withSecrets = "testdata/tls-secrets.pcapng" // made by dissect/tls/testdata/generate

// TestSecrets reads the key log that editcap has put into a file.
func TestSecrets(t *testing.T) {
	var got []byte
	source := New(Settings{Files: []string{withSecrets}, Secrets: func(log []byte) { got = append(got, log...) }}, zap.NewNop(), &Stats{})
	require.NoError(t, source.Start(t.Context()))
	require.NoError(t, source.Run(t.Context(), 0, nobody{}))
	want, err := os.ReadFile("../../dissect/tls/testdata/curl-nginx-http2.keys")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	assert.NotEmpty(t, got)
}

// TestSecretsInPieces: the blocks are found wherever reads are cut, and what is no
// pcapng, or says that it is longer than it is, does nothing.
func TestSecretsInPieces(t *testing.T) {
	file, err := os.ReadFile(withSecrets)
	require.NoError(t, err)
	whole := tapped(file, len(file))
	require.NotEmpty(t, whole)
	for _, n := range []int{1, 3, 7, 64, 1000} {
		assert.Equal(t, whole, tapped(file, n), "pieces of %d", n)
	}
	assert.Equal(t, append(bytes.Clone(whole), whole...), tapped(append(bytes.Clone(file), file...), 100), "two sections")
	assert.Empty(t, tapped([]byte("neither pcap nor pcapng"), 1))
	for i := range 200 {
		broken := bytes.Clone(file)
		broken[i] ^= 0xff
		tapped(broken, 50)
	}
}

// nobody takes segments.
type nobody struct{}

func (nobody) Segment(*capture.Segment)        {}
func (nobody) Owner(uint64, *capture.Process)  {}
func (nobody) Lost(uint64, capture.LossReason) {}
func (nobody) Tick(int64)                      {}

func tapped(file []byte, n int) (log []byte) {
	tap := &secretsTap{give: func(b []byte) { log = append(log, b...) }}
	for len(file) > 0 {
		k := min(n, len(file))
		_, _ = tap.Write(file[:k])
		file = file[k:]
	}
	return log
}
