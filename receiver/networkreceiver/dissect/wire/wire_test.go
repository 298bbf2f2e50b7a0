// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValues(t *testing.T) {
	b := []byte{
		0x01,
		0x01, 0x02, 0x02, 0x01,
		0x01, 0x02, 0x03, 0x03, 0x02, 0x01,
		0x01, 0x02, 0x03, 0x04, 0x04, 0x03, 0x02, 0x01,
		1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1,
	}
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(-1.5))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(-1.5))
	b = binary.AppendUvarint(b, 300)
	b = binary.AppendVarint(b, -300)
	b = append(b, "name\x00rest"...)
	c := Over(b)
	assert.Equal(t, uint8(1), c.Uint8())
	assert.Equal(t, uint16(0x0102), c.Uint16())
	assert.Equal(t, uint16(0x0102), c.Uint16LE())
	assert.Equal(t, uint32(0x010203), c.Uint24())
	assert.Equal(t, uint32(0x010203), c.Uint24LE())
	assert.Equal(t, uint32(0x01020304), c.Uint32())
	assert.Equal(t, uint32(0x01020304), c.Uint32LE())
	assert.Equal(t, uint64(0x0102030405060708), c.Uint64())
	assert.Equal(t, uint64(0x0102030405060708), c.Uint64LE())
	assert.InDelta(t, -1.5, c.Float64(), 0)
	assert.InDelta(t, -1.5, c.Float64LE(), 0)
	assert.Equal(t, uint64(300), c.Uvarint())
	assert.Equal(t, int64(-300), c.Varint())
	assert.Equal(t, "name", string(c.Until(0)))
	assert.Equal(t, "rest", string(c.Rest()))
	assert.Equal(t, 4, c.Len())
	assert.Equal(t, len(b)-4, c.Offset())
	assert.True(t, c.OK())
}

// After the first read that fails nothing is read, also what would be there.
func TestErrorSticks(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		read func(*Cursor)
		want error
	}{
		"short":             {[]byte{1, 2, 3}, func(c *Cursor) { c.Uint32() }, ErrShort},
		"short bytes":       {[]byte{1, 2, 3}, func(c *Cursor) { c.Bytes(4) }, ErrShort},
		"negative length":   {[]byte{1, 2, 3}, func(c *Cursor) { c.Bytes(-1) }, ErrLength},
		"no stop":           {[]byte{1, 2, 3}, func(c *Cursor) { c.Until(0) }, ErrShort},
		"unfinished varint": {[]byte{0x80, 0x80}, func(c *Cursor) { c.Uvarint() }, ErrShort},
		"varint of more than 64 bits": {
			[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0}, func(c *Cursor) { c.Uvarint() }, ErrOverflow,
		},
		"varint that does not end": {
			[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, func(c *Cursor) { c.Uvarint() }, ErrOverflow,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cursor := Over(c.b)
			c.read(&cursor)
			require.ErrorIs(t, cursor.Err(), c.want)
			assert.Zero(t, cursor.Uint8())
			assert.Nil(t, cursor.Bytes(0))
			assert.Nil(t, cursor.Until(3))
			assert.Zero(t, cursor.Uvarint())
			require.ErrorIs(t, cursor.Err(), c.want, "the first error stays")
			assert.Zero(t, cursor.Offset())
		})
	}
}

// What is returned is borrowed, and an append to it does not write into what follows.
func TestBytesAreBorrowed(t *testing.T) {
	b := []byte{1, 2, 3}
	c := Over(b)
	first := c.Bytes(1)
	assert.Same(t, &b[0], &first[0])
	_ = append(first, 9)
	assert.Equal(t, []byte{1, 2, 3}, b)
}

func TestNoAllocations(t *testing.T) {
	b := append(make([]byte, 64), "name\x00"...)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		c := Over(b)
		for c.OK() {
			c.Uint16()
			c.Uvarint()
			c.Bytes(3)
			c.Until(0)
		}
	}))
}

func FuzzCursor(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0x80, 0}, []byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Fuzz(func(t *testing.T, b, reads []byte) {
		c := Over(b)
		for _, r := range reads {
			before, ok := c.Offset(), c.OK()
			switch r % 8 {
			case 0:
				c.Uint8()
			case 1:
				c.Uint24()
			case 2:
				c.Uint64LE()
			case 3:
				c.Uvarint()
			case 4:
				c.Varint()
			case 5:
				c.Bytes(int(int8(r)))
			case 6:
				c.Until(r)
			case 7:
				c.Float64()
			}
			require.GreaterOrEqual(t, c.Offset(), before)
			require.LessOrEqual(t, c.Offset(), len(b))
			if !ok {
				require.Equal(t, before, c.Offset())
				require.False(t, c.OK())
			}
		}
	})
}
