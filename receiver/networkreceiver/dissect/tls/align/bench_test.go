// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"fmt"
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

type nowhere struct{}

func (nowhere) Data(dissect.Direction, conn.Mark, []byte) {}
func (nowhere) Gap(dissect.Direction, conn.Mark, uint64)  {}

// BenchmarkJoinedBulk joins a connection of 4,000 records of one length in one direction.
// Where all of them are one call of the library, nothing tells where it begins.
func BenchmarkJoinedBulk(b *testing.B) {
	const records = 4000
	for _, calls := range []int{records, 1} {
		for _, size := range []int{maxPlain, 1000} {
			b.Run(fmt.Sprintf("%d calls, records of %d bytes", calls, size), func(b *testing.B) {
				for b.Loop() {
					joinBulk(records, records/calls, make([]byte, size))
				}
			})
		}
	}
}

func joinBulk(records, perCall int, plain []byte) {
	c := newTest(&account{most: 32 << 20}, nowhere{})
	at, shown, position, offset := second, second, uint64(seenLate), uint64(0)
	for i := range records {
		at += 20e3
		size := len(plain) + sealing
		c.Record(toClient, conn.Mark{Time: at, Seq: uint32(offset), Offset: offset + headerBytes}, size, true)
		offset += uint64(headerBytes + size)
		if i%perCall == 0 {
			shown = at + 5e3
		}
		if i > 4 {
			c.Plain(toClient, conn.Mark{Time: shown, Offset: position}, perCall == 1, plain)
			position += uint64(len(plain))
		}
	}
}
