// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
)

// sparing is a dissector whose conversations spare what their first byte says: "s"
// a megabyte, "f" a few bytes, "a" all that follows, "v" violates, "u" goes on as
// something that nobody knows.
type sparing struct{ fake }

type skipper struct {
	*talk
	spare [2]uint64
}

func (s *sparing) New(_ dissect.Limits, sink dissect.Sink) dissect.Conversation {
	t := &skipper{talk: &talk{fake: &s.fake, sink: sink}}
	talks = append(talks, t.talk)
	return t
}

func (s *skipper) Data(d dissect.Direction, _ dissect.Marks, b []byte) (used, need int, err error) {
	if n := min(s.spare[d], uint64(len(b))); n > 0 {
		s.spare[d] -= n
		return int(n), 0, nil
	}
	s.calls = append(s.calls, fmt.Sprintf("%s %q", [...]string{">", "<"}[d], b))
	switch b[0] {
	case 's':
		s.spare[d] = 1 << 20
	case 'f':
		s.spare[d] = 1 << 10
	case 'a':
		s.spare[d] = math.MaxUint64
	case 'v':
		return 0, 0, errors.Join(dissect.ErrViolation)
	case 'u':
		s.sink.Upgrade("nothing")
	}
	return 1, 0, nil
}

func (s *skipper) Spare(d dissect.Direction) uint64 { return s.spare[d] }

func (s *skipper) Spared(d dissect.Direction, m conn.Mark, n uint64) {
	s.spare[d] -= n
	s.calls = append(s.calls, fmt.Sprintf("%s skip %d+%d", [...]string{">", "<"}[d], m.Offset, n))
}

func (s *skipper) Gap(d dissect.Direction, m conn.Mark, n uint64) bool {
	s.spare[d] = 0
	return s.talk.Gap(d, m, n)
}

// wire is a live connection through stage 2. What the capture is told is noted.
type wire struct {
	table *conn.Table
	seq   uint32
	said  []string
	stats engine.Stats
}

func (w *wire) Trim(_ uint64, _ capture.Direction, until uint32) {
	w.said = append(w.said, fmt.Sprintf("trim %d", until))
}
func (w *wire) Untrim(uint64, capture.Direction) { w.said = append(w.said, "untrim") }

func newWire() *wire {
	talks = nil
	w := &wire{}
	memory := budget.New(1 << 20)
	e := engine.New(engine.Settings{}, []dissect.Dissector{&sparing{fake{probe: func(c, _ []byte) dissect.Verdict {
		if len(c) > 0 && c[0] == '?' || len(c) > 0 && c[0] == 22 {
			return dissect.No
		}
		return dissect.Yes
	}}}}, &log{}, zap.NewNop(), &w.stats)
	w.table = conn.NewTable(conn.Settings{Trimmer: w}, memory, e, &conn.Stats{})
	w.segment(capture.SYN, "", 0)
	w.seq++
	return w
}

// segment sends text and n bytes that are not captured.
func (w *wire) segment(flags capture.Flags, text string, n int) *wire {
	w.table.Segment(&capture.Segment{
		Time: 1, Socket: 7, Direction: capture.Egress, Transport: capture.TCP, Flags: flags, Seq: w.seq,
		Source: netip.MustParseAddrPort("192.0.2.1:1000"), Destination: netip.MustParseAddrPort("192.0.2.2:80"),
		Payload: []byte(text), WireLen: len(text) + n,
	})
	w.seq += uint32(len(text) + n)
	return w
}

func (w *wire) send(text string) *wire { return w.segment(capture.PSH, text, 0) }
func (w *wire) cut(n int) *wire        { return w.segment(capture.PSH, "", n) }

func TestSpare(t *testing.T) {
	const mega = 1 << 20
	for _, c := range []struct {
		name   string
		play   func(w *wire)
		said   []string
		calls  []string
		spared int64
		gap    int64
	}{
		{
			"left out", func(w *wire) { w.send("s").cut(mega - 10).cut(10).send("x") },
			[]string{"trim 1048578", "untrim"},
			[]string{`> "s"`, "> skip 1+1048566", "> skip 1048567+10", `> "x"`},
			mega, 0,
		},
		{
			"copied all the same", func(w *wire) { w.send("sssss").cut(mega - 4).send("x") },
			[]string{"trim 1048578", "untrim"},
			[]string{`> "sssss"`, "> skip 5+1048572", `> "x"`},
			mega - 4, 0,
		},
		{"too few to tell", func(w *wire) { w.send("f").send("12") }, nil, []string{`> "f"`}, 0, 0},
		{
			"more missing than that", func(w *wire) { w.send("s").cut(mega + 5) },
			[]string{"trim 1048578", "untrim"},
			[]string{`> "s"`, "> skip 1+1048576", "> gap 1048577+5"},
			mega, 5,
		},
		{
			"all that follows", func(w *wire) { w.send("a").cut(100) },
			[]string{"trim 1073741826"},
			[]string{`> "a"`, "> skip 1+100"},
			100, 0,
		},
		{
			"ignored connections", func(w *wire) { w.send("u").cut(100) },
			[]string{"trim 1073741826"},
			[]string{`> "u"`},
			0, 0,
		},
		{"unknown connections", func(w *wire) { w.send("?") }, nil, nil, 0, 0},
		{
			"encrypted connections", func(w *wire) { w.send("\x16\x03\x01\x00\x05hello").cut(100) },
			[]string{"trim 1073741835"},
			nil, 0, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire()
			c.play(w)
			var calls []string
			for _, talk := range talks {
				for _, call := range talk.calls {
					if call != "> end upgrade" {
						calls = append(calls, call)
					}
				}
			}
			assert.Equal(t, c.calls, calls)
			assert.Equal(t, c.said, w.said)
			assert.Equal(t, c.spared, w.stats.Total(engine.MetricSparedBytes))
			assert.Equal(t, c.gap, w.stats.Total(engine.MetricGapBytes))
		})
	}
}
