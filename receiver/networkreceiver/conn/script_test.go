// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Sockets and addresses of the scripts.
const (
	clientSocket   = 11
	acceptedSocket = 22
	listenerSocket = 33
	someTime       = int64(1_700_000_000_000_000_000)
)

var (
	clientAddr = netip.MustParseAddrPort("10.0.0.1:40000")
	serverAddr = netip.MustParseAddrPort("10.0.0.2:80")
)

// recorder is a Sink that writes down what it gets, and fails the test where the
// contract of Sink is broken.
type recorder struct {
	t      testing.TB
	events []string
	conns  map[*Conn]*recorded
	opened []*Conn
	quiet  bool
}

type recorded struct {
	name   string
	next   [2]uint64
	ended  [2]bool
	closed bool
	gaps   [2]uint64
	data   [2][]byte
	pieces [2][]delivered
	marks  [2][]Mark
	reason Reason
}

type delivered struct {
	at uint64
	b  []byte
}

func newRecorder(t testing.TB) *recorder {
	return &recorder{t: t, conns: map[*Conn]*recorded{}}
}

func (r *recorder) say(format string, a ...any) {
	if !r.quiet {
		r.events = append(r.events, fmt.Sprintf(format, a...))
	}
}

func (r *recorder) Open(c *Conn) {
	require.NotContains(r.t, r.conns, c, "opened twice")
	name := map[uint64]string{0: "", clientSocket: "c", acceptedSocket: "s"}[c.Socket]
	r.conns[c] = &recorded{name: name}
	r.opened = append(r.opened, c)
	r.say("%sopen", name)
}

func (r *recorder) at(c *Conn, d Dir, m Mark) *recorded {
	s := r.conns[c]
	require.NotNil(r.t, s, "not open")
	require.False(r.t, s.closed, "after Close")
	require.False(r.t, s.ended[d], "after End")
	require.Equal(r.t, s.next[d], m.Offset, "not contiguous")
	s.marks[d] = append(s.marks[d], m)
	return s
}

func (r *recorder) Data(c *Conn, d Dir, m Mark, b []byte) {
	s := r.at(c, d, m)
	require.NotEmpty(r.t, b)
	s.next[d] += uint64(len(b))
	if !r.quiet {
		s.data[d] = append(s.data[d], b...)
		s.pieces[d] = append(s.pieces[d], delivered{m.Offset, bytes.Clone(b)})
		r.say("%s%s %s", s.name, ">}"[d:d+1], b)
	}
}

func (r *recorder) Gap(c *Conn, d Dir, m Mark, n uint64) {
	s := r.at(c, d, m)
	require.NotZero(r.t, n)
	s.next[d] += n
	s.gaps[d] += n
	r.say("%s%s gap %d", s.name, ">}"[d:d+1], n)
}

func (r *recorder) Spared(c *Conn, d Dir, m Mark, n uint64) {
	s := r.at(c, d, m)
	require.NotZero(r.t, n)
	s.next[d] += n
	r.say("%s%s skip %d", s.name, ">}"[d:d+1], n)
}

func (r *recorder) Plain(c *Conn, d Dir, _ Mark, b []byte) {
	require.False(r.t, r.conns[c].closed, "after Close")
	r.say("%s%s plain %q", r.conns[c].name, ">}"[d:d+1], b)
}

func (r *recorder) End(c *Conn, d Dir, _ int64, reason Reason) {
	s := r.conns[c]
	require.NotNil(r.t, s, "not open")
	require.False(r.t, s.ended[d], "second End")
	require.False(r.t, s.closed, "after Close")
	s.ended[d] = true
	r.say("%s%s end %s", s.name, ">}"[d:d+1], reason)
}

func (r *recorder) Close(c *Conn, _ int64, reason Reason) {
	s := r.conns[c]
	require.NotNil(r.t, s, "not open")
	require.False(r.t, s.closed, "second Close")
	require.Equal(r.t, [2]bool{true, true}, s.ended, "Close before End")
	s.closed, s.reason = true, reason
	r.say("%sclose %s", s.name, reason)
}

func (r *recorder) Tick(int64) {}

// script feeds a Table line by line. A line is
//
//	DIRECTION FLAGS SEQ ACK PAYLOAD   e.g. "> PA 100 300 hello+3"
//
// where "+3" are bytes that were cut off, and "!" is where the urgent pointer points to. The direction is > or < in a capture
// file, as seen from the client; c> c< at the client's socket, s> s< at the
// accepted one, l> l< at the listener. Other lines: "tick 5s", "lost", "reset c" (the
// kernel has believed a reset), "shutdown".
type script struct {
	t     testing.TB
	table *Table
	sink  *recorder
	stats *Stats
	mem   *budget.Budget
	now   int64

	client, server netip.AddrPort // as they are on the wire
}

func newScript(t testing.TB, settings Settings) *script {
	s := &script{
		t: t, sink: newRecorder(t), stats: &Stats{}, mem: budget.New(64 << 20), now: someTime,
		client: clientAddr, server: serverAddr,
	}
	s.table = NewTable(settings, s.mem, s.sink, s.stats)
	s.table.Tick(s.now)
	return s
}

func (s *script) run(lines ...string) *script {
	s.t.Helper()
	for _, line := range lines {
		s.now += int64(time.Millisecond)
		f := strings.Fields(line)
		switch f[0] {
		case "tick":
			d, err := time.ParseDuration(f[1])
			require.NoError(s.t, err)
			s.now += int64(d)
			s.table.Tick(s.now)
		case "reset":
			s.table.Reset(map[string]uint64{"c": clientSocket, "s": acceptedSocket}[f[1]], s.now)
		case "lost":
			s.table.Lost(1, capture.LossRingFull)
		case "shutdown":
			s.table.Shutdown(s.now)
			assert.Zero(s.t, s.mem.Used(), "memory after Shutdown")
			assert.Zero(s.t, s.stats.Open.Load())
			assert.Zero(s.t, s.stats.HalfOpen.Load())
			assert.Zero(s.t, s.stats.Pending.Load())
		default:
			seg := s.segment(f)
			s.table.Segment(&seg)
			clear(seg.Payload) // it was borrowed
		}
	}
	return s
}

func (s *script) segment(f []string) capture.Segment {
	s.t.Helper()
	require.GreaterOrEqual(s.t, len(f), 3, "line %q", f)
	number := func(i int) uint32 {
		if len(f) <= i {
			return 0
		}
		n, err := strconv.ParseUint(f[i], 10, 32)
		require.NoError(s.t, err)
		return uint32(n)
	}
	seg := capture.Segment{Time: s.now, Transport: capture.TCP, Seq: number(2), Ack: number(3)}
	for _, r := range f[1] {
		seg.Flags |= map[rune]capture.Flags{
			'S': capture.SYN, 'A': capture.ACK, 'F': capture.FIN, 'R': capture.RST, 'P': capture.PSH, '!': capture.URG,
		}[r]
		if r == 'U' {
			seg.Transport = capture.UDP
		}
	}
	if len(f) > 4 {
		if at := strings.IndexByte(f[4], '!'); at >= 0 { // behind the urgent byte
			f[4] = f[4][:at] + f[4][at+1:]
			seg.UrgentPointer = uint16(at)
		}
		payload, cut, _ := strings.Cut(f[4], "+")
		seg.Payload = []byte(payload)
		n, _ := strconv.Atoi(cut)
		seg.WireLen = len(payload) + n
	}
	s.locate(&seg, f[0])
	return seg
}

func (s *script) locate(seg *capture.Segment, dir string) {
	seg.Source, seg.Destination = s.client, s.server
	if dir == "<" || dir == "c<" || dir == "s>" || dir == "l>" {
		seg.Source, seg.Destination = s.server, s.client
	}
	if len(dir) == 1 {
		return
	}
	seg.NetNS = 4026531840
	seg.Socket = map[byte]uint64{'c': clientSocket, 's': acceptedSocket, 'l': listenerSocket}[dir[0]]
	seg.Listener = dir[0] == 'l'
	seg.Direction = capture.Egress
	if dir[1] == '<' {
		seg.Direction = capture.Ingress
	}
}

func (s *script) want(events ...string) {
	s.t.Helper()
	assert.Equal(s.t, events, s.sink.events)
}
