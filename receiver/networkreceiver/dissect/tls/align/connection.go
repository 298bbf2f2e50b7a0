// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

const (
	toServer = dissect.ToServer
	toClient = dissect.ToClient

	second = int64(1e9)

	headerBytes = record.HeaderBytes
	maxPlain    = 1 << 14 // bytes of plaintext of a record
	blockBytes  = 16      // of AES
)

// Memory is the budget from which everything that waits is taken.
type Memory interface {
	// Keep reserves n bytes, or reports that there are not so many.
	Keep(n int) bool
	// Release returns n bytes.
	Release(n int)
}

// Output receives plaintext in its order. The offsets of the marks are left to it: what is
// decrypted with keys is counted as well.
type Output interface {
	// Data receives plaintext that begins at m. Without an acknowledgement in m its place is
	// not known. b is valid during the call only.
	Data(d dissect.Direction, m conn.Mark, b []byte)
	// Gap receives the number of bytes of plaintext that are missing.
	Gap(d dissect.Direction, m conn.Mark, n uint64)
	// Begun reports whether there has been data or a gap in a direction.
	Begun(d dissect.Direction) bool
}

// Cipher is what is known of how records are encrypted.
type Cipher struct {
	Known    bool // the version is; if not, what a record adds is guessed
	TLS13    bool // handshake messages and tickets look like application data
	Overhead int  // bytes that a record adds to its plaintext, without padding
	Pads     bool // to whole blocks, with at least one byte
}

// Connection aligns both directions of a connection.
type Connection struct {
	memory Memory
	out    Output
	cipher Cipher
	sides  [2]aligner

	sawBeginning bool
	expected     bool // plaintext is
	uncertain    bool

	overhead int // that is guessed; 0 if it is not yet
	trust    int // in the guess

	asks       bool // the client has sent application data
	firstAsked uint32

	// Who was the last to say something, as the wire and as libraries tell it.
	lastOnWire, lastShown speaker
	wireTime              int64 // of the last record

	// missesPlain is set when plaintext of either direction is missing. What has lost its
	// records only is whole, and needs no other place than the next one.
	missesPlain bool
}

// New returns a Connection of which nothing is known yet.
func New(memory Memory, out Output) *Connection {
	c := &Connection{memory: memory, out: out}
	for d := range c.sides {
		c.sides[d] = aligner{c: c, d: dissect.Direction(d)}
	}
	return c
}

// SetCipher says how records are encrypted.
func (c *Connection) SetCipher(to Cipher) { c.cipher = to }

// SawBeginning says that nothing encrypted came before what is seen.
func (c *Connection) SawBeginning() { c.sawBeginning = true }

// Expect says that there is plaintext of either direction, so that more records wait for
// theirs.
func (c *Connection) Expect() { c.expected = true }

// Record adds an encrypted record. m is where its payload of size bytes begins. isData is
// set if the payload can be application data.
func (c *Connection) Record(d dissect.Direction, m conn.Mark, size int, isData bool) {
	c.sides[d].passed(m)
	c.wireTime = max(c.wireTime, m.Time)
	if !isData {
		return
	}
	if d == toServer && !c.asks {
		c.asks, c.firstAsked = true, m.Seq
	}
	c.sides[d].record(size, m)
}

// Lost says that records may be missing before the next one.
func (c *Connection) Lost(d dissect.Direction) { c.sides[d].hole() }

// ForgetBefore drops the records from before a time.
func (c *Connection) ForgetBefore(t int64) {
	for d := range c.sides {
		c.sides[d].forgetBefore(t)
	}
}

// Plain adds plaintext. m is its position among all plaintext and the time at which it was
// shown, read is set if the process received it. b is valid during the call only.
func (c *Connection) Plain(d dissect.Direction, m conn.Mark, read bool, b []byte) {
	c.expected = true
	c.sides[d].plain(m, read, b)
}

// Waiting reports whether plaintext waits.
func (c *Connection) Waiting() bool { return c.sides[0].holds() || c.sides[1].holds() }

// Tick lets time pass.
func (c *Connection) Tick(now int64) {
	c.sides[0].tick(now)
	c.sides[1].tick(now)
}

// End hands over all that waits in a direction.
func (c *Connection) End(d dissect.Direction) { c.sides[d].flush() }

// Uncertain reports whether plaintext was handed over without its place.
func (c *Connection) Uncertain() bool { return c.uncertain }

// answered reports whether the other side was the last to say something, on the wire and in
// the library.
func (c *Connection) answered(d dissect.Direction) bool {
	other := speaker(1-d) + 1
	return c.lastOnWire == other && c.lastShown == other
}
