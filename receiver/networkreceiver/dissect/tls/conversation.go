// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"math"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/align"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// It is believed that nobody will show what is in encrypted bytes when so many of them
// have gone by, for so long: a busy machine may keep a program inside its library until
// all of an answer has come.
const (
	tryBytes = 64 << 10
	tryTime  = second / 2
)

// conversation is one connection.
type conversation struct {
	limits dissect.Limits
	sink   dissect.Sink
	out    carried
	keys   *decrypt.Keys
	sides  [2]side

	handshake negotiation
	version   uint16 // 0 until it is known
	suite     decrypt.Suite
	opens     bool // the suite is one that can be opened
	macFirst  bool // encrypt then MAC
	random    [2][32]byte
	knows     [2]bool // the randoms
	asked     uint64  // age of the keys when they were last asked, and one

	clears bool // it began in the clear

	opaque      uint64 // encrypted bytes that nobody could read
	opaqueSince int64
	hopeless    bool // nobody is expected to show what is in them

	plaintextSink bool // plaintext has been shown
	align         *align.Connection
}

// side is one direction.
type side struct {
	begun     bool // there was a record
	lost      bool // where records begin
	left      int  // bytes of an opaque record still to come
	encrypted bool
	records   int // encrypted ones
	opener    *decrypt.Opener
	messages  messages
	end       uint64 // offset after the last record that was opened
	hole      bool   // records may be missing before the next one
	over      bool
}

var (
	_ dissect.Conversation  = (*conversation)(nil)
	_ dissect.Resyncer      = (*conversation)(nil)
	_ dissect.Skipper       = (*conversation)(nil)
	_ dissect.PlaintextSink = (*conversation)(nil)
	_ dissect.Ticker        = (*conversation)(nil)
)

func newConversation(limits dissect.Limits, sink dissect.Sink, keys *decrypt.Keys) *conversation {
	c := &conversation{limits: limits, sink: sink, keys: keys}
	c.align = align.New(sink, &c.out)
	return c
}

// Carry implements dissect.Carrier.
func (c *conversation) Carry(inner dissect.Channel) { c.out.channel = inner }

// Data implements dissect.Conversation.
func (c *conversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	s := &c.sides[d]
	for used < len(b) {
		rest := b[used:]
		switch {
		case s.left > 0:
			n := min(s.left, len(rest))
			s.left -= n
			used += n
			continue
		case s.lost:
			at := record.Find(rest)
			if at < 0 {
				return used + max(0, len(rest)-record.HeaderBytes+1), 0, nil
			}
			s.lost = false
			used += at
			continue
		case !s.begun:
			n, ok := c.begin(d, m, used, rest)
			if !ok {
				return used + n, 0, nil
			}
			if n > 0 {
				used += n
				continue
			}
		}
		if len(rest) < record.HeaderBytes {
			return used, record.HeaderBytes, nil
		}
		h, ok := record.ParseHeader(rest)
		if !ok {
			c.notTLS(d, m.At(used))
			return used, 0, dissect.ErrViolation
		}
		if !c.wants(d, h) {
			c.pass(d, h, m.At(used+record.HeaderBytes))
			s.left = h.Size
			used += record.HeaderBytes
			continue
		}
		whole := record.HeaderBytes + h.Size
		if len(rest) < whole {
			return used, whole, nil
		}
		c.record(d, h, rest[record.HeaderBytes:whole], m.At(used), m.At(used+record.HeaderBytes), m.At(used+whole-1))
		used += whole
	}
	return used, 0, nil
}

// begin takes the first bytes of a direction, which need not be a record. It returns how
// many of them are used, and false if there have to be more.
func (c *conversation) begin(d dissect.Direction, m dissect.Marks, at int, b []byte) (used int, ok bool) {
	s := &c.sides[d]
	if d == toServer && b[0]&0x80 != 0 {
		n := handshake.SSL2HelloBytes(b)
		if n > len(b) {
			return 0, false
		}
		if n > 0 {
			s.begun = true
			c.oldHello(b[:n], m.At(at), m.At(at+n-1))
			return n, true
		}
	}
	if used, ok = c.beforeTLS(d, b); used > 0 || !ok {
		return used, ok
	}
	s.begun = true
	return 0, true
}

// wants tells whether a record has to be seen as a whole.
func (c *conversation) wants(d dissect.Direction, h record.Header) bool {
	s := &c.sides[d]
	switch {
	case h.Kind == record.ChangeCipherSpec, h.Kind == record.Alert && h.Size == 2:
		return true
	case h.Kind == record.Handshake && !s.encrypted:
		return true
	}
	return c.canOpen(d)
}

// pass takes an encrypted record that is not opened; m is where its payload begins.
func (c *conversation) pass(d dissect.Direction, h record.Header, m conn.Mark) {
	s := &c.sides[d]
	s.records++
	if c.opaque == 0 {
		c.opaqueSince = m.Time
	}
	c.opaque += uint64(h.Size)
	// In TLS 1.3 the rest of the handshake looks like application data. What comes before
	// it is over, and what ends it, is none.
	hidden := c.version == record.TLS13 && !c.handshake.over()
	c.closed(d, h, m)
	c.align.Record(d, m, h.Size, h.Kind == record.ApplicationData && !hidden)
	c.hopeless = c.hopeless || c.opaque >= tryBytes && m.Time-c.opaqueSince >= tryTime
	if !c.plaintextSink && c.hopeless && c.handshake.over() {
		c.giveUp(m.Time)
	}
}

// giveUp lets go of records whose plaintext nobody has shown for so long.
func (c *conversation) giveUp(now int64) { c.align.ForgetBefore(now - tryTime) }

// record takes a whole record.
func (c *conversation) record(d dissect.Direction, h record.Header, payload []byte, first, inside, last conn.Mark) {
	s := &c.sides[d]
	switch {
	case h.Kind == record.Alert && h.Size == 2:
		c.alert(d, payload, first)
	case h.Kind == record.ChangeCipherSpec:
		c.changed(d, last)
	case h.Kind == record.Handshake && !s.encrypted:
		c.handshakeBytes(d, payload, first, last)
	default:
		c.sealed(d, h, payload, inside, last)
	}
}

// Gap implements dissect.Conversation.
func (c *conversation) Gap(d dissect.Direction, m conn.Mark, n uint64) (resumed bool) {
	s := &c.sides[d]
	if s.left > 0 && n <= uint64(s.left) {
		s.left -= int(n)
		return true
	}
	c.missed(d)
	return false
}

// missed says that records of a direction have been lost.
func (c *conversation) missed(d dissect.Direction) {
	s := &c.sides[d]
	s.left, s.begun = 0, true
	s.messages.drop(c.sink)
	s.hole = true
	if s.opener != nil {
		s.opener.Lost()
	}
	c.align.Lost(d)
}

// FindStart implements dissect.Resyncer.
func (*conversation) FindStart(_ dissect.Direction, b []byte) int { return record.Find(b) }

// End implements dissect.Conversation.
func (c *conversation) End(d dissect.Direction, t int64, r conn.Reason) {
	s := &c.sides[d]
	s.over = true
	s.messages.drop(c.sink)
	c.align.End(d)
	c.handshake.ended(c, d, t, r)
	c.out.channel.End(d, t, r)
}

// Spare implements dissect.Skipper: everything, once nothing can be had from it.
func (c *conversation) Spare(dissect.Direction) uint64 {
	if c.plaintextSink || !c.hopeless || !c.handshake.over() || c.sides[0].opener != nil || c.sides[1].opener != nil {
		return 0
	}
	return math.MaxUint64
}

// Spared implements dissect.Skipper.
func (c *conversation) Spared(d dissect.Direction, _ conn.Mark, n uint64) {
	s := &c.sides[d]
	if n <= uint64(s.left) {
		s.left -= int(n)
		return
	}
	c.missed(d)
	s.lost = true
}

// Plain implements dissect.PlaintextSink.
func (c *conversation) Plain(d dissect.Direction, m conn.Mark, read bool, b []byte) {
	if !c.plaintextSink && c.hopeless {
		c.giveUp(m.Time)
	}
	c.plaintextSink = true
	c.align.Expect()
	if c.sides[d].opener != nil && !c.sides[d].opener.Hopeless() {
		return // it is known already
	}
	c.align.Plain(d, m, read, b)
}

// Waiting implements dissect.Ticker.
func (c *conversation) Waiting() bool { return c.align.Waiting() }

// Tick implements dissect.Ticker.
func (c *conversation) Tick(now int64) { c.align.Tick(now) }
