// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

const (
	ordinary = telemetry.Ordinary
	urgent   = telemetry.Urgent
)

// put is a batch of one class, whose records are numbers.
type put struct {
	class   telemetry.Class
	records []int
	bytes   int
}

func TestQueue(t *testing.T) {
	o := func(bytes int, records ...int) put { return put{ordinary, records, bytes} }
	u := func(bytes int, records ...int) put { return put{urgent, records, bytes} }
	tests := []struct {
		name    string
		limits  queueLimits
		memory  int64
		puts    []put
		want    [][]int
		dropped map[string][]int
	}{
		{
			name: "urgent first, each class in order", puts: []put{o(1, 1), u(1, 2), o(1, 3), u(1, 4)},
			want: [][]int{{2}, {4}, {1}, {3}},
		},
		{
			name: "a newcomer gives way to its equals", limits: queueLimits{batches: 2}, puts: []put{o(1, 1), o(1, 2), o(1, 3, 4)},
			want: [][]int{{1}, {2}}, dropped: map[string][]int{"ordinary queue_full": {3, 4}},
		},
		{
			name: "the oldest ordinary ones give way", limits: queueLimits{batches: 2}, puts: []put{o(1, 1), o(1, 2), u(1, 3)},
			want: [][]int{{3}, {2}}, dropped: map[string][]int{"ordinary queue_full": {1}},
		},
		{
			name: "urgent ones give way to none", limits: queueLimits{batches: 2}, puts: []put{u(1, 1), u(1, 2), o(1, 3), u(1, 4)},
			want: [][]int{{1}, {2}}, dropped: map[string][]int{"ordinary queue_full": {3}, "urgent queue_full": {4}},
		},
		{
			name: "as many as need be", limits: queueLimits{bytes: 10}, puts: []put{o(3, 1), o(3, 2), o(3, 3), u(5, 4), o(4, 5)},
			want: [][]int{{4}, {3}}, dropped: map[string][]int{"ordinary memory": {1, 2, 5}},
		},
		{
			name: "the budget is shared", memory: 10, puts: []put{o(4, 1), o(4, 2), u(4, 3), u(4, 4), u(4, 5)},
			want: [][]int{{3}, {4}}, dropped: map[string][]int{"ordinary memory": {1, 2}, "urgent memory": {5}},
		},
		{
			name: "one that is larger than the queue", limits: queueLimits{bytes: 10}, puts: []put{u(20, 1), u(1, 2)},
			want: [][]int{{1}}, dropped: map[string][]int{"urgent memory": {2}},
		},
		{
			name: "what waits grows", limits: queueLimits{batches: 2, batch: telemetry.Batch{Records: 3, Bytes: 100}},
			puts: []put{u(1, 1), o(1, 2), u(1, 3, 4), o(1, 5), o(1, 6, 7), o(1, 8)},
			want: [][]int{{1, 3, 4}, {2, 5, 8}}, dropped: map[string][]int{"ordinary queue_full": {6, 7}},
		},
		{
			name: "up to its bytes", limits: queueLimits{batches: 3, batch: telemetry.Batch{Records: 10, Bytes: 10}},
			puts: []put{o(6, 1), o(5, 2), o(5, 3)}, want: [][]int{{1}, {2, 3}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			limits := tt.limits
			limits.batches = cmpOr(limits.batches, 10)
			limits.bytes = cmpOr(limits.bytes, 1000)
			var memory *budget.Budget
			if tt.memory > 0 {
				memory = budget.New(tt.memory)
			}
			var q queue[*[]int]
			dropped := map[string][]int{}
			q.init(limits, memory, func(into, more *[]int) { *into = append(*into, *more...) }, func(why dropReason, x item[*[]int]) {
				key := fmt.Sprint(x.class, " ", why)
				dropped[key] = append(dropped[key], *x.batch...)
			})
			for _, p := range tt.puts {
				q.push(item[*[]int]{p.class, &p.records, len(p.records), p.bytes})
			}
			q.close()
			var got [][]int
			for x, ok := q.pop(); ok; x, ok = q.pop() {
				got = append(got, *x.batch)
				assert.Len(t, *x.batch, x.records)
				q.free(x)
			}
			assert.Equal(t, tt.want, got)
			if tt.dropped == nil {
				tt.dropped = map[string][]int{}
			}
			assert.Equal(t, tt.dropped, dropped)
			assert.Zero(t, memory.Used())
			assert.Zero(t, q.size())
		})
	}
}

func cmpOr(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// TestUrgentIsKeptLongest stops the next component for a while, with mixed load
// from several shards. Whatever the sizes: what was built was handed on or
// counted, in the order of its class, and urgent records are missing only where
// nothing but urgent ones was kept.
func TestUrgentIsKeptLongest(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { keepUrgent(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func keepUrgent(t *testing.T, random *rand.Rand) {
	cfg := NewDefaultConfig()
	cfg.Queue.Batches = 1 + random.IntN(10)
	cfg.Batch.MaxRecords = 1 + random.IntN(20)
	limit := 100 + random.IntN(2000)
	share := random.IntN(100)
	memory := budget.New(int64(limit))
	release := make(chan struct{})
	s := &recordingSignal{answer: func([]int) error { <-release; return nil }}
	d := newDelivery(s.signal(), cfg, false, memory, limit)

	d.put(ordinary, &[]int{0}, 10)
	synctest.Wait() // it is being consumed

	const shards, batches, largest = 3, 40, 100
	var built [telemetry.Classes]int
	var mu sync.Mutex
	var wg sync.WaitGroup
	sizes := make([]int, shards*batches)
	for i := range sizes {
		sizes[i] = 1 + random.IntN(largest/10)
	}
	classes := make([]telemetry.Class, len(sizes))
	for i := range classes {
		if random.IntN(100) < share {
			classes[i] = urgent
		}
	}
	for shard := range shards {
		wg.Go(func() {
			for i := shard * batches; i < (shard+1)*batches; i++ {
				var records []int
				for n := range sizes[i] {
					records = append(records, record(i, n, classes[i]))
				}
				mu.Lock()
				built[classes[i]] += len(records)
				mu.Unlock()
				d.put(classes[i], &records, 10*sizes[i])
			}
		})
	}
	wg.Wait()
	kept := slices.Clone(d.queue.waiting[ordinary])
	require.LessOrEqual(t, d.queue.size(), cfg.Queue.Batches)
	require.LessOrEqual(t, memory.Used(), memory.Limit())
	close(release)
	finish(d, time.Minute)

	var received [telemetry.Classes]int
	last := map[[2]int]int{}
	for _, r := range s.taken[1:] {
		received[r%2]++
		from := [2]int{r % 2, r / 2 / 1000 / batches} // class and shard
		assert.Greater(t, r, last[from], "order within a class of a shard")
		last[from] = r
	}
	var lost [telemetry.Classes]int
	d.eachDrop(func(reason dropReason, class telemetry.Class, n uint64) {
		lost[class] += int(n)
		if n > 0 {
			assert.Contains(t, []dropReason{dropQueueFull, dropMemory}, reason)
		}
	})
	for class := range telemetry.Classes {
		assert.Equal(t, built[class], received[class]+lost[class], "%v: built = received + dropped", class)
	}
	if d.dropped[dropQueueFull][urgent].Load() > 0 {
		assert.Empty(t, kept, "ordinary batches have places that urgent ones wanted")
	}
	if d.dropped[dropMemory][urgent].Load() > 0 {
		bytes := 0
		for _, x := range kept {
			bytes += x.bytes
		}
		assert.Less(t, bytes, largest, "ordinary batches have room that an urgent one wanted")
	}
	assert.Zero(t, memory.Used())
}

// record is the number of record n of batch i.
func record(i, n int, class telemetry.Class) int { return (i*1000+n+1)*2 + int(class) }

// TestJoinedBatchesAreWhole joins batches of pdata.
func TestJoinedBatchesAreWhole(t *testing.T) {
	spans := func(names ...string) ptrace.Traces {
		td := ptrace.NewTraces()
		scope := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		for _, name := range names {
			scope.Spans().AppendEmpty().SetName(name)
		}
		return td
	}
	traces := tracesSignal(consumertest.NewNop(), nil)
	into, more := spans("a", "b"), spans("c")
	traces.join(into, more)
	assert.Equal(t, 3, traces.count(into))
	assert.Zero(t, traces.count(more))

	records := func(n int) plog.Logs {
		ld := plog.NewLogs()
		scope := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
		for range n {
			scope.LogRecords().AppendEmpty()
		}
		return ld
	}
	logs := logsSignal(consumertest.NewNop(), nil)
	first, second := records(2), records(3)
	logs.join(first, second)
	assert.Equal(t, 5, logs.count(first))
	assert.Zero(t, logs.count(second))
}

// TestOffer holds back several shards of a source that can wait: nothing is lost,
// and all get through.
func TestOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recordingSignal{answer: func([]int) error { time.Sleep(time.Millisecond); return nil }}
		d := newDelivery(s.signal(), deliveryConfig(2), true, nil, 0)
		var shards sync.WaitGroup
		for shard := range 4 {
			shards.Go(func() {
				for i := range 50 {
					d.put(ordinary, &[]int{shard*50 + i}, 1)
				}
			})
		}
		shards.Wait()
		finish(d, time.Minute)
		slices.Sort(s.taken)
		want := make([]int, 200)
		for i := range want {
			want[i] = i
		}
		assert.Equal(t, want, s.taken)
	})
}
