// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// state is what a connection has come to.
type state uint8

const (
	undecided state = iota
	dissected
	// From here on bytes are skipped.
	encrypted
	unknown // no dissector knows it
	ignored // known, but nothing to be had: no dissector of that name, or it failed
	states
)

// stream is a connection as the engine sees it, for as long as conn keeps it.
type stream struct {
	conn    *conn.Conn
	outer   *session // what carries it; nil if the connection does
	depth   int      // carriers around it
	state   state
	counted state // what it is counted under
	watched bool
	session *session // nil unless dissected
	sides   [2]side  // by conn.Dir

	client   conn.Dir // the end that is tried as the client first
	excluded uint64   // dissectors whose decision was withdrawn
	upgrades int
	told     bool              // a session before this one had messages, or could have
	prefaces []dissect.Preface // of what came before, outside of it too
	own      int               // how many of them are this stream's
	seen     bool              // there were bytes

	// order is the capture order of what the sides hold while undecided, and of
	// ends.
	order []event
	// hopeful is set where a later segment may be recognised though the first
	// ones were not: midway, or after a gap.
	hopeful bool
	// doubts say for each direction why messages may be missing before the next one.
	doubts [2]doubt
	// refused tells of each direction that no dissector knew its first bytes.
	refused   [2]bool
	turn      conn.Dir // the direction of the last data
	turnTries int
	tries     int
}

// doubt is why messages may be missing (dissect.ReasonGap and so on), and when that was
// noticed. Without a reason there is none.
type doubt struct {
	why conn.Reason
	at  int64
}

// midway is the doubt about a connection that was joined in the middle. What was missed
// came before all that is seen.
func midway(joined bool) (d [2]doubt) {
	if joined {
		d[0].why, d[1].why = dissect.ReasonMidway, dissect.ReasonMidway
	}
	return d
}

// add notes another reason. The first one stays.
func (d *doubt) add(why conn.Reason, at int64) {
	if d.why == "" {
		d.why = why
	}
	d.at = max(d.at, at)
}

// StreamBytes is what the engine holds of a connection in any case.
const StreamBytes = int(unsafe.Sizeof(stream{})) * 9 / 8

// side is one direction of a stream.
type side struct {
	pending  buffer // unused bytes
	need     int    // do not call with less
	step     int    // how much more to add before the next call
	mode     mode
	searched int    // bytes searched since the thread was lost
	lost     doubt  // why it was lost
	stray    bool   // by bytes that are no part of a message, and by nothing since
	spared   uint64 // the offset before which stage 2 knows that no bytes are needed
}

// mode is how the bytes of a side are handled.
type mode uint8

const (
	flowing mode = iota
	searching
	skipping
)

// event is one step in the order of capture: n bytes of a direction, or its end.
type event struct {
	dir    conn.Dir
	end    bool
	reason conn.Reason
	n      int
	time   int64
}

// eventBytes is what an event of data takes from the budget. The two ends are
// free.
const eventBytes = 32

// cost is what the events of data in order have taken.
func cost(order []event) (bytes int) {
	for _, ev := range order {
		if !ev.end {
			bytes += eventBytes
		}
	}
	return bytes
}

// change moves a connection to another state.
func (e *Engine) change(st *stream, to state) {
	st.state = to
	e.recount(st)
}

// leave moves a connection to a state in which its bytes are skipped.
func (e *Engine) leave(st *stream, to state) {
	e.letGo(st)
	e.change(st, to)
	e.skipAll(st)
}

// letGo releases all that a stream holds.
func (e *Engine) letGo(st *stream) {
	for d := range st.sides {
		e.pool.release(&st.conn.Memory, &st.sides[d].pending)
	}
	st.conn.Memory.Give(cost(st.order) + st.own*prefaceBytes)
	st.order, st.prefaces, st.own = nil, nil, 0
}
