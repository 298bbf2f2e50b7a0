// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// traffic is HTTP/1.1 on keep-alive connections, as a JSON service has it: a
// handshake, then calls one after another, and a bare acknowledgement by the
// client for every two segments.
type traffic struct {
	name        string
	connections int
	calls       int // in all, one connection after another in turns
	body        int // bytes of a response's body
	segment     int // bytes of TCP payload in a frame: 1448 on a wire, up to 64 KiB behind offloads
}

// file is a capture file of some traffic.
type file struct {
	traffic
	path   string
	size   int64
	stream int64 // bytes of TCP payload
	// opened is the number of frames until each connection has had one call, and
	// closing the number until the first connection ends.
	opened, closing int
}

const (
	mss      = 1448
	offload  = 60 << 10
	frameGap = 2 * time.Microsecond
)

// write makes a capture file that the benchmark removes at its end.
func (t traffic) write(tb testing.TB) *file {
	tb.Helper()
	f, w := t.create(tb)
	ends := make([]connection, t.connections)
	for i := range ends {
		ends[i] = newConnection(i)
		w.handshake(&ends[i])
	}
	body := jsonBody(t.body)
	for i := range t.calls {
		c := &ends[i%t.connections]
		w.data(c, 0, []byte(request(i)))
		w.data(c, 1, append(fmt.Appendf(nil, responseHead, len(body), i), body...))
		if i == t.connections-1 {
			f.opened = w.frames
		}
	}
	f.closing = w.frames
	for i := range ends {
		w.frame(&ends[i], 0, flagFIN|flagACK, nil)
		w.frame(&ends[i], 1, flagFIN|flagACK, nil)
		w.frame(&ends[i], 0, flagACK, nil)
	}
	w.close(tb, f)
	return f
}

// create begins a capture file.
func (t traffic) create(tb testing.TB) (*file, *writer) {
	tb.Helper()
	f := &file{traffic: t, path: filepath.Join(tb.TempDir(), "calls.pcap")}
	out, err := os.Create(f.path)
	require.NoError(tb, err)
	w := &writer{file: out, out: bufio.NewWriterSize(out, 1<<20), segment: t.segment, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w.header()
	return f, w
}

func (w *writer) close(tb testing.TB, f *file) {
	tb.Helper()
	require.NoError(tb, w.out.Flush())
	info, err := w.file.Stat()
	require.NoError(tb, err)
	require.NoError(tb, w.file.Close())
	f.size, f.stream = info.Size(), w.stream
}

func request(i int) string {
	return fmt.Sprintf("GET /api/v1/orders/%d?page=%d&currency=EUR HTTP/1.1\r\n"+
		"Host: orders.shop.example:8080\r\n"+
		"User-Agent: python-requests/2.31.0\r\n"+
		"Accept: application/json\r\n"+
		"Accept-Encoding: gzip, deflate\r\n"+
		"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl\r\n"+
		"X-Request-Id: 7d9f4c1e-%08x\r\n"+
		"Connection: keep-alive\r\n\r\n", i, i%7, i)
}

const responseHead = "HTTP/1.1 200 OK\r\n" +
	"Server: nginx/1.22.1\r\n" +
	"Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n" +
	"Content-Type: application/json; charset=utf-8\r\n" +
	"Content-Length: %d\r\n" +
	"Connection: keep-alive\r\n" +
	"Cache-Control: no-cache, private\r\n" +
	"X-Request-Id: 7d9f4c1e-%08x\r\n\r\n"

// jsonBody is a list of orders of exactly n bytes.
func jsonBody(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"orders":[`)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":%d,"customer":"Jane Doe","status":"confirmed","created":"2026-01-02T03:04:05Z","total":%d.99,"items":[{"sku":"A-%04d","name":"Blue kettle","quantity":2}]},`,
			100000+i, i%300, i)
	}
	return append([]byte(b.String()[:n-2]), ']', '}')
}

// connection is the state of one TCP connection: what each end sends next.
type connection struct {
	addr    [2][4]byte
	port    [2]uint16
	seq     [2]uint32
	pending int // segments that the client has not acknowledged
}

func newConnection(i int) connection {
	return connection{
		addr: [2][4]byte{{10, 1, byte(i >> 14), 1}, {10, 2, 0, 1}},
		port: [2]uint16{uint16(20000 + i&0x3fff), 8080},
		seq:  [2]uint32{uint32(i)*2654435761 + 1, uint32(i)*40503 + 77},
	}
}

// TCP control bits.
const (
	flagFIN = 0x01
	flagSYN = 0x02
	flagPSH = 0x08
	flagACK = 0x10
)

// writer writes Ethernet frames with IPv4, and TCP or UDP, to a pcap file.
type writer struct {
	file    *os.File
	out     *bufio.Writer
	segment int
	now     time.Time
	frames  int
	stream  int64
}

// header is the file's: nanoseconds, Ethernet.
func (w *writer) header() {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint32(b, 256<<10)
	b = binary.LittleEndian.AppendUint32(b, 1)
	_, _ = w.out.Write(b) // Flush gives the error
}

func (w *writer) handshake(c *connection) {
	w.frame(c, 0, flagSYN, nil)
	w.frame(c, 1, flagSYN|flagACK, nil)
	w.frame(c, 0, flagACK, nil)
}

// data sends bytes from one end, in segments.
func (w *writer) data(c *connection, from int, b []byte) {
	for len(b) > 0 {
		n := min(len(b), w.segment)
		flags := byte(flagACK)
		if n == len(b) {
			flags |= flagPSH
		}
		w.frame(c, from, flags, b[:n])
		b = b[n:]
		if c.pending += from; c.pending == 2 || len(b) == 0 && c.pending > 0 {
			w.frame(c, 0, flagACK, nil)
			c.pending = 0
		}
	}
}

func (w *writer) frame(c *connection, from int, flags byte, payload []byte) {
	to := 1 - from
	b := w.ip(c, from, protocolTCP, 20+len(payload))
	b = binary.BigEndian.AppendUint32(b, c.seq[from])
	ack := c.seq[to]
	if flags&flagACK == 0 {
		ack = 0
	}
	b = binary.BigEndian.AppendUint32(b, ack)
	b = append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	w.write(b, payload)
	c.seq[from] += uint32(len(payload))
	if flags&(flagSYN|flagFIN) != 0 {
		c.seq[from]++
	}
}

// IP protocol numbers.
const (
	protocolTCP = 6
	protocolUDP = 17
)

// ip begins a frame up to the ports. n is the size of the IP packet's payload.
func (w *writer) ip(c *connection, from int, protocol byte, n int) []byte {
	to := 1 - from
	w.now = w.now.Add(frameGap)
	b := make([]byte, 0, 16+14+20+20)
	b = binary.LittleEndian.AppendUint32(b, uint32(w.now.Unix()))
	b = binary.LittleEndian.AppendUint32(b, uint32(w.now.Nanosecond()))
	b = binary.LittleEndian.AppendUint32(b, uint32(14+20+n))
	b = binary.LittleEndian.AppendUint32(b, uint32(14+20+n))
	b = append(b, 2, 0, 0, 0, 0, byte(to), 2, 0, 0, 0, 0, byte(from), 0x08, 0x00)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(20+n))
	b = append(b, 0, 0, 0x40, 0, 64, protocol, 0, 0)
	b = append(b, c.addr[from][:]...)
	b = append(b, c.addr[to][:]...)
	b = binary.BigEndian.AppendUint16(b, c.port[from])
	return binary.BigEndian.AppendUint16(b, c.port[to])
}

func (w *writer) write(head, payload []byte) {
	w.frames++
	w.stream += int64(len(payload))
	_, _ = w.out.Write(head)
	_, _ = w.out.Write(payload)
}

// datagram sends one datagram of UDP, without a checksum.
func (w *writer) datagram(c *connection, from int, payload []byte) {
	b := w.ip(c, from, protocolUDP, 8+len(payload))
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	w.write(append(b, 0, 0), payload)
}
