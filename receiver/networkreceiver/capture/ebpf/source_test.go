// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/probe"
)

func TestHTTPExchange(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			server := start(t, roleCommand("serve", address))
			r := record(t, Settings{})
			at := server.line(t)
			before := time.Now()
			client := run(t, roleCommand("get", "http://"+at+"/hello?n=100"))
			after := time.Now()
			settle()
			r.stop()

			port := portOf(t, at)
			all := r.port(port)
			c, s := sides(all, port)
			assert.Contains(t, string(c.out), "GET /hello?n=100 HTTP/1.1\r\n")
			assert.Equal(t, string(c.out), string(s.in))
			assert.Contains(t, string(s.out), "Content-Length: 100\r\n")
			assert.Equal(t, string(s.out), string(c.in))
			assertOwner(t, r, only(t, c.sockets), client)
			assertOwner(t, r, only(t, s.sockets), int32(server.Process.Pid))
			ns, err := os.Stat("/proc/self/ns/net")
			require.NoError(t, err)
			for _, seg := range all {
				assert.Equal(t, all[0].shard, seg.shard, "both ends are in one shard")
				assert.Equal(t, capture.TCP, seg.Transport)
				assert.Equal(t, inode(ns), uint64(seg.NetNS))
				assert.NotZero(t, seg.Cgroup)
				assert.Equal(t, len(seg.Payload), seg.WireLen)
				assert.True(t, seg.WireLen > 0 || seg.Listener || seg.Flags&(capture.SYN|capture.FIN|capture.RST) != 0, "bare ACK")
				assert.GreaterOrEqual(t, seg.Time, before.UnixNano()-int64(time.Millisecond))
				assert.LessOrEqual(t, seg.Time, after.Add(time.Second).UnixNano())
			}
			assert.Zero(t, r.lost)
			assert.Positive(t, r.ticks)
		})
	}
}

func assertOwner(t *testing.T, r *recorder, socket uint64, pid int32) {
	t.Helper()
	p := r.owner(socket)
	require.NotNil(t, p)
	exe, err := os.Readlink("/proc/self/exe")
	require.NoError(t, err)
	assert.Equal(t, pid, p.PID)
	assert.Equal(t, int32(os.Getpid()), p.ParentPID)
	assert.Equal(t, exe, p.Executable)
	assert.Equal(t, "exe", p.Name)
	assert.Equal(t, "/proc/self/exe", p.CommandLine[0])
	assert.Len(t, p.CommandLine, 2, "its arguments")
	assert.WithinDuration(t, time.Now(), time.Unix(0, p.StartTime), time.Minute)
	own, err := os.ReadFile("/proc/self/cgroup")
	require.NoError(t, err)
	assert.Equal(t, cgroupPath(own), p.CgroupPath)
}

func inode(info os.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

func TestUDP(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			server := start(t, roleCommand("udp", address))
			at := server.line(t)
			r := record(t, Settings{Shards: 4})
			client := run(t, roleCommand("ask", at, "question"))
			settle()
			r.stop()

			all := r.port(portOf(t, at))
			require.Len(t, all, 4)
			for _, seg := range all {
				assert.Equal(t, all[0].shard, seg.shard)
				assert.Equal(t, capture.UDP, seg.Transport)
				assert.NotZero(t, seg.NetNS)
				assert.Zero(t, seg.Flags)
			}
			c, s := sides(all, portOf(t, at))
			assert.Equal(t, "question", string(s.in))
			assert.Equal(t, "QUESTION", string(c.in))
			assert.Equal(t, client, r.owner(only(t, c.sockets)).PID)
			assert.Equal(t, int32(server.Process.Pid), r.owner(only(t, s.sockets)).PID)
		})
	}
}

// Large writes leave the socket as packets of up to 64 KiB, which are cut only
// later. They are copied whole, in every size there is a tier for.
func TestSuperPackets(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			const body = 3 << 20
			server := start(t, roleCommand("serve", address))
			at := server.line(t)
			r := record(t, Settings{RingBytes: 128 << 20}) // a slow reader loses nothing
			urls := []string{fmt.Sprintf("http://%s/?n=%d", at, body)}
			want := body
			for n := 1; n < 100_000; n = n*5/4 + 1 {
				urls = append(urls, fmt.Sprintf("http://%s/?n=%d", at, n))
				want += n
			}
			run(t, roleCommand("get", urls...))
			settle()
			r.stop()

			largest := 0
			for _, seg := range r.port(portOf(t, at)) {
				require.Len(t, seg.Payload, seg.WireLen)
				largest = max(largest, seg.WireLen)
			}
			assert.Greater(t, largest, 32<<10)
			c, s := sides(r.port(portOf(t, at)), portOf(t, at))
			require.True(t, bytes.Equal(s.out, c.in), "%d bytes sent, %d received", len(s.out), len(c.in))
			assert.Equal(t, want, countBodies(t, c.in))
			assert.Zero(t, r.lost)
		})
	}
}

// countBodies reads a sequence of responses and adds up their bodies.
func countBodies(t *testing.T, stream []byte) (n int) {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(stream))
	for {
		if _, err := in.Peek(1); err != nil {
			return n
		}
		resp, err := http.ReadResponse(in, nil)
		require.True(t, err == nil, "no response after %d bytes", n) //nolint:testifylint // the error would quote the body
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		n += len(body)
	}
}

// What this process sends is seen at neither end, and what it serves is seen at
// the client's end only, wherever the capture began.
func TestOwnTraffic(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	datagrams := start(t, roleCommand("udp", "127.0.0.1:0"))
	datagramsAt := datagrams.line(t)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	require.NoError(t, fetch(client, "http://"+at+"/older?n=1"))
	older := httptest.NewServer(http.HandlerFunc(answer))
	defer older.Close()

	r := record(t, Settings{})
	younger := httptest.NewServer(http.HandlerFunc(answer))
	defer younger.Close()
	require.NoError(t, fetch(client, "http://"+at+"/kept?n=1"))
	transport.CloseIdleConnections()
	require.NoError(t, fetch(client, "http://"+at+"/new?n=1"))
	require.NoError(t, ask([]string{datagramsAt, "own"}))
	run(t, roleCommand("get", older.URL+"/served?n=1"))
	run(t, roleCommand("get", younger.URL+"/served?n=1"))
	settle()
	r.stop()

	assert.Empty(t, r.port(portOf(t, at)))
	assert.Empty(t, r.port(portOf(t, datagramsAt)))
	for _, s := range []*httptest.Server{older, younger} {
		port := portOf(t, strings.TrimPrefix(s.URL, "http://"))
		c, own := sides(r.port(port), port)
		assert.Contains(t, string(c.out), "GET /served")
		assert.Empty(t, own.in)
		assert.Empty(t, own.sockets)
	}
}

// An address that was the collector's own is captured when it belongs to
// somebody else.
func TestOwnAddressReused(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	r := record(t, Settings{})
	local, err := net.ResolveTCPAddr("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	remote, err := net.ResolveTCPAddr("tcp", at)
	require.NoError(t, err)
	c, err := net.DialTCP("tcp", local, remote)
	require.NoError(t, err)
	require.NoError(t, c.SetLinger(0)) // no TIME-WAIT
	mine := c.LocalAddr().(*net.TCPAddr)
	require.NoError(t, c.Close())
	run(t, python(`
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), source_address=("127.0.0.1", int(sys.argv[2])))
s.sendall(b"GET /reused?n=1 HTTP/1.0\r\n\r\n")
while s.recv(65536): pass
`, strconv.Itoa(remote.Port), strconv.Itoa(mine.Port)))
	settle()
	r.stop()

	client, served := sides(r.port(uint16(remote.Port)), uint16(remote.Port))
	assert.Contains(t, string(client.out), "GET /reused")
	assert.Contains(t, string(served.in), "GET /reused")
}

// A ring that is too small loses records, and says how many.
func TestLossIsCounted(t *testing.T) {
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	r := record(t, Settings{Shards: 1, RingBytes: MinRingBytes})
	r.mu.Lock() // the handler waits, so that the ring fills
	run(t, roleCommand("get", "http://"+at+"/?n=8000000"))
	r.mu.Unlock()
	run(t, roleCommand("get", "http://"+at+"/after?n=1"))
	settle()
	r.stop()

	assert.Positive(t, r.lost[capture.LossRingFull])
	assert.Equal(t, r.lost[capture.LossRingFull], r.stats.LostRingFull.Load())
	assert.Zero(t, r.lost[capture.LossMalformed])
	c, _ := sides(r.port(portOf(t, at)), portOf(t, at))
	assert.Contains(t, string(c.out), "GET /after", "it goes on after the loss")
}

// A connection at full speed fills a ring that nobody reads, but not for the others.
func TestShareOfTheRing(t *testing.T) {
	const small = 40
	server := start(t, roleCommand("serve", "127.0.0.1:0"))
	at := server.line(t)
	r := record(t, Settings{Shards: 1, RingBytes: 2 * MinRingBytes})
	r.mu.Lock() // the handler waits, so that the ring fills
	run(t, roleCommand("get", "http://"+at+"/?n=8000000"))
	var urls []string
	for i := range small {
		urls = append(urls, fmt.Sprintf("http://%s/small-%d?n=10", at, i))
	}
	run(t, roleCommand("get-each", urls...))
	r.mu.Unlock()
	settle()
	r.stop()

	assert.Positive(t, r.lost[capture.LossRingFull], "of the large response")
	requests, responses := map[string]int{}, 0
	for _, s := range r.port(portOf(t, at)) {
		if request, _, found := bytes.Cut(s.Payload, []byte("?n=10 HTTP/1.1\r\n")); found {
			requests[string(request)]++
		}
		if bytes.Contains(s.Payload, []byte("Content-Length: 10\r\n")) {
			responses++
		}
	}
	assert.Len(t, requests, small)
	for request, times := range requests {
		assert.Equal(t, 2, times, "ends at which there is %s", request)
	}
	assert.Equal(t, 2*small, responses)
}

func TestCloseIsIdempotentAndLeavesNothing(t *testing.T) {
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(entries)
	}
	open := func() {
		s := New(Settings{Shards: 3}, zap.NewNop(), &Stats{})
		require.NoError(t, s.Start(t.Context()))
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
	}
	open() // what is opened once for the life of the process
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would close what Close forgets
	before, programs := descriptors(), attached(t)
	open()
	assert.Equal(t, before, descriptors())
	assert.Equal(t, programs, attached(t))
}

func TestStartLeavesNothingOnError(t *testing.T) {
	before := attached(t)
	s := New(Settings{Shards: 2, Cgroup: t.TempDir()}, zap.NewNop(), &Stats{})
	require.Error(t, s.Start(t.Context()))
	assert.Empty(t, s.closers)
	assert.Equal(t, before, attached(t))
	require.NoError(t, s.Close())
}

// attached counts the programs at the root cgroup.
func attached(t *testing.T) (n int) {
	t.Helper()
	root, err := probe.CgroupRoot()
	require.NoError(t, err)
	for _, at := range []ebpf.AttachType{ebpf.AttachCGroupInetEgress, ebpf.AttachCGroupInetIngress} {
		dir, err := os.Open(root)
		require.NoError(t, err)
		res, err := link.QueryPrograms(link.QueryOptions{Target: int(dir.Fd()), Attach: at})
		require.NoError(t, err)
		require.NoError(t, dir.Close())
		for _, p := range res.Programs {
			if name(t, p.ID) == "egress" || name(t, p.ID) == "ingress" {
				n++
			}
		}
	}
	return n
}

func name(t *testing.T, id ebpf.ProgramID) string {
	t.Helper()
	p, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return "" // gone in the meantime
	}
	defer p.Close()
	info, err := p.Info()
	require.NoError(t, err)
	return info.Name
}
