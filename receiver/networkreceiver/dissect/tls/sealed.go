// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"sync"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// canOpen tells whether there are keys for a direction, which may have been added since.
func (c *conversation) canOpen(d dissect.Direction) bool {
	if c.keys == nil || !c.opens || !c.knows[toServer] {
		return false
	}
	if age := c.keys.Age() + 1; age != c.asked {
		c.asked = age
		c.prepare()
	}
	o := c.sides[d].opener
	return o != nil && !o.Hopeless()
}

// prepare makes the openers from what is known of the session's secrets.
func (c *conversation) prepare() {
	openers := c.keys.Openers(&decrypt.Session{Version: c.version, Suite: c.suite, EncryptThenMAC: c.macFirst, Random: c.random})
	for d := range c.sides {
		s := &c.sides[d]
		if s.opener != nil || openers[d] == nil {
			continue
		}
		if s.opener = openers[d]; s.records > 0 {
			s.opener.Lost()
		}
	}
}

// rooms are what records are opened into.
var rooms = sync.Pool{New: func() any { return new([record.MaxPayload]byte) }}

// sealed takes a whole record that may be opened. m is where its payload begins.
func (c *conversation) sealed(d dissect.Direction, h record.Header, payload []byte, m, last conn.Mark) {
	s := &c.sides[d]
	s.records++
	if s.opener == nil { // a heartbeat, or what was not expected here
		return
	}
	room := rooms.Get().(*[record.MaxPayload]byte)
	defer rooms.Put(room)
	plain, kind, missed, ok := s.opener.Open(room[:], h, payload)
	if !ok {
		if s.opener.Missed(h) {
			s.hole = c.out.Begun(d)
		}
		c.closed(d, h, m)
		c.opaque += uint64(h.Size)
		return
	}
	if s.hole && kind == record.ApplicationData {
		c.lose(d, m, missed)
	}
	if kind == record.ApplicationData {
		s.hole = false
	}
	s.end = last.Offset + 1
	switch kind {
	case record.ApplicationData:
		c.carry(d, m, plain)
	case record.Handshake:
		c.handshakeBytes(d, plain, m, last)
	case record.Alert:
		c.alert(d, plain, m)
	}
}

// lose says how many carried bytes were lost before a record: what the records that are
// missing had besides their headers and overhead.
func (c *conversation) lose(d dissect.Direction, m conn.Mark, records uint64) {
	s := &c.sides[d]
	n := m.Offset - record.HeaderBytes - min(s.end, m.Offset-record.HeaderBytes)
	if overhead, fixed := c.suite.Overhead(c.version); fixed {
		n -= min(n, records*uint64(record.HeaderBytes+overhead))
	}
	c.out.Gap(d, m, max(n, 1))
}

// carry hands on carried bytes that were in one record.
func (c *conversation) carry(d dissect.Direction, m conn.Mark, plain []byte) {
	if len(plain) > 0 {
		c.out.Data(d, m, plain)
	}
}
