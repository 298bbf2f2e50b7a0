// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package wire reads the fields of binary protocols from bytes that may end anywhere.
package wire // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/wire"

import (
	"encoding/binary"
	"math"
)

// Cursor reads values from a slice, one after the other. The first value that is not
// there whole makes every later read return zero; [Cursor.Err] tells. It allocates
// nothing and copies nothing: what it returns is borrowed from the slice. The zero value
// is a cursor over no bytes.
type Cursor struct {
	b   []byte
	at  int
	err error
}

// Over returns a cursor at the beginning of b.
func Over(b []byte) Cursor { return Cursor{b: b} }

// Error is why a read failed.
type Error string

// Errors of reads.
const (
	ErrShort    Error = "value is cut off"                    // more bytes may make it whole
	ErrOverflow Error = "variable-length integer is too long" // no bytes can
	ErrLength   Error = "length is negative"                  // no bytes can
)

func (e Error) Error() string { return string(e) }

// Err is the error of the first read that failed, nil if there was none.
func (c *Cursor) Err() error { return c.err }

// OK reports whether all values so far were there.
func (c *Cursor) OK() bool { return c.err == nil }

// Offset is how many bytes have been read.
func (c *Cursor) Offset() int { return c.at }

// Len is how many bytes are left to be read.
func (c *Cursor) Len() int { return len(c.b) - c.at }

// Rest returns the bytes that are left, and leaves the cursor where it is.
func (c *Cursor) Rest() []byte { return c.b[c.at:] }

func (c *Cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Bytes reads n bytes. They cannot be appended to in place.
func (c *Cursor) Bytes(n int) []byte {
	switch {
	case c.err != nil:
		return nil
	case n < 0:
		c.fail(ErrLength)
		return nil
	case n > c.Len():
		c.fail(ErrShort)
		return nil
	}
	from := c.at
	c.at += n
	return c.b[from:c.at:c.at]
}

// Skip passes over n bytes.
func (c *Cursor) Skip(n int) { c.Bytes(n) }

// Until reads up to the first stop byte, which is read as well and is not part of the
// result: a string of C with a stop of zero.
func (c *Cursor) Until(stop byte) []byte {
	if c.err != nil {
		return nil
	}
	for i, b := range c.b[c.at:] {
		if b == stop {
			s := c.Bytes(i)
			c.at++
			return s
		}
	}
	c.fail(ErrShort)
	return nil
}

// Uint8 reads one byte.
func (c *Cursor) Uint8() uint8 {
	if b := c.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 reads two bytes, the most significant one first.
func (c *Cursor) Uint16() uint16 {
	if b := c.Bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint24 reads three bytes, the most significant one first.
func (c *Cursor) Uint24() uint32 {
	if b := c.Bytes(3); b != nil {
		return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	}
	return 0
}

// Uint32 reads four bytes, the most significant one first.
func (c *Cursor) Uint32() uint32 {
	if b := c.Bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Uint64 reads eight bytes, the most significant one first.
func (c *Cursor) Uint64() uint64 {
	if b := c.Bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Uint16LE reads two bytes, the least significant one first.
func (c *Cursor) Uint16LE() uint16 {
	if b := c.Bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// Uint24LE reads three bytes, the least significant one first.
func (c *Cursor) Uint24LE() uint32 {
	if b := c.Bytes(3); b != nil {
		return uint32(b[2])<<16 | uint32(b[1])<<8 | uint32(b[0])
	}
	return 0
}

// Uint32LE reads four bytes, the least significant one first.
func (c *Cursor) Uint32LE() uint32 {
	if b := c.Bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// Uint64LE reads eight bytes, the least significant one first.
func (c *Cursor) Uint64LE() uint64 {
	if b := c.Bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Float64 reads an IEEE 754 number of eight bytes, the most significant one first.
func (c *Cursor) Float64() float64 { return math.Float64frombits(c.Uint64()) }

// Float64LE reads an IEEE 754 number of eight bytes, the least significant one first.
func (c *Cursor) Float64LE() float64 { return math.Float64frombits(c.Uint64LE()) }

// Uvarint reads an unsigned integer of seven bits in each byte, the least significant
// ones first (protobuf, Kafka), of at most 64 bits.
func (c *Cursor) Uvarint() uint64 {
	if c.err != nil {
		return 0
	}
	v, n := binary.Uvarint(c.b[c.at:])
	switch {
	case n == 0 && c.Len() < binary.MaxVarintLen64:
		c.fail(ErrShort)
		return 0
	case n <= 0:
		c.fail(ErrOverflow)
		return 0
	}
	c.at += n
	return v
}

// Varint reads a signed integer as [Cursor.Uvarint], with the sign in the lowest bit
// ("zigzag").
func (c *Cursor) Varint() int64 {
	v := c.Uvarint()
	return int64(v>>1) ^ -int64(v&1)
}
