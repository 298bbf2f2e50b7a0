// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBudget(t *testing.T) {
	b := New(100)
	assert.True(t, b.Take(60))
	assert.False(t, b.Take(41))
	assert.Equal(t, int64(60), b.Used(), "what was refused is not taken")
	assert.True(t, b.Take(40))
	assert.False(t, b.Take(1))
	assert.True(t, b.Take(0))
	b.Give(100)
	assert.Zero(t, b.Used())
	assert.Equal(t, int64(100), b.Limit())
}

func TestNilBudgetHasNoLimit(t *testing.T) {
	var b *Budget
	assert.True(t, b.Take(1<<40))
	b.Give(1)
	assert.Zero(t, b.Used())
	assert.Zero(t, b.Limit())
}

func TestBudgetIsNeverExceededByThoseWhoGotTheirs(t *testing.T) {
	b := New(10)
	var (
		granted atomic.Int64
		wg      sync.WaitGroup
	)
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if !b.Take(3) {
					continue
				}
				if granted.Add(3) > 10 {
					t.Error("more was granted than there is")
				}
				runtime.Gosched()
				granted.Add(-3)
				b.Give(3)
			}
		})
	}
	wg.Wait()
	assert.Zero(t, b.Used())
}

func TestPart(t *testing.T) {
	whole := New(100)
	part := whole.Part(60, 0)
	assert.True(t, part.Take(50))
	assert.False(t, part.Take(11), "more than the part")
	assert.Equal(t, int64(50), whole.Used(), "what a part takes is taken from the whole")
	assert.True(t, whole.Take(45))
	assert.False(t, part.Take(6), "more than is left of the whole")
	assert.Equal(t, int64(50), part.Used())
	part.Give(50)
	assert.Equal(t, int64(45), whole.Used())
	assert.Nil(t, (*Budget)(nil).Part(1, 1))
}

func TestScarce(t *testing.T) {
	b := New(80)
	modest, greedy := b.Part(80, 10), b.Part(80, 10)
	assert.True(t, modest.Take(10))
	assert.True(t, greedy.Take(60))
	assert.False(t, b.Scarce())
	assert.True(t, greedy.Take(1))
	assert.True(t, b.Scarce())
	assert.True(t, greedy.Scarce())
	assert.False(t, modest.Scarce(), "it has no more than what it can keep")
	assert.False(t, (*Budget)(nil).Scarce())
}

func TestAccount(t *testing.T) {
	b := New(800)
	a := b.Account()
	assert.False(t, a.Take(101), "more than an eighth of what is free")
	assert.True(t, a.Take(80))
	assert.False(t, a.Take(11), "720 are free, of which an eighth is 90")
	assert.True(t, a.Take(10))
	assert.Equal(t, int64(90), b.Used())
	a.Give(90)
	assert.Zero(t, a.Held())
	assert.Zero(t, b.Used())

	var unlimited Account
	assert.True(t, unlimited.Take(1<<40))
	unlimited.Give(1 << 40)
	assert.Zero(t, unlimited.Held())
}

// Fifty that take as much as they can get, at the same time, leave something to others.
func TestAccountsShare(t *testing.T) {
	b := New(1 << 20)
	greedy := make([]Account, 50)
	for i := range greedy {
		greedy[i] = b.Account()
	}
	for range 1 << 10 {
		for i := range greedy {
			greedy[i].Take(64)
		}
	}
	assert.False(t, b.Scarce())
	for i := range greedy {
		assert.InDelta(t, greedy[0].Held(), greedy[i].Held(), 64)
	}
	another := b.Account()
	assert.True(t, another.Take(greedy[0].Held()/2))
}
