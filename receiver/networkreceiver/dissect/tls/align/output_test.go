// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

var (
	gcm13 = Cipher{Known: true, TLS13: true, Overhead: sealing}
	cbc12 = Cipher{Known: true, Overhead: 20 + blockBytes, Pads: true}
)

// newTest returns a Connection whose plaintext goes to out.
func newTest(memory Memory, out data) *Connection { return New(memory, &numbered{data: out}) }

// begin13 is what is known of a connection of TLS 1.3 that was seen from its beginning.
func begin13(c *Connection) {
	c.SetCipher(gcm13)
	c.SawBeginning()
}

type data interface {
	Data(d dissect.Direction, m conn.Mark, b []byte)
	Gap(d dissect.Direction, m conn.Mark, n uint64)
}

// numbered is an Output that sets the offset of each mark.
type numbered struct {
	data
	next [2]uint64
}

func (o *numbered) Data(d dissect.Direction, m conn.Mark, b []byte) {
	m.Offset = o.next[d]
	o.next[d] += uint64(len(b))
	o.data.Data(d, m, b)
}

func (o *numbered) Gap(d dissect.Direction, m conn.Mark, n uint64) {
	m.Offset = o.next[d]
	o.next[d] += n
	o.data.Gap(d, m, n)
}

func (o *numbered) Begun(d dissect.Direction) bool { return o.next[d] > 0 }

// noted is an Output that remembers.
type noted struct {
	marks   []conn.Mark
	bytes   []byte
	missing uint64
}

func (n *noted) Data(_ dissect.Direction, m conn.Mark, b []byte) {
	n.marks, n.bytes = append(n.marks, m), append(n.bytes, b...)
}
func (n *noted) Gap(_ dissect.Direction, _ conn.Mark, bytes uint64) { n.missing += bytes }

// unclaimed drops records whose plaintext has not been shown for long, as the dissector does.
type unclaimed struct {
	bytes    int
	since    int64
	hopeless bool
}

const (
	tryBytes = 64 << 10
	tryTime  = second / 2
)

func (u *unclaimed) record(c *Connection, size int, at int64) {
	if u.bytes == 0 {
		u.since = at
	}
	u.bytes += size
	u.hopeless = u.hopeless || u.bytes >= tryBytes && at-u.since >= tryTime
	u.giveUp(c, at)
}

func (u *unclaimed) giveUp(c *Connection, at int64) {
	if u.hopeless && !c.expected {
		c.ForgetBefore(at - tryTime)
	}
}
