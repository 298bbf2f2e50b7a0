// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// order is a Channel that tells what came in which order.
type order []string

func (o *order) Data(_ dissect.Direction, _ conn.Mark, b []byte) { *o = append(*o, string(b)) }
func (o *order) Gap(_ dissect.Direction, _ conn.Mark, n uint64) {
	*o = append(*o, fmt.Sprint("gap ", n))
}

// wait lets a second pass from a time on.
func wait(c *Connection, from int64) {
	for at := range int64(10) {
		c.Tick(from + at*second/10)
	}
}

// TestForgottenBeforeItsRecords: a library's object is forgotten and found again while its
// records are still to come. What is missing is told before what comes after it.
func TestForgottenBeforeItsRecords(t *testing.T) {
	var out order
	c := newTest(&account{most: 1 << 20}, &out)
	begin13(c)
	c.Plain(toClient, conn.Mark{Time: 1e6}, false, []byte("first"))
	c.Plain(toClient, conn.Mark{Time: 2e6, Offset: seenLate}, false, []byte("anew"))
	wait(c, second)
	assert.Equal(t, order{"first", "gap 1", "anew"}, out)
}

// TestTicketAmongWhatWasHandedOver: records that carry something else are found out among
// those whose plaintext went ahead of them.
func TestTicketAmongWhatWasHandedOver(t *testing.T) {
	out := &responses{}
	c := newTest(&account{most: 1 << 20}, out)
	begin13(c)
	record := func(at int64, size int, seq uint32) {
		c.sides[toClient].record(size+17, conn.Mark{Time: at, Seq: seq})
	}
	plain := func(at int64, n int) {
		c.Plain(toClient, conn.Mark{Time: at, Offset: c.sides[toClient].next}, false, make([]byte, n))
	}
	plain(1e6, 100)
	record(2e6, 100, 1000)
	plain(3e6, 20_000)
	wait(c, second)
	assert.Len(t, out.bytes, 20_100, "nothing waits for a slow reader")
	record(2*second, 200, 2000)
	record(2*second, maxPlain, 3000)
	record(2*second, 20_000-maxPlain, 4000)
	plain(3*second, 50)
	record(3*second, 50, 5000)
	wait(c, 3*second)
	assert.Equal(t, uint32(5000), out.seq(t, 20_100))
}
