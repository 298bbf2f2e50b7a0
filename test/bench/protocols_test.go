// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// protocol is traffic of another protocol than HTTP/1, and how to read it.
type protocol struct {
	name  string
	unit  string // what is counted
	write func(tb testing.TB) *file
	ours  func(tb testing.TB, f *file) int
	// tshark are the filter that finds what is counted, a packet each, and fields.
	tshark []string
}

var protocols = []protocol{
	{
		name: "grpc-unary-1KiB", unit: "calls", write: grpcTraffic, ours: calls,
		tshark: []string{
			"-d", "tcp.port==8080,http2", "-Y", "http2.headers.status", "-e", "tcp.dstport", "-e", "http2.streamid", "-e", "http2.header.name",
			"-e", "http2.header.value", "-e", "grpc.message_data",
		},
	},
	{
		name: "websocket-text-200B", unit: "messages", write: webSocketTraffic, ours: events,
		tshark: []string{"-Y", "websocket", "-e", "tcp.dstport", "-e", "websocket.opcode", "-e", "data-text-lines", "-e", "websocket.payload.text"},
	},
	{
		name: "dns-udp-new-ports", unit: "calls", write: func(tb testing.TB) *file { return dnsTraffic(tb, 20_000) }, ours: calls,
		tshark: dnsFields,
	},
	{
		name: "dns-udp-same-ports", unit: "calls", write: func(tb testing.TB) *file { return dnsTraffic(tb, 20) }, ours: calls,
		tshark: dnsFields,
	},
}

var dnsFields = []string{
	"-Y", "dns.flags.response == 1", "-e", "ip.dst", "-e", "udp.dstport", "-e", "dns.id", "-e", "dns.qry.name", "-e", "dns.qry.type", "-e", "dns.flags.rcode",
	"-e", "dns.a", "-e", "dns.cname", "-e", "dns.time",
}

func calls(tb testing.TB, f *file) int { return wirespan(tb, f, newShard()) }

// events is the number of log records of what was told while calls ran.
func events(tb testing.TB, f *file) int {
	s := newShard()
	replay(tb, f, s)
	require.Equal(tb, s.pair.Paired.Load()+s.pair.Events.Load(), s.records.LogRecords.Load())
	return int(s.pair.Events.Load())
}

func (p *protocol) shark(tb testing.TB, f *file) int {
	args := append([]string{"-n", "-r", f.path, "-T", "fields", "-e", "frame.time_epoch"}, p.tshark...)
	out, err := exec.Command("tshark", args...).Output()
	require.NoError(tb, err)
	return bytes.Count(out, []byte{'\n'})
}

// TestReadersOfProtocolsAgree makes sure that the benchmarks compare like with like.
func TestReadersOfProtocolsAgree(t *testing.T) {
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			f := p.write(t)
			require.Equal(t, f.calls, p.ours(t, f))
			if hasTshark() {
				require.Equal(t, f.calls, p.shark(t, f))
			}
		})
	}
}

// BenchmarkProtocols reads the same file with one shard of Wirespan and with tshark, in
// turns.
func BenchmarkProtocols(b *testing.B) {
	for _, p := range protocols {
		b.Run(p.name, func(b *testing.B) {
			f := p.write(b)
			var ours, shark cost
			for b.Loop() {
				ours.add(b, f, syscall.RUSAGE_SELF, func() int { return p.ours(b, f) })
				if hasTshark() {
					shark.add(b, f, syscall.RUSAGE_CHILDREN, func() int { return p.shark(b, f) })
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ours.perSecond(), p.unit+"/cpu-s")
			b.ReportMetric(float64(ours.allocs)/float64(ours.calls), "allocs/"+p.unit)
			if shark.calls > 0 {
				b.ReportMetric(shark.perSecond(), "tshark-"+p.unit+"/cpu-s")
				b.ReportMetric(ours.perSecond()/shark.perSecond(), "x-tshark")
			}
		})
	}
}

// grpcTraffic is unary calls with messages of 1 KiB in both directions, on connections
// that stay open, as grpc-go writes them.
func grpcTraffic(tb testing.TB) *file {
	f, w := traffic{connections: 50, calls: 20_000, segment: mss}.create(tb)
	ends := make([]grpcConnection, f.connections)
	for i := range ends {
		c := &ends[i]
		c.connection = newConnection(i)
		c.open(w)
	}
	message := append([]byte{0, 0, 0, 4, 3, 0x0a, 0x80, 0x08}, jsonBody(1<<10)...)
	for i := range f.calls {
		ends[i%f.connections].call(w, i, message)
	}
	w.close(tb, f)
	return f
}

// grpcConnection is a connection of HTTP/2, with what each end has to write.
type grpcConnection struct {
	connection
	stream uint32
	bytes  [2]*bytes.Buffer
	framer [2]*http2.Framer
	fields [2]*bytes.Buffer
	hpack  [2]*hpack.Encoder
}

func (c *grpcConnection) open(w *writer) {
	w.handshake(&c.connection)
	for end := range c.framer {
		c.bytes[end], c.fields[end] = new(bytes.Buffer), new(bytes.Buffer)
		c.framer[end], c.hpack[end] = http2.NewFramer(c.bytes[end], nil), hpack.NewEncoder(c.fields[end])
	}
	c.bytes[0].WriteString(http2.ClientPreface)
	for end := range c.framer {
		_ = c.framer[end].WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
		c.send(w, end)
	}
	c.stream = 1
}

// send sends what an end has written.
func (c *grpcConnection) send(w *writer, end int) {
	w.data(&c.connection, end, c.bytes[end].Bytes())
	c.bytes[end].Reset()
}

func (c *grpcConnection) headers(end int, last bool, fields ...string) {
	c.fields[end].Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = c.hpack[end].WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = c.framer[end].WriteHeaders(http2.HeadersFrameParam{
		StreamID: c.stream, BlockFragment: c.fields[end].Bytes(), EndHeaders: true, EndStream: last,
	})
}

func (c *grpcConnection) call(w *writer, i int, message []byte) {
	c.headers(0, false, ":method", "POST", ":scheme", "http", ":path", "/shop.Orders/List", ":authority", "orders.shop.example:8080",
		"content-type", "application/grpc", "user-agent", "grpc-go/1.82.1", "te", "trailers", "grpc-timeout", "5S", "x-request-id", strconv.Itoa(i))
	_ = c.framer[0].WriteData(c.stream, true, message)
	c.send(w, 0)
	c.headers(1, false, ":status", "200", "content-type", "application/grpc")
	_ = c.framer[1].WriteData(c.stream, false, message)
	c.headers(1, true, "grpc-status", "0", "grpc-message", "")
	c.send(w, 1)
	c.stream += 2
}

// webSocketTraffic is messages of JSON in both directions in turns, those of the client
// masked.
func webSocketTraffic(tb testing.TB) *file {
	f, w := traffic{connections: 50, calls: 40_000, segment: mss}.create(tb)
	ends := make([]connection, f.connections)
	for i := range ends {
		ends[i] = newConnection(i)
		w.handshake(&ends[i])
		w.data(&ends[i], 0, []byte("GET /feed HTTP/1.1\r\nHost: feed.shop.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"))
		w.data(&ends[i], 1, []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"))
	}
	for i := range f.calls {
		text := fmt.Appendf(nil, `{"seq":%08d,"symbol":"KETTLE","price":%d.25,"depth":"%0150d"}`, i, i%300, i)
		from := i / f.connections % 2
		w.data(&ends[i%f.connections], from, webSocketFrame(text, from == 0))
	}
	w.close(tb, f)
	return f
}

// webSocketFrame is a message in one frame (RFC 6455, section 5.2).
func webSocketFrame(text []byte, masked bool) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(text)))
	if !masked {
		return append(b, text...)
	}
	b[1] |= 0x80
	key := [4]byte{1, 2, 3, 4}
	b = append(b, key[:]...)
	for i, c := range text {
		b = append(b, c^key[i%4])
	}
	return b
}

// dnsTraffic is queries for addresses and their answers, by way of an alias, from a
// number of ports.
func dnsTraffic(tb testing.TB, ports int) *file {
	f, w := traffic{connections: ports, calls: 20_000}.create(tb)
	for i := range f.calls {
		c := newConnection(i % ports)
		c.port[1] = 53
		name := fmt.Sprintf("shop-%d.example.", i%1000)
		query := new(dns.Msg).SetQuestion(name, dns.TypeA)
		query.Id = uint16(i)
		query.SetEdns0(1232, false)
		answer := new(dns.Msg).SetReply(query)
		answer.Answer = []dns.RR{
			&dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 300}, Target: "cdn.example."},
			&dns.A{Hdr: dns.RR_Header{Name: "cdn.example.", Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: []byte{192, 0, 2, byte(i)}},
			&dns.A{Hdr: dns.RR_Header{Name: "cdn.example.", Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: []byte{192, 0, 3, byte(i)}},
		}
		for from, message := range []*dns.Msg{query, answer} {
			b, err := message.Pack()
			require.NoError(tb, err)
			w.datagram(&c, from, b)
		}
	}
	w.close(tb, f)
	return f
}
