// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// attack is traffic that wants more memory than there is.
type attack struct {
	name string
	run  func(s *stress)
	// says are counters that grow thereby, as metric and label.
	says [][2]string
}

// attacks are in full size: what memory they would take without limits is a multiple
// of the budget.
var attacks = []attack{
	{"half-open connections", halfOpen, [][2]string{{"connections_closed", "evicted_half_open"}}},
	{"SYN flood", synFlood, [][2]string{{"transport_events", "handshake_evicted"}}},
	{"idle keep-alive connections", idleKeepAlive, [][2]string{{"connections_closed", "evicted"}}},
	{"idle HTTP/2 connections", idleHTTP2, [][2]string{{"connections_closed", "evicted"}}},
	{"streams that never end", endlessStreams, [][2]string{{"connections_closed", "evicted"}}},
	{"bodies that stop", stoppedBodies, [][2]string{{"connections_closed", "evicted"}}},
	{"header line of 4 GB", hugeHeader, [][2]string{{"limits", "header_bytes"}}},
	{"header lines that stop", stoppedHeaders, [][2]string{{"connections_closed", "evicted"}}},
	{"zip bombs", zipBombs, [][2]string{{"limits", "decoded_bytes"}}},
	{"endless 1xx", endlessInterim, [][2]string{{"exchanges", "over_limit"}}},
	{"requests without response", unansweredRequests, [][2]string{{"connections_closed", "evicted"}}},
	{"segments behind holes", holes, [][2]string{{"connections_closed", "evicted"}}},
	{"CONTINUATION flood", continuations, [][2]string{{"limits", "continuations"}}},
	{"HTTP/2 reset flood", resets, [][2]string{{"limits", "resets"}}},
	{"HTTP/2 PING flood", pings, nil},
	{"HTTP/2 header tables", headerTables, [][2]string{{"connections_closed", "evicted"}}},
	{"DNS queries", dnsQueries, [][2]string{{"connections_closed", "evicted_half_open"}, {"dissect_events", "no_memory"}}},
}

func TestMemoryUnderAttack(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			s := newStress(t)
			a.run(s)
			s.measure()
			for _, c := range a.says {
				assert.True(t, stressScale > 1 || s.value(c[0], c[1]) > 0, "nothing says why: %v", c)
			}
			s.call("after")
			s.end()
		})
	}
}

// often calls f n times, and measures a few times on the way.
func (s *stress) often(n int, f func(i int)) {
	n = max(8, n/stressScale)
	for i := range n {
		f(i)
		if i%(n/3) == n/4 {
			s.measure()
		}
	}
}

func halfOpen(s *stress) {
	s.often(200_000, func(int) { s.link().emit(conn.Out, capture.SYN, nil) })
}

// synFlood is a flood at a listening socket, which answers.
func synFlood(s *stress) {
	s.often(200_000, func(int) {
		l := s.link()
		l.seg.Socket, l.seg.Listener = 1, true
		l.at = [2]netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:80"), l.at[conn.Out]}
		l.emit(conn.In, capture.SYN, nil)
		l.emit(conn.Out, capture.SYN|capture.ACK, nil)
	})
}

var (
	get      = []byte("GET /idle HTTP/1.1\r\nHost: h\r\nUser-Agent: keep-alive\r\n\r\n")
	answered = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
	chunked  = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
)

func idleKeepAlive(s *stress) {
	s.often(50_000, func(int) {
		l := s.link().open()
		l.send(conn.Out, get)
		l.send(conn.In, answered)
	})
}

func endlessStreams(s *stress) {
	piece := append(append([]byte("10000\r\n"), bytes.Repeat([]byte("x"), 64<<10)...), "\r\n"...)
	links := make([]*link, 500)
	for i := range links {
		links[i] = s.link().open()
		links[i].send(conn.Out, get)
		links[i].send(conn.In, chunked)
	}
	s.often(20*len(links), func(i int) { links[i%len(links)].send(conn.In, piece) })
}

func stoppedBodies(s *stress) {
	head := []byte("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n")
	piece := bytes.Repeat([]byte("x"), 32<<10)
	s.often(5_000, func(int) {
		l := s.link().open()
		l.send(conn.Out, head)
		l.send(conn.Out, piece)
	})
}

func hugeHeader(s *stress) {
	piece := bytes.Repeat([]byte("x"), 64<<10)
	l := s.link().open()
	l.send(conn.Out, []byte("GET / HTTP/1.1\r\nHost: h\r\nX: "))
	s.often(4<<30/len(piece), func(int) { l.send(conn.Out, piece) })
	l.close()
}

func stoppedHeaders(s *stress) {
	piece := bytes.Repeat([]byte("x"), 100<<10)
	s.often(5_000, func(int) {
		l := s.link().open()
		l.send(conn.Out, []byte("GET / HTTP/1.1\r\nHost: h\r\nX: "))
		l.send(conn.Out, piece)
	})
}

func zipBombs(s *stress) {
	for _, coding := range []string{"gzip", "deflate", "br", "zstd"} {
		bomb := compress(s.t, coding, make([]byte, 16<<20))
		answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(bomb), bomb)
		s.often(30, func(int) {
			l := s.link().open()
			l.send(conn.Out, get)
			l.send(conn.In, answer)
			// This one waits for its request.
			l.send(conn.Out, get[:len(get)-2])
			l.send(conn.In, answer)
		})
	}
}

func compress(t *testing.T, coding string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w interface {
		Write(b []byte) (int, error)
		Close() error
	}
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "br":
		w = brotli.NewWriter(&out)
	default:
		z, err := zstd.NewWriter(&out)
		require.NoError(t, err)
		w = z
	}
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func endlessInterim(s *stress) {
	hint := []byte("HTTP/1.1 103 Early Hints\r\nLink: </" + strings.Repeat("x", 1000) + ">\r\n\r\n")
	links := make([]*link, 1000)
	for i := range links {
		links[i] = s.link().open()
		links[i].send(conn.Out, get)
	}
	s.often(100*len(links), func(i int) { links[i%len(links)].send(conn.In, hint) })
}

func unansweredRequests(s *stress) {
	many := bytes.Repeat(get, 500)
	s.often(100, func(int) {
		l := s.link().open()
		for range 2 {
			l.send(conn.Out, many)
		}
	})
}

func holes(s *stress) {
	piece := bytes.Repeat([]byte("x"), 1400)
	s.often(2_000, func(int) {
		l := s.link().open()
		l.seq[conn.Out]++ // a byte that never comes
		for range 100 {
			l.send(conn.Out, piece)
		}
	})
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// frame appends a frame of HTTP/2 (RFC 9113, section 4.1).
func frame(b []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	b = append(b, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	return append(b, payload...)
}

const (
	data, headers, rst, settings, ping, continuation = 0, 1, 3, 4, 6, 9
	endStream, endHeaders                            = 1, 4
)

// fields is a header block without Huffman coding: GET http://h/ and one field, of
// which the table keeps everything that is new.
func fields(name, value string) []byte {
	b := []byte{0x82, 0x86, 0x84, 0x41, 1, 'h'}
	b = append(b, 0x40, byte(len(name)))
	b = append(b, name...)
	b = append(b, byte(len(value)))
	return append(b, value...)
}

// http2 opens a connection that has answered a call.
func (s *stress) http2() *link {
	l := s.link().open()
	l.send(conn.Out, frame([]byte(preface), settings, 0, 0, nil))
	l.send(conn.In, frame(nil, settings, 0, 0, nil))
	l.send(conn.Out, frame(nil, headers, endStream|endHeaders, 1, fields("a", "b")))
	l.send(conn.In, frame(frame(nil, headers, endHeaders, 1, []byte{0x88}), data, endStream, 1, []byte("ok")))
	return l
}

func idleHTTP2(s *stress) { s.often(20_000, func(int) { s.http2() }) }

func continuations(s *stress) {
	open := frame(nil, headers, endStream, 3, fields("a", "b"))
	more := frame(nil, continuation, 0, 3, fields("x-"+strings.Repeat("x", 100), strings.Repeat("y", 100))[6:])
	s.often(500, func(int) {
		l := s.http2()
		l.send(conn.Out, open)
		for range 20 {
			l.send(conn.Out, bytes.Repeat(more, 100))
		}
	})
}

func resets(s *stress) {
	block, cancel := fields("a", "b"), []byte{0, 0, 0, 8}
	links := make([]*link, 20)
	for i := range links {
		links[i] = s.http2()
	}
	s.often(5000*len(links), func(i int) {
		id := uint32(3 + 2*(i/len(links)))
		links[i%len(links)].send(conn.Out, frame(frame(nil, headers, endStream|endHeaders, id, block), rst, 0, id, cancel))
	})
}

func pings(s *stress) {
	many := bytes.Repeat(frame(nil, ping, 0, 0, make([]byte, 8)), 1000)
	l := s.http2()
	s.often(10_000, func(int) { l.send(conn.Out, many) })
}

// headerTables fills the tables of field names with as many entries as fit.
func headerTables(s *stress) {
	s.often(5_000, func(i int) {
		l := s.http2()
		var block []byte
		for k := range 100 {
			block = append(block, 0x40, 3, 'x', byte('a'+k%26), byte('a'+k/26), 1, byte('a'+i%26))
		}
		l.send(conn.Out, frame(nil, headers, endStream|endHeaders, 3, append(fields("a", "b"), block...)))
	})
}

// dnsQueries come from sockets of their own and from one, and nobody answers.
func dnsQueries(s *stress) {
	one := s.link()
	s.often(60_000, func(i int) {
		l := one
		if i%2 == 0 {
			l = s.link()
		}
		l.seg.Transport, l.at[conn.In] = capture.UDP, netip.AddrPortFrom(l.at[conn.In].Addr(), 53)
		q := []byte{byte(i >> 8), byte(i), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 8}
		q = fmt.Appendf(q, "n%07d", i)
		l.emit(conn.Out, 0, append(q, 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1))
	})
}

// A consumer that is stuck for minutes costs its queue's part of the budget, and does not
// blind the capture.
func TestStuckConsumer(t *testing.T) {
	for name, body := range map[string]string{"small calls": "ok", "large bodies": strings.Repeat("x", 20<<10)} {
		t.Run(name, func(t *testing.T) {
			s := newStress(t)
			stuck := make(chan struct{})
			s.next.stuck.Store(&stuck)
			answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			idle := make([]*link, 1000)
			for i := range idle {
				idle[i] = s.link().open()
			}
			s.often(15_000, func(int) {
				l := s.link().open()
				l.send(conn.Out, get)
				l.send(conn.In, answer)
				l.close()
			})
			s.pass(300e9)
			s.measure()
			assert.True(t, stressScale > 1 || s.value("dropped_records", "memory") > 0)
			assert.Zero(t, s.value("connections_closed", "evicted"), "it is the queue that gives way")
			s.next.stuck.Store(nil)
			close(stuck)
			s.call("after")
			s.end()
		})
	}
}

// One connection at full speed, which wants more than all of the memory, costs none of
// thousands of small ones anything.
func TestFairness(t *testing.T) {
	chunk := append(append([]byte("10000\r\n"), bytes.Repeat([]byte("x"), 64<<10)...), "\r\n"...)
	for name, bulk := range map[string]func(l *link){
		"download": func(l *link) { l.send(conn.In, chunk) },
		"pipelined requests": func(l *link) {
			l.send(conn.Out, bytes.Repeat(get, 10))
		},
		"uploads that nobody answers": func(l *link) {
			body := bytes.Repeat([]byte("x"), 32<<10)
			l.send(conn.Out, fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		},
		"segments behind a hole": func(l *link) {
			l.seq[conn.Out]++
			l.send(conn.Out, chunk)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStress(t)
			greedy := s.link().open()
			greedy.send(conn.Out, get)
			if name == "download" {
				greedy.send(conn.In, chunked)
			}
			const small, steps = 2000 / stressScale, 4
			body := []byte("all of it")
			links := make([]*link, small)
			for i := range links {
				links[i] = s.link().open()
				bulk(greedy)
			}
			for step := range steps {
				for i, l := range links {
					switch step {
					case 0:
						l.send(conn.Out, fmt.Appendf(nil, "GET /small-%d HTTP/1.1\r\n", i))
					case 1:
						l.send(conn.Out, []byte("Host: h\r\n\r\n"))
					case 2:
						l.send(conn.In, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", len(body)))
					default:
						l.send(conn.In, body)
					}
					bulk(greedy)
				}
				s.measure()
			}
			require.Eventually(t, func() bool {
				s.pass(100e6)
				return s.next.count() == small+1
			}, 5*time.Second, 5*time.Millisecond, "%d calls are complete", s.next.count())
			assert.Zero(t, s.value("connections_closed", "evicted"))
			assert.Zero(t, s.value("connections_closed", "refused"))
			assert.Zero(t, s.value("dropped_records", ""))
			s.end()
		})
	}
}
