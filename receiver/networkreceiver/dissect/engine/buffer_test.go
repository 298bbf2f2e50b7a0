// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// A buffer has to do what a list of bytes with a mark each does.
func TestBufferAgainstModel(t *testing.T) {
	type marked struct {
		b    byte
		mark conn.Mark
	}
	random := rand.New(rand.NewPCG(1, 2))
	var p pool
	memory := budget.New(1 << 20).Account()
	var b buffer
	var model []marked
	next := conn.Mark{}
	for range 5000 {
		switch random.IntN(4) {
		case 0, 1:
			if random.IntN(2) == 0 {
				next.Time++
			}
			data := make([]byte, 1+random.IntN(9))
			require.True(t, p.add(&memory, &b, next, data))
			for i := range data {
				model = append(model, marked{data[i], advance(next, i)})
			}
			next = advance(next, len(data))
		case 2:
			n := random.IntN(len(model) + 1)
			b.drop(n)
			model = model[n:]
		case 3:
			n := random.IntN(len(model) + 1)
			if n == len(model) && random.IntN(3) == 0 {
				p.release(&memory, &b)
				model = nil
				break
			}
			b.truncate(n)
			model = model[:n]
		}
		require.Len(t, b.bytes, len(model))
		for i, want := range model {
			require.Equal(t, want, marked{b.bytes[i], b.marks().At(i)})
		}
		seen := 0
		from := random.IntN(len(model) + 1)
		b.each(from, len(model), func(m conn.Mark, piece []byte) {
			require.Equal(t, model[from+seen].mark, m)
			seen += len(piece)
		})
		require.Equal(t, len(model)-from, seen)
	}
	p.release(&memory, &b)
	require.Zero(t, memory.Held())
}

func TestBufferWithoutMemory(t *testing.T) {
	var p pool
	memory := budget.New(64 << 10).Account()
	var b buffer
	require.True(t, p.add(&memory, &b, conn.Mark{}, make([]byte, 5<<10)))
	require.False(t, p.add(&memory, &b, conn.Mark{Time: 1}, make([]byte, 5<<10)))
	require.Len(t, b.bytes, 5<<10)
	p.release(&memory, &b)
	require.Zero(t, memory.Held())
}
