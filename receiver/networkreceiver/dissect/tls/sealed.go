// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// canOpen tells whether there are keys for a direction, which may have been added since.
func (c *conversation) canOpen(d dissect.Direction) bool {
	if c.keys == nil || !c.opens || !c.knows[toServer] {
		return false
	}
	if age := c.keys.age() + 1; age != c.asked {
		c.asked = age
		c.prepare()
	}
	o := c.sides[d].opener
	return o != nil && !o.hopeless()
}

// prepare makes the openers from what is known of the session's secrets.
func (c *conversation) prepare() {
	keys, ok := c.keys.of(c.random[toServer])
	if !ok {
		return
	}
	var epochs [2][3]*protection
	switch {
	case c.version == record.TLS13:
		for d, labels := range [2][3]secret{{clientEarly, clientHandshake, clientTraffic}, {secrets, serverHandshake, serverTraffic}} {
			for e, label := range labels {
				if label < secrets && len(keys[label]) == c.suite.hash().Size() {
					epochs[d][e] = protect13(c.suite, keys[label])
				}
			}
		}
	case len(keys[masterSecret]) == 48 && c.knows[toClient]:
		both := protect12(c.suite, c.version, keys[masterSecret], c.random[toServer][:], c.random[toClient][:], c.macFirst)
		epochs[toServer][0], epochs[toClient][0] = both[toServer], both[toClient]
	}
	for d := range c.sides {
		s := &c.sides[d]
		if s.opener == nil && epochs[d] != [3]*protection{} {
			s.opener = &opener{epochs: epochs[d], lost: s.records > 0}
		}
	}
}

// sealed takes a whole record that may be opened. m is where its payload begins.
func (c *conversation) sealed(d dissect.Direction, h record.Header, payload []byte, m, last conn.Mark) {
	s := &c.sides[d]
	s.records++
	if s.opener == nil { // a heartbeat, or what was not expected here
		return
	}
	room := rooms.Get().(*[record.MaxPayload]byte)
	defer rooms.Put(room)
	plain, kind, missed, ok := s.opener.open(room[:], h, payload)
	if !ok {
		if c.version != record.TLS13 || s.opener.failures > 1 || h.Kind == record.ApplicationData && s.opener.epoch > 0 {
			s.opener.lost = true
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
	if overhead, fixed := c.suite.overhead(c.version); fixed {
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
