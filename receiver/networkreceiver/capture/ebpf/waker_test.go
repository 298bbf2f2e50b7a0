// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// TestFullPartOfTheRingWakesItsReader lets a reader sleep for years.
func TestFullPartOfTheRingWakesItsReader(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	s := New(Settings{Shards: 1, RingBytes: 2 * MinRingBytes}, zap.NewNop(), &Stats{})
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	ring := s.rings[0]
	woken := make(chan error)
	go func() { woken <- ring.waker.wait(100 * 365 * 24 * time.Hour) }()
	run(t, roleCommand("get", "http://"+at+"/?n=8000000"))
	select {
	case err := <-woken:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		require.NoError(t, s.rings[0].waker.close()) // ends the wait
		require.Error(t, <-woken)
		t.Fatal("still asleep")
	}
	assert.GreaterOrEqual(t, ring.end(), 2*MinRingBytes/ringParts)
}
