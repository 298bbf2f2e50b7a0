// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// TestPlain shows the plaintext of real connections as a library's probes would: what
// comes out has to be what the keys give, with the same places on the wire.
func TestPlain(t *testing.T) {
	for _, name := range []string{
		"curl-nginx-http1", "curl-nginx-http2", "curl-nginx-large", "tls12-aes128-gcm", "tls12-chacha20", "tls12-aes128-cbc",
		"tls12-aes256-cbc", "client-certificate-13", "client-certificate-12", "hello-retry", "resumed-13", "resumed-12", "key-update",
	} {
		file := filepath.Join("testdata", name+".pcap")
		opened := play(t, file, keys(t), nil)
		want := opened.text()
		require.Contains(t, want, "GET /")
		for _, how := range []showing{
			{name: "before the wire"},
			{name: "after the wire", late: true},
			{name: "in small reads", late: true, cut: func(int) int { return 37 }},
			{name: "several records in one", late: true, join: 3},
			{name: "several records later", late: true, delay: 2},
			{name: "answers before their requests", late: true, tardy: true},
			{name: "cut at random", cut: func(n int) int { return 1 + rand.New(rand.NewPCG(uint64(n), 1)).IntN(5000) }},
		} {
			t.Run(name+"/"+how.name, func(t *testing.T) {
				how.pieces = opened.pieces
				got := play(t, file, nil, &how)
				if diff := cmp.Diff(want, got.text()); diff != "" {
					t.Errorf("keys and plaintext differ (-keys +plaintext):\n%s", diff)
				}
				assert.False(t, got.inexact, "the place is known")
				assert.Equal(t, opened.pieces[0].dir, got.pieces[0].dir, "who says something first")
			})
		}
	}
}

// TestPlainByteByByte: where every length is an end of a chunk, nothing but the bytes is
// certain.
func TestPlainByteByByte(t *testing.T) {
	for _, name := range []string{"curl-nginx-http1", "curl-nginx-http2", "tls12-aes256-cbc", "client-certificate-13", "key-update"} {
		file := filepath.Join("testdata", name+".pcap")
		opened := play(t, file, keys(t), nil)
		got := play(t, file, nil, &showing{pieces: opened.pieces, late: true, cut: func(int) int { return 1 }})
		assert.Equal(t, opened.calls(), got.calls(), name)
	}
}

// TestPlainWithoutWire: records that the capture has not seen make places unknown, and
// nothing else.
func TestPlainWithoutWire(t *testing.T) {
	file := filepath.Join("testdata", "curl-nginx-http1.pcap")
	opened := play(t, file, keys(t), nil)
	how := showing{pieces: opened.pieces, late: true, deaf: true}
	got := play(t, file, nil, &how)
	assert.True(t, got.inexact)
	assert.Equal(t, opened.calls(), got.calls())
}

// TestLostRecords: with keys, what is lost inside is known to the byte.
func TestLostRecords(t *testing.T) {
	file := filepath.Join("testdata", "curl-nginx-large.pcap")
	whole := play(t, file, keys(t), nil).exchanges
	want := whole[len(whole)-1].Response
	for drop := 20; drop < 50; drop += 3 {
		how := showing{drop: drop}
		r := play(t, file, keys(t), &how)
		require.Greater(t, how.seen, drop)
		got := r.exchanges[len(r.exchanges)-1].Response
		require.NotNil(t, got, "segment %d", drop)
		assert.Equal(t, want.Content.BodySize, got.Content.BodySize, "segment %d", drop)
		assert.Equal(t, want.Last, got.Last, "segment %d", drop)
		assert.Positive(t, got.GapBytes, "segment %d", drop)
		assert.LessOrEqual(t, got.GapBytes, uint64(2*16384))
	}
}

// TestPlainMidway shows the plaintext only from a later record on.
func TestPlainMidway(t *testing.T) {
	file := filepath.Join("testdata", "curl-nginx-large.pcap")
	opened := play(t, file, keys(t), nil)
	how := showing{late: true}
	for _, p := range opened.pieces {
		if p.dir == conn.Out || len(how.pieces) > 3 {
			how.pieces = append(how.pieces, p)
		}
	}
	got := play(t, file, nil, &how)
	require.NotEmpty(t, got.exchanges)
	last := got.exchanges[len(got.exchanges)-1]
	assert.Contains(t, fmt.Sprintf("%+v", last.Request.Protocol), "/large.txt")
	assert.Equal(t, opened.exchanges[len(opened.exchanges)-1].Request.First.Seq, last.Request.First.Seq)
}

// showing says how plaintext is shown.
type showing struct {
	name   string
	pieces []piece
	late   bool            // after the wire
	cut    func(n int) int // into pieces of so many bytes
	join   int             // so many records in one call
	delay  int             // so many records later
	deaf   bool            // the wire's bytes after the handshake are lost
	tardy  bool            // what the client sent comes after what it read next
	drop   int             // the segment of the server's that is lost; 0 for none
	seen   int             // segments of the server

	offset [2]uint64
	queue  [2][]byte
	queued [2]int
	kept   []piece // by tardy
}

// piece is what was in one record.
type piece struct {
	conn uint64 // its number
	dir  conn.Dir
	seq  uint32
	b    []byte
}

// run is what came of a capture.
type run struct {
	t         *testing.T
	exchanges []*pair.Exchange
	pieces    []piece
	conns     map[*conn.Conn]uint64
	inexact   bool
}

func (r *run) text() string {
	var out strings.Builder
	for _, x := range r.exchanges {
		if x.Carrier == nil {
			continue
		}
		for _, m := range []*dissect.Message{x.Request, x.Response} {
			if m != nil {
				fmt.Fprintf(&out, "%+v\n%+v %+v\n%s\n", m.First, m.Last, m.Content.Headers, m.Content.Body)
			}
		}
		fmt.Fprintln(&out, r.describe(x), x.Missing, x.Uncertain)
	}
	return out.String()
}

func (*run) describe(x *pair.Exchange) string {
	if x.Request != nil {
		if r, ok := x.Request.Protocol.(httpmessage.Requester); ok {
			to := r.HTTPRequest(x.Request)
			return to.Method + " " + to.Raw
		}
	}
	return x.Dissector.Describe(dissect.ClientSide, x.Request, x.Response, nothing{}).Name
}

// calls are the operations inside.
func (r *run) calls() (list []string) {
	for _, x := range r.exchanges {
		if x.Carrier != nil {
			require.NotNil(r.t, x.Response, r.describe(x))
			list = append(list, r.describe(x)+" "+string(x.Response.Content.Body))
		}
	}
	return list
}

func play(t *testing.T, file string, keys *decrypt.Keys, how *showing) *run {
	t.Helper()
	r := &run{t: t, conns: map[*conn.Conn]uint64{}}
	memory := budget.New(64 << 20)
	var stats engine.Stats
	list := []dissect.Dissector{spy{tls.Dissector{Keys: keys}, r}, http2.Dissector{}, http.Dissector{}}
	e := engine.New(engine.Settings{}, list, pair.New(pair.Settings{}, r, &pair.Stats{}), zap.Must(zap.NewDevelopment()), &stats)
	table := conn.NewTable(conn.Settings{}, memory, &shower{Engine: e, r: r, how: how}, &conn.Stats{})
	source := pcap.New(pcap.Settings{Files: []string{file}}, zap.NewNop(), &pcap.Stats{})
	require.NoError(t, source.Start(t.Context()))
	require.NoError(t, source.Run(t.Context(), 0, table))
	table.Shutdown(0)
	assert.Zero(t, memory.Used(), "memory that is left")
	assert.Zero(t, stats.Total(engine.MetricPanics))
	assert.Zero(t, stats.Unreleased.Load())
	return r
}

func (r *run) Exchange(x *pair.Exchange) {
	for _, m := range []*dissect.Message{x.Request, x.Response} {
		if m != nil {
			x.Conn.Memory.Give(m.Reserved)
		}
	}
	if x.Carrier != nil {
		x.Carrier.DescribeCarrier(x.First, inexactIn{to: &r.inexact})
	}
	r.exchanges = append(r.exchanges, x)
}
func (*run) Open(*pair.Exchange, int64) {}
func (*run) Event(*pair.Event)          {}
func (*run) Tick(int64)                 {}

// shower is an engine that is shown plaintext beside what the wire has.
type shower struct {
	*engine.Engine
	r   *run
	how *showing
}

func (s *shower) Open(c *conn.Conn) {
	s.r.conns[c] = uint64(len(s.r.conns) + 1)
	if s.how != nil {
		s.how.offset = [2]uint64{}
	}
	s.Engine.Open(c)
}

func (s *shower) Data(c *conn.Conn, d conn.Dir, m conn.Mark, b []byte) {
	const most = 1400
	for s.how != nil && s.how.drop > 0 && len(b) > most {
		s.segment(c, d, m, b[:most])
		m.Offset, m.Seq, b = m.Offset+most, m.Seq+most, b[most:]
	}
	s.segment(c, d, m, b)
}

func (s *shower) segment(c *conn.Conn, d conn.Dir, m conn.Mark, b []byte) {
	var due []piece
	if s.how != nil {
		for _, p := range s.how.pieces {
			// The end of the record is behind its plaintext.
			at := p.seq
			if s.how.late {
				at += uint32(len(p.b)) + 15
			}
			if p.conn == s.r.conns[c] && p.dir == d && at-m.Seq < uint32(len(b)) {
				due = append(due, p)
			}
		}
	}
	if len(due) > 0 && !s.how.late {
		s.show(c, m, due)
	}
	if s.how != nil && d == conn.In {
		s.how.seen++
	}
	lost := s.how != nil && (s.how.deaf && len(due) > 0 || d == conn.In && s.how.seen == s.how.drop)
	if !lost {
		s.Engine.Data(c, d, m, b)
	} else {
		s.Engine.Gap(c, d, m, uint64(len(b)))
	}
	if len(due) > 0 && s.how.late {
		s.show(c, m, due)
	}
}

func (s *shower) End(c *conn.Conn, d conn.Dir, t int64, r conn.Reason) {
	if s.how != nil {
		for d := range s.how.queue {
			s.flush(c, conn.Dir(d), t)
		}
	}
	s.Engine.End(c, d, t, r)
}

func (s *shower) show(c *conn.Conn, m conn.Mark, due []piece) {
	if s.how.tardy && due[0].dir == conn.Out {
		s.how.kept = append(s.how.kept, due...)
		return
	}
	due = append(due, s.how.kept...)
	s.how.kept = nil
	for _, p := range due {
		s.how.queue[p.dir] = append(s.how.queue[p.dir], p.b...)
		s.how.queued[p.dir]++
		if s.how.queued[p.dir] >= max(s.how.join, s.how.delay) || len(p.b) < 16000 && s.how.delay == 0 {
			s.flush(c, p.dir, m.Time)
		}
	}
}

func (s *shower) flush(c *conn.Conn, d conn.Dir, t int64) {
	h := s.how
	b := h.queue[d]
	h.queue[d], h.queued[d] = nil, 0
	for len(b) > 0 {
		n := len(b)
		if h.cut != nil {
			n = min(n, h.cut(len(b)))
		}
		own := append([]byte(nil), b[:n]...)
		s.Engine.Plain(c, d, conn.Mark{Time: t, Offset: h.offset[d]}, own)
		clear(own)
		h.offset[d] += uint64(n)
		b = b[n:]
	}
}

// spy notes what is carried.
type spy struct {
	tls.Dissector
	r *run
}

type conversation interface {
	dissect.Conversation
	dissect.Resyncer
	dissect.Skipper
	dissect.PlaintextSink
	dissect.Ticker
}

func (s spy) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return &spied{s.Dissector.New(limits, sink).(conversation), s.r, uint64(len(s.r.conns))}
}

type spied struct {
	conversation
	r  *run
	id uint64
}

func (s *spied) Carry(inner dissect.Channel) { s.conversation.Carry(&tap{inner, s}) }

type tap struct {
	dissect.Channel
	s *spied
}

func (t *tap) Data(d dissect.Direction, m conn.Mark, b []byte) {
	t.s.r.pieces = append(t.s.r.pieces, piece{t.s.id, conn.Dir(d), m.Seq, append([]byte(nil), b...)})
	t.Channel.Data(d, m, b)
}

// nothing takes attributes for nobody.
type nothing struct{}

func (nothing) Str(string, string)    {}
func (nothing) Strs(string, []string) {}
func (nothing) Int(string, int64)     {}
func (nothing) Float(string, float64) {}
func (nothing) Bool(string, bool)     {}

func (nothing) Payload(string, string, string) {}

// inexactIn hears whether places are uncertain.
type inexactIn struct {
	nothing
	to *bool
}

func (i inexactIn) Bool(key string, value bool) {
	if key == "wirespan.tls.position_uncertain" {
		*i.to = *i.to || value
	}
}
