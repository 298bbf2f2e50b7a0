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
