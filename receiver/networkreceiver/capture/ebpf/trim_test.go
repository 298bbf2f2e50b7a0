// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
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
// those. Of most of these packets it does not even tell, but of the last one.
func TestTrim(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	r := record(t, Settings{RingBytes: 128 << 20}) // a slow reader loses nothing
	url := "http://" + at + "/?n="
	client := start(t, roleCommand("keep", url+"100"))
	require.Equal(t, "ready", client.line(t))
	responses := func() (all []seen) {
		for _, s := range r.port(portOf(t, at)) {
			if s.Source.Port() == portOf(t, at) && s.Direction == capture.Ingress && s.WireLen > 0 {
				all = append(all, s)
			}
		}
		return all
	}
	testkit.Eventually(t, "the first response", func() bool { return len(responses()) > 0 })
	first := responses()
	require.Len(t, first, 1)
	begin := first[0].Seq + uint32(first[0].WireLen)
	const wanted, n = 32_000_000, 33_000_000 // at least 500 packets of 64 KiB, and 16
	r.source.Trim(first[0].Socket, capture.Ingress, begin+wanted)
	fmt.Fprintln(client.in, url+fmt.Sprint(n))
	require.Equal(t, "done", client.line(t))
	settle()
	r.stop()

	var told, copied int
	var last uint32
	for _, s := range responses()[1:] {
		end := s.Seq - begin + uint32(s.WireLen)
		if end <= wanted && s.WireLen >= 256 {
			assert.Empty(t, s.Payload, "ends at %d", end)
			told++
		} else {
			assert.Len(t, s.Payload, s.WireLen, "ends at %d", end)
			copied += s.WireLen
		}
		last = end
	}
	assert.Greater(t, last, uint32(n), "the whole response was told of")
	assert.GreaterOrEqual(t, copied, n-wanted)
	assert.GreaterOrEqual(t, told, wanted>>20-2, "every megabyte")
	assert.Less(t, told, 200)
	assert.EqualValues(t, told, r.stats.Trimmed.Load())
	assert.Zero(t, r.stats.TruncatedPacket.Load())
}

// A packet that ends a connection is told of wherever it lies.
func TestTrimTellsTheEnd(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	r := record(t, Settings{})
	client := start(t, python(`
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(2): s.sendall(b"x" * 1000)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
s.sendall(b"x" * 1000)
s.shutdown(socket.SHUT_WR) # in the packet of the last bytes
while s.recv(65536): pass
`, strconv.Itoa(int(portOf(t, at)))))
	require.Equal(t, "ready", client.line(t))
	var c side
	testkit.Eventually(t, "the header section", func() bool {
		c, _ = sides(r.port(portOf(t, at)), portOf(t, at))
		return bytes.Contains(c.out, []byte("\r\n\r\n"))
	})
	socket := only(t, c.sockets)
	sent := func() (all []seen) {
		for _, s := range r.port(portOf(t, at)) {
			if s.Socket == socket && s.Direction == capture.Egress && s.WireLen > 0 {
				all = append(all, s)
			}
		}
		return all
	}
	require.Len(t, sent(), 1, "the header section")
	r.source.Trim(socket, capture.Egress, sent()[0].Seq+1<<20)
	fmt.Fprintln(client.in)
	require.NoError(t, client.Wait())
	settle()
	r.stop()

	all := sent()[1:]
	last := all[len(all)-1]
	assert.Equal(t, 1000, last.WireLen)
	assert.Empty(t, last.Payload)
	assert.NotZero(t, last.Flags&capture.FIN)
}
