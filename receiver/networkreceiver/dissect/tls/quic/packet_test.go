// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package quic

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInitialKeys compares with RFC 9001, appendix A.1, and RFC 9369, appendix A.1.
func TestInitialKeys(t *testing.T) {
	destination, err := hex.DecodeString("8394c8f03e515708")
	require.NoError(t, err)
	for version, want := range map[uint32]string{version1: "fa044b2f42a3fd3b46fb255c", version2: "91f73e2351d8fa91660e909f"} {
		keys := deriveInitial(version, destination)
		require.NotNil(t, keys[toServer])
		assert.Equal(t, want, hex.EncodeToString(keys[toServer].iv))
	}
}

// TestOpenInitial opens the server's packet of RFC 9001, appendix A.3.
func TestOpenInitial(t *testing.T) {
	packet, err := hex.DecodeString("cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee")
	require.NoError(t, err)
	p, ok := parseLong(packet)
	require.True(t, ok)
	assert.Equal(t, byte(initialPacket), p.kind)
	assert.Equal(t, len(packet), p.size)
	destination, err := hex.DecodeString("8394c8f03e515708")
	require.NoError(t, err)
	payload, ok := deriveInitial(version1, destination)[toClient].open(p)
	require.True(t, ok)
	assert.Equal(t, "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a12", hex.EncodeToString(payload[:47]))
	for n := range packet {
		if cut, ok := parseLong(packet[:n]); ok {
			_, ok = deriveInitial(version1, destination)[toClient].open(cut)
			assert.False(t, ok, "cut at %d", n)
		}
	}
}
