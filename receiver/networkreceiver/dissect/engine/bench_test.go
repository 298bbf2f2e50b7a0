// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// lines is a dissector that neither allocates nor keeps anything: it uses whole
// lines and hands over one and the same message for each.
type lines struct{ fake }

type lineTalk struct {
	sink     dissect.Sink
	messages [2]dissect.Message
}

func (*lines) New(_ dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return &lineTalk{sink: sink, messages: [2]dissect.Message{{}, {Kind: dissect.Response, Direction: dissect.ToClient}}}
}

func (l *lineTalk) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return 0, 0, nil
	}
	message := &l.messages[d]
	message.First, message.Last = m.At(0), m.At(end)
	l.sink.Message(message)
	return end + 1, 0, nil
}

func (*lineTalk) Gap(dissect.Direction, conn.Mark, uint64) bool { return true }
func (*lineTalk) End(dissect.Direction, int64, conn.Reason)     {}

type discard struct{}

func (discard) Message(*dissect.Session, *dissect.Message)                     {}
func (discard) Started(*dissect.Session, *dissect.Message)                     {}
func (discard) Resync(*dissect.Session, dissect.Direction, conn.Reason, int64) {}
func (discard) Skipped(*dissect.Session, dissect.Direction, conn.Mark)         {}
func (discard) Close(*dissect.Session, int64, conn.Reason)                     {}
func (discard) Tick(int64)                                                     {}
func (discard) Exchange(*pair.Exchange)                                        {}
func (discard) Open(*pair.Exchange, int64)                                     {}
func (discard) Event(*pair.Event)                                              {}

// traffic feeds calls whose messages come in segments of which each leaves a rest.
type traffic struct {
	engine *engine.Engine
	conn   conn.Conn
	seq    [2]uint32
}

func newTraffic(out dissect.Output) *traffic {
	x := &traffic{conn: conn.Conn{Transport: capture.TCP}, seq: [2]uint32{1, 1}}
	x.engine = engine.New(engine.Settings{}, []dissect.Dissector{&lines{}}, out, zap.NewNop(), &engine.Stats{})
	x.engine.Open(&x.conn)
	return x
}

func (x *traffic) segment(d conn.Dir, b []byte) {
	x.engine.Data(&x.conn, d, conn.Mark{Seq: x.seq[d], Ack: x.seq[d.Other()]}, b)
	x.seq[d] += uint32(len(b))
}

var begin, rest = bytes.Repeat([]byte("x"), 40), append(bytes.Repeat([]byte("x"), 40), '\n')

func (x *traffic) call() {
	for _, d := range [...]conn.Dir{conn.Out, conn.In} {
		x.segment(d, begin)
		x.segment(d, rest)
	}
}

func TestSegmentsDoNotAllocate(t *testing.T) {
	x := newTraffic(discard{})
	assert.Zero(t, testing.AllocsPerRun(1000, x.call))
}

// BenchmarkEngine is one call: two messages in two segments each, of which the
// first leaves a rest.
func BenchmarkEngine(b *testing.B) {
	x := newTraffic(discard{})
	b.ReportAllocs()
	for b.Loop() {
		x.call()
	}
}

// BenchmarkEngineAndPairer is the same, paired.
func BenchmarkEngineAndPairer(b *testing.B) {
	x := newTraffic(pair.New(pair.Settings{}, discard{}, &pair.Stats{}))
	b.ReportAllocs()
	for b.Loop() {
		x.call()
	}
}

// BenchmarkBody is a segment of 64 KiB that is used as a whole.
func BenchmarkBody(b *testing.B) {
	x := newTraffic(discard{})
	body := append(bytes.Repeat([]byte("x"), 64<<10), '\n')
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		x.segment(conn.Out, body)
	}
}
