// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// ticker tries refused batches again soon.
var ticker = testkit.M{"initial_interval": "20ms", "max_interval": "100ms"}

// total reads a number of the line that a receiver logs when it has stopped.
func total(t *testing.T, c *testkit.Collector, name string) int {
	t.Helper()
	_, line, found := strings.Cut(c.Output(), "capture stopped")
	require.True(t, found, "%s", c.Output())
	number := regexp.MustCompile(`"` + name + `": (\d+)`).FindStringSubmatch(line)
	require.NotNil(t, number, "%s in %s", name, line)
	n, err := strconv.Atoi(number[1])
	require.NoError(t, err)
	return n
}

// checkTotals compares what the collector says it has built with what the backend
// has and what the collector says it has dropped: it must be the same, exactly.
func (b *backend) checkTotals(c *testkit.Collector) {
	b.t.Helper()
	assert.Equal(b.t, total(b.t, c, "spans"), b.spans+total(b.t, c, "dropped_spans"), "built = taken + dropped")
	assert.Equal(b.t, total(b.t, c, "log_records"), b.records+total(b.t, c, "dropped_log_records"), "built = taken + dropped")
	// Packets of others on this machine count as well, so this is told only.
	b.t.Logf("packets lost: %d", total(b.t, c, "lost_packets"))
}

// TestRefusingBackend refuses for good, then for a while, then not any more.
func TestRefusingBackend(t *testing.T) {
	testkit.NeedRoot(t)
	s, b := testkit.GoServer(t, testkit.Place{}), newBackend(t)
	c := b.exporting(s, testkit.M{"retry_on_failure": ticker}, nil, nil)
	const calls = 100
	send := func(name string) {
		testkit.Send(t, testkit.Load{URL: s.URL(), Name: name, Requests: calls, Connections: 4})
	}

	b.set(status(http.StatusBadRequest))
	send("never")
	testkit.Eventually(t, "the records to be dropped", func() bool {
		return c.Metrics()["otelcol_receiver_network_dropped_records"] == 4*calls // two signals at two ends
	})
	b.set(status(http.StatusServiceUnavailable))
	send("later")
	testkit.Eventually(t, "another try", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.refused > 20
	})
	b.set(accept)
	b.has(2 * calls)
	send("soon")
	b.has(4 * calls)
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()

	b.checkTotals(c)
	assert.Equal(t, 2*calls, total(t, c, "dropped_spans"))
	for _, name := range []string{"later", "soon"} {
		for i := range calls {
			atClient, atServer := b.ends(fmt.Sprintf("%s-%d", name, i+1))
			assert.Equal(t, [2]int{1, 1}, [2]int{atClient, atServer}, "%s-%d", name, i+1)
		}
	}
}

// TestStuckBackend does not answer for a while, with more calls than the queue can
// hold. The failed ones are there afterwards, and each of the others is there or
// counted.
func TestStuckBackend(t *testing.T) {
	testkit.NeedRoot(t)
	s, b := testkit.GoServer(t, testkit.Place{}), newBackend(t)
	c := b.exporting(s, testkit.M{"queue": testkit.M{"batches": 8}, "batch": testkit.M{"max_records": 200}}, nil, nil)
	release := make(chan struct{})
	b.set(func() int { <-release; return http.StatusOK })

	const failing = 300
	bulk := testkit.StartClient(t, testkit.Load{URL: s.URL(), Name: "ordinary", Requests: 4000, Connections: 4})
	failed := testkit.Send(t, testkit.Load{URL: s.URL(), Name: "failed", Path: "/status/500", Requests: failing, Connections: 2})
	bulk.Finish()
	testkit.Eventually(t, "everything to be built", func() bool {
		return c.Metrics()["otelcol_receiver_network_records"] == 4*(4000+failing)
	})
	close(release)
	c.Shutdown()

	b.checkTotals(c)
	assert.Positive(t, total(t, c, "dropped_spans"), "the queue was too long for this test")
	require.Len(t, failed, failing)
	for _, call := range failed {
		atClient, atServer := b.ends(call.Sequence)
		assert.Equal(t, [2]int{1, 1}, [2]int{atClient, atServer}, "%s", call.Sequence)
	}
}

// lanes are clients of one connection each, so that each makes its calls one
// after the other, until the test ends them.
type lanes []*testkit.Client

func startLanes(t *testing.T, s *testkit.Server) (l lanes) {
	t.Helper()
	for i := range 4 {
		l = append(l, testkit.StartClient(t, testkit.Load{
			URL: s.URL(), Name: fmt.Sprintf("lane%d", i), Method: "POST", Path: "/echo", Size: 500, Requests: 20_000, Rate: 100,
		}))
	}
	return l
}

// more waits until each client has made so many more calls, and gives how many it
// has made in all.
func (l lanes) more(t *testing.T, n int) (made []int) {
	t.Helper()
	before := l.made()
	testkit.Eventually(t, "calls", func() bool {
		made = l.made()
		for i := range l {
			if made[i] < before[i]+n {
				return false
			}
		}
		return true
	})
	return made
}

func (l lanes) made() (made []int) {
	for _, c := range l {
		made = append(made, len(c.Truth()))
	}
	return made
}

// end ends the clients, which must have noticed nothing, and gives the numbers of
// their calls.
func (l lanes) end(t *testing.T) []int {
	t.Helper()
	for _, c := range l {
		c.Signal(syscall.SIGKILL)
		c.Wait(testkit.Patience)
		for _, call := range c.Truth() {
			assert.Empty(t, call.Error, "%s", call.Sequence)
			assert.Equal(t, http.StatusOK, call.Status, "%s", call.Sequence)
		}
	}
	return l.made()
}

// whole reports of each call of a lane whether it is there whole, once at each
// end, and checks that it is there at most once.
func whole(t *testing.T, got map[string]testkit.Calls, lane, requests int) []bool {
	t.Helper()
	there := make([]bool, requests)
	for i := range there {
		calls := got[fmt.Sprintf("lane%d-%d", lane, i+1)]
		ok := calls.Where(func(c testkit.Call) bool { return c.Status == http.StatusOK && len(incomplete(c)) == 0 })
		there[i] = len(ok.Of(client)) == 1 && len(ok.Of(server)) == 1
		assert.LessOrEqual(t, len(calls), 2, "%d of lane %d", i+1, lane)
	}
	return there
}

// TestStopUnderLoad stops a collector with SIGTERM. What was under way is told as
// such, and everything before it is there.
func TestStopUnderLoad(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{"include": testkit.M{"ports": []int{s.Port()}}}}})
	testkit.StartClient(t, testkit.Load{URL: s.URL(), Name: "slow", Path: "/drip/5000/50", Requests: 1})
	clients := startLanes(t, s)
	made := clients.more(t, 100)
	c.Shutdown()
	clients.more(t, 20)
	all := clients.end(t)

	got := c.Calls()
	assert.Len(t, got, total(t, c, "spans"), "spans exported")
	assert.Zero(t, total(t, c, "dropped_spans")+total(t, c, "dropped_log_records")+total(t, c, "lost_packets"))
	groups := got.BySequence()
	for lane := range clients {
		there := whole(t, groups, lane, all[lane])
		last := 0
		for last < len(there) && there[last] {
			last++
		}
		assert.GreaterOrEqual(t, last, made[lane], "whole calls of lane %d, which had made so many before the stop", lane)
		for i := last; i < len(there); i++ {
			assert.False(t, there[i], "call %d of lane %d, after a hole", i+1, lane)
		}
	}
	checkUnfinished(t, got.Where(func(c testkit.Call) bool { return strings.Contains(c.URI, "drip") }))
}

// checkUnfinished wants both ends of a call that was under way at the stop.
func checkUnfinished(t *testing.T, calls testkit.Calls) {
	t.Helper()
	assert.Len(t, calls, 2)
	for _, call := range calls {
		assert.Equal(t, true, call.Attributes["wirespan.incomplete"])
		assert.Equal(t, "shutdown", call.Attributes["wirespan.response.incomplete"], "%v", call.Attributes)
	}
}

// TestStopWhileRefused stops a collector whose backend refuses: it ends in time,
// and says what it could not hand on.
func TestStopWhileRefused(t *testing.T) {
	testkit.NeedRoot(t)
	s, b := testkit.GoServer(t, testkit.Place{}), newBackend(t)
	c := b.exporting(s, testkit.M{"retry_on_failure": ticker, "shutdown_timeout": "1s"}, nil, nil)
	b.set(status(http.StatusServiceUnavailable))
	testkit.Send(t, testkit.Load{URL: s.URL(), Name: "load", Requests: 200, Connections: 4})
	c.Shutdown()
	b.checkTotals(c)
	assert.Equal(t, 400, total(t, c, "dropped_spans"))
	assert.Equal(t, 400, total(t, c, "dropped_log_records"))
}

// TestKillUnderLoad kills a collector. The applications notice nothing, and the
// next one joins their connections.
func TestKillUnderLoad(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	c := live(t, nil)
	clients := startLanes(t, s)
	clients.more(t, 50)
	c.Signal(syscall.SIGKILL)
	c.Wait(testkit.Patience)
	next := live(t, nil)
	joined := clients.made()
	clients.more(t, 100)
	all := clients.end(t)
	next.Shutdown()
	groups := next.Calls().BySequence()
	for lane := range clients {
		there := whole(t, groups, lane, all[lane])
		for i := joined[lane] + 1; i < len(there); i++ { // one may have been under way
			assert.True(t, there[i], "call %d of lane %d", i+1, lane)
		}
	}
}

// TestReloadUnderLoad reloads the configuration. On each connection the call that
// was under way may be told in two parts, and no other is touched.
func TestReloadUnderLoad(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	c := live(t, nil)
	clients := startLanes(t, s)
	clients.more(t, 50)
	c.Signal(syscall.SIGHUP)
	testkit.Eventually(t, "the reload", func() bool {
		return strings.Contains(c.Output(), "with the programs that are attached")
	})
	clients.more(t, 50)
	all := clients.end(t)
	c.Shutdown()
	got := c.Calls()
	groups := got.BySequence()
	for lane := range clients {
		var split []int
		for i, ok := range whole(t, groups, lane, all[lane]) {
			if !ok {
				split = append(split, i)
			}
		}
		assert.LessOrEqual(t, len(split), 1, "calls of lane %d that are not whole: %v", lane, split)
		for _, i := range split {
			id := fmt.Sprintf("lane%d-%d", lane, i+1)
			assert.NotEmpty(t, toldParts(got, id), "nothing is told of %s", id)
		}
	}
}

// toldParts are the calls that say that they are parts of the one with an id.
func toldParts(got testkit.Calls, id string) testkit.Calls {
	return got.Where(func(c testkit.Call) bool {
		return (c.Sequence() == id || c.Response.Header(truth.SequenceHeader) == id) && len(incomplete(c)) > 0
	})
}
