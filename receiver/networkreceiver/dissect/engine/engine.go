// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine drives the dissectors of stage 3: it takes contiguous bytes of a
// connection and gives the messages that a protocol's conversation finds in them.
// It bounds the bytes held per direction, the attempts to recognise a protocol
// and the search after a loss.
//
// # Choosing the dissector
//
// The first bytes of both directions are shown to every dissector of the
// registry: first to those that name one of the connection's ports, then to the
// others, each time in the registry's order. The first that says Yes or Reversed
// has the connection. As long as none does and one says NeedMore, the bytes are
// held. Who opened the connection is shown as the client first; the verdict
// decides.
//
// If all say No to the first bytes of both ends, the connection is unknown, and
// costs nothing from then on. So does one that looks like TLS or SSH at either end
// (encrypted). If only one end's first bytes are recognised, messages of the other
// end may be missing (dissect.Output.Resync). A connection that was joined midway or
// that has lost bytes is looked at again, because a message may begin at the
// start of any later segment: at the first [probesPerTurn] segments each time
// that the direction of the data turns, and [probesPerConn] times in all. So is an end
// whose first bytes nobody knows, until the other end says something.
//
// A violation before the first message and within [earlyBytes] withdraws the
// decision if another dissector claims the bytes that are still at hand: the
// unused ones. What the first dissector has used is gone.
//
// # Buffering
//
// Borrowed bytes go straight to the conversation. Only what it leaves unused is
// copied, up to Limits.HeaderBytes. If there is no memory for it, it becomes a
// gap.
//
// # Carriers
//
// What a [dissect.Carrier] carries is a stream of its own, with its own search for a
// dissector, buffers, session and pairing. It has the connection's memory. Bytes that
// nobody needs inside are not left out, because the carrier needs them.
//
// # Prefaces
//
// What a [dissect.Prefacer] has found before it hands the connection on stays with all
// sessions that follow, those inside a carrier too. A header that is no message (the
// PROXY protocol) does not make the next session another than the first.
//
// # Losing the thread
//
// After a gap that a conversation cannot bridge, or a violation, the engine asks
// the conversation's Resyncer for the next start: in every byte of the next
// [searchBytes], afterwards at the start of each segment only. A start that is
// cut off at the end of the bytes need not be found: the engine shows the last
// Info.ProbeBytes again together with what follows. Without a Resyncer that
// direction is skipped. A conversation that has returned ErrViolation, or
// false from Gap, has already let go of what it held of that direction; the next
// Data of that direction begins at the start that was found.
// [violationsInRow] violations without a message in between end the session.
package engine // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"

import (
	"cmp"

	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	probesPerTurn   = 16
	probesPerConn   = 512
	earlyBytes      = 10 << 10
	searchBytes     = 1 << 20
	searchHead      = 4 << 10 // of each segment, once searchBytes are used up
	violationsInRow = 8
	upgradesPerConn = 8
)

// Settings configure an Engine.
type Settings struct {
	// Limits replaces the limits of a dissector's Info, by protocol name. A zero
	// field keeps the default.
	Limits map[string]dissect.Limits
}

// Engine is the conn.Sink of one shard. It is owned by one goroutine.
type Engine struct {
	dissectors []entry
	probeBytes int // the most that any dissector needs of one direction
	out        dissect.Output
	logger     *zap.Logger
	stats      *Stats
	pool       pool
	// current is the dissector that runs, for the report of a panic.
	current *entry
	watched []*stream // whose conversations wait for something
}

// entry is a dissector with what never changes about it.
type entry struct {
	dissect.Dissector
	dissect.Info
	bit          uint64
	counters     *protocolCounters
	panicWasSaid bool
}

var _ conn.Sink = (*Engine)(nil)

// New gives an engine that tries the dissectors in the order given (at most 64) and
// hands messages to out. What it holds it takes from conn.Conn.Memory. It initialises
// stats, which may be read concurrently from then on.
func New(set Settings, dissectors []dissect.Dissector, out dissect.Output, logger *zap.Logger, stats *Stats) *Engine {
	e := &Engine{out: out, logger: logger, stats: stats}
	counters := stats.begin(dissectors)
	for i, d := range dissectors {
		info := d.Info()
		info.Limits = merge(set.Limits[info.Name], info.Limits)
		e.dissectors = append(e.dissectors, entry{Dissector: d, Info: info, bit: 1 << i, counters: &counters[i]})
		e.probeBytes = max(e.probeBytes, info.ProbeBytes)
	}
	return e
}

func merge(set, preset dissect.Limits) dissect.Limits {
	return dissect.Limits{
		HeaderBytes: cmp.Or(set.HeaderBytes, preset.HeaderBytes),
		BodyBytes:   cmp.Or(set.BodyBytes, preset.BodyBytes),
		Outstanding: cmp.Or(set.Outstanding, preset.Outstanding),
		Age:         cmp.Or(set.Age, preset.Age),
	}
}

// Open implements conn.Sink.
func (e *Engine) Open(c *conn.Conn) {
	st := &stream{conn: c, hopeful: c.Midway, doubts: midway(c.Midway)}
	if c.Initiator == conn.InitiatorRemote {
		st.client = conn.In
	}
	c.Session = st
	e.stats.connections[undecided].Add(1)
}

// Data implements conn.Sink.
func (e *Engine) Data(c *conn.Conn, d conn.Dir, m conn.Mark, b []byte) {
	st := c.Session.(*stream)
	if st.state > dissected {
		e.stats.SkippedBytes.Add(uint64(len(b)))
		return
	}
	defer e.contain(st, m.Time)
	e.data(st, d, m, b)
}

// data hands bytes on by the state that the connection is in. The state may
// change on the way.
func (e *Engine) data(st *stream, d conn.Dir, m conn.Mark, b []byte) {
	for len(b) > 0 {
		var n int
		switch st.state {
		case undecided:
			n = e.recognise(st, d, m, b)
		case dissected:
			n = e.deliver(st, d, m, b)
		default:
			e.stats.SkippedBytes.Add(uint64(len(b)))
			return
		}
		m, b = advance(m, n), b[n:]
	}
	e.spare(st, d, m.Offset)
	e.watch(st)
}

// deliver gives bytes to the conversation and returns how many of them are done
// with: used, held or skipped.
func (e *Engine) deliver(st *stream, d conn.Dir, m conn.Mark, b []byte) int {
	side := &st.sides[d]
	switch {
	case side.mode == searching:
		return e.search(st, d, m, b)
	case side.mode == skipping:
		e.stats.SkippedBytes.Add(uint64(len(b)))
		return len(b)
	case st.conn.Transport == capture.UDP:
		return e.datagram(st, d, m, b)
	case side.pending.empty():
		return e.direct(st, d, m, b)
	}
	return e.topUp(st, d, m, b)
}

// Gap implements conn.Sink.
func (e *Engine) Gap(c *conn.Conn, d conn.Dir, m conn.Mark, n uint64) {
	st := c.Session.(*stream)
	defer e.contain(st, m.Time)
	e.missing(st, d, m, n)
}

// missing takes a gap, whatever the state of the connection.
func (e *Engine) missing(st *stream, d conn.Dir, m conn.Mark, n uint64) {
	e.stats.GapBytes.Add(n)
	switch st.state {
	case undecided:
		if e.openCut(st, d) {
			e.gap(st, d, m, n, dissect.ReasonGap)
		} else if st.state == undecided {
			e.gapUndecided(st, d, m.Time)
		}
	case dissected:
		e.gap(st, d, m, n, dissect.ReasonGap)
		e.spare(st, d, m.Offset+n)
	default: // skipped
	}
}

// End implements conn.Sink.
func (e *Engine) End(c *conn.Conn, d conn.Dir, t int64, r conn.Reason) {
	st := c.Session.(*stream)
	defer e.contain(st, t)
	e.endAny(st, event{dir: d, end: true, time: t, reason: r})
}

// Close implements conn.Sink.
func (e *Engine) Close(c *conn.Conn, t int64, r conn.Reason) {
	st := c.Session.(*stream)
	e.finish(st, t, r, r)
	if st.state == undecided && st.seen {
		e.stats.Unrecognised.Add(1)
	}
	e.letGo(st)
	e.stats.connections[st.counted].Add(-1)
	c.Session = nil
}

// Tick implements conn.Sink.
func (e *Engine) Tick(now int64) {
	e.tick(now)
	e.out.Tick(now)
}

// advance is the mark of the byte n bytes further on in the same segment.
func advance(m conn.Mark, n int) conn.Mark {
	m.Offset += uint64(n)
	m.Seq += uint32(n)
	return m
}
