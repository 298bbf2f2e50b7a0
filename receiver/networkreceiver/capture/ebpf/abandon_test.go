// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// stalling is a handler that stays at its first segment until it may go on.
type stalling struct {
	reached, goOn chan struct{}
	segments      int
	lost          uint64
}

func (h *stalling) Segment(*capture.Segment) {
	if h.segments++; h.segments == 1 {
		close(h.reached)
		<-h.goOn
	}
}

func (h *stalling) Lost(n uint64, reason capture.LossReason) {
	if reason == capture.LossShutdown {
		h.lost += n
	}
}
func (*stalling) Owner(uint64, *capture.Process) {}
func (*stalling) Tick(int64)                     {}

// floodUDP sends itself datagrams at a port, so many of a size.
const floodUDP = `
import socket, sys
port, datagrams, size = map(int, sys.argv[1:])
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind(("127.0.0.1", port))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(datagrams):
    sender.sendto(bytes(size), ("127.0.0.1", port))
`

// What is in a ring when the time to hand it over is up is lost, and counted.
func TestAbandon(t *testing.T) {
	const datagrams, size, headers = 50, 1000, 28
	port := freePort(t)
	var stats Stats
	source := New(Settings{Shards: 1, Include: Filter{Ports: []uint16{port}}}, zaptest.NewLogger(t), &stats)
	require.NoError(t, source.Start(t.Context()))
	defer func() { assert.NoError(t, source.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := &stalling{reached: make(chan struct{}), goOn: make(chan struct{})}
	ended := make(chan error)
	go func() { ended <- source.Run(ctx, 0, h) }()

	run(t, python(floodUDP, strconv.Itoa(int(port)), strconv.Itoa(datagrams), strconv.Itoa(size)))
	<-h.reached
	settle()
	cancel()
	source.Abandon()
	close(h.goOn)
	require.NoError(t, <-ended)

	const captured = 2 * datagrams // at both ends
	assert.Equal(t, 1, h.segments)
	assert.EqualValues(t, 1, stats.Packets.Load())
	assert.EqualValues(t, captured-1, stats.LostShutdown.Load())
	assert.EqualValues(t, captured-1, h.lost)
	assert.EqualValues(t, (captured-1)*(size+headers), stats.LostShutdownBytes.Load())
}
