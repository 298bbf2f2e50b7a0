// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"net/netip"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// The first sequence numbers of both directions. That of the local end wraps
// around early.
var firstSeq = [2]uint32{conn.Out: 0xffffffc0, conn.In: 5000}

// Epoch is the time at which scripts begin, Unix nanoseconds.
const Epoch = int64(1_700_000_000_000_000_000)

const millisecond = int64(1e6)

// Play acts a script out on a sink, with memory for its connection. It calls after each
// step, if that is not nil.
func (s *Script) Play(sink conn.Sink, memory *budget.Budget, after func()) {
	p := player{sink: sink, seq: firstSeq, now: Epoch, conn: s.conn()}
	p.conn.Memory = memory.Account()
	sink.Open(p.conn)
	closed := false
	for _, step := range s.Steps {
		if closed {
			break
		}
		closed = p.step(step)
		sink.Tick(p.now)
		if after != nil {
			after()
		}
	}
	if !closed {
		p.close(conn.ReasonShutdown)
	}
	sink.Tick(p.now)
}

func (s *Script) conn() *conn.Conn {
	c := &conn.Conn{
		Transport:  s.Transport,
		Local:      netip.MustParseAddrPort("192.0.2.1:40000"),
		Remote:     netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), s.Port),
		Initiator:  s.Initiator,
		Midway:     s.Midway,
		Started:    Epoch,
		LastActive: Epoch,
	}
	if !s.Midway {
		c.Established = Epoch
	}
	return c
}

// player acts the steps of one script.
type player struct {
	sink   conn.Sink
	conn   *conn.Conn
	now    int64
	seq    [2]uint32
	offset [2]uint64
	ended  [2]bool
}

// step acts one step and tells whether it closed the connection.
func (p *player) step(s Step) (closed bool) {
	if !s.Same {
		p.now += millisecond
	}
	p.conn.LastActive = p.now
	mark := conn.Mark{Time: p.now, Offset: p.offset[s.Dir], Seq: p.seq[s.Dir], Ack: p.seq[s.Dir.Other()]}
	switch s.Kind {
	case StepData:
		// The copy is destroyed afterwards: borrowed bytes must not be kept.
		b := append([]byte(nil), s.Data...)
		if len(b) > 0 && !p.ended[s.Dir] {
			p.sink.Data(p.conn, s.Dir, mark, b)
			p.pass(s.Dir, uint64(len(b)))
		}
		for i := range b {
			b[i] = 0xdb
		}
	case StepGap:
		if s.N > 0 && !p.ended[s.Dir] {
			p.sink.Gap(p.conn, s.Dir, mark, s.N)
			p.pass(s.Dir, s.N)
		}
	case StepEnd:
		p.end(s.Dir, s.Reason)
	case StepWait:
		for left := int64(s.N); left > 0; left -= 1000 * millisecond {
			p.now += min(left, 1000*millisecond)
			p.sink.Tick(p.now)
		}
	case StepClose:
		p.close(s.Reason)
		return true
	}
	return false
}

func (p *player) pass(d conn.Dir, n uint64) {
	p.offset[d] += n
	p.seq[d] += uint32(n)
}

func (p *player) end(d conn.Dir, r conn.Reason) {
	if !p.ended[d] {
		p.ended[d] = true
		p.sink.End(p.conn, d, p.now, r)
	}
}

func (p *player) close(r conn.Reason) {
	p.end(conn.Out, r)
	p.end(conn.In, r)
	p.sink.Close(p.conn, p.now, r)
}
