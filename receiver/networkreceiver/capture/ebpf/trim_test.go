// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

func TestTrimWords(t *testing.T) {
	w := trims{words: make([]uint64, 2*trimSlots)}
	const a, b = 5, 5 + trimSlots // in one slot
	w.set(a, capture.Ingress, math.MaxUint32)
	assert.Equal(t, uint64(trimInUse|math.MaxUint32), w.words[2*a+1])
	assert.Zero(t, w.words[2*a], "the other direction")
	w.set(b, capture.Ingress, 0)
	assert.Equal(t, uint64(trimInUse|1<<32), w.words[2*a+1], "the later one has the slot")
	w.reset(a, capture.Ingress)
	assert.NotZero(t, w.words[2*a+1], "it is another socket's")
	w.reset(b, capture.Ingress)
	assert.Zero(t, w.words[2*a+1])
	w.set(math.MaxUint64, capture.Egress, 7)
	assert.Equal(t, uint64(trimInUse|(1<<31-1)<<32|7), w.words[2*(trimSlots-1)])
	w.clear()
	assert.Zero(t, w.words[2*(trimSlots-1)])
}

// The kernel leaves out the payloads of packets before a sequence number, and only
// those.
func TestTrim(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	r := record(t, Settings{})
	url := "http://" + at + "/?n="
	client := start(t, roleCommand("keep", url+"100"))
	require.Equal(t, "ready", client.line(t))
	settle()
	responses := func() (all []seen) {
		for _, s := range r.port(portOf(t, at)) {
			if s.Source.Port() == portOf(t, at) && s.Direction == capture.Ingress && s.WireLen > 0 {
				all = append(all, s)
			}
		}
		return all
	}
	first := responses()
	require.Len(t, first, 1)
	begin := first[0].Seq + uint32(first[0].WireLen)
	const wanted, n = 100_000, 1_000_000
	r.source.Trim(first[0].Socket, capture.Ingress, begin+wanted)
	fmt.Fprintln(client.in, url+fmt.Sprint(n))
	require.Equal(t, "done", client.line(t))
	settle()
	r.stop()

	var size int
	for _, s := range responses()[1:] {
		size += s.WireLen
		end := s.Seq - begin + uint32(s.WireLen)
		if end <= wanted && s.WireLen >= 256 {
			assert.Empty(t, s.Payload, "ends at %d", end)
		} else {
			assert.Len(t, s.Payload, s.WireLen, "ends at %d", end)
		}
	}
	assert.Greater(t, size, n)
	assert.NotZero(t, r.stats.Trimmed.Load())
	assert.Zero(t, r.stats.TruncatedPacket.Load())
}
