// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package stress

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	limit = 32 << 20
	ring  = 4 << 20
	// mostGrowth is by how much resident memory may grow: Go's heap to twice of what is
	// in use, the rings, and what else a collector needs when it is at work.
	mostGrowth = 3*limit + 2*ring + 64<<20
)

// size is n, or ten times as much in a long run.
func size(n int) int {
	if os.Getenv("STRESS") != "" {
		return 10 * n
	}
	return n
}

// attacked is a collector with little memory, of which resident memory is watched.
type attacked struct {
	*testkit.Collector
	t     *testing.T
	stop  chan struct{}
	ended sync.WaitGroup
	idle  int64
	peak  int64
}

func attack(t *testing.T, exporters testkit.M) *attacked {
	t.Helper()
	testkit.NeedRoot(t)
	a := &attacked{t: t, stop: make(chan struct{}), Collector: testkit.StartCollector(t, testkit.CollectorConfig{
		Network: testkit.M{
			"workers": 1,
			"memory":  testkit.M{"limit": fmt.Sprint(limit)},
			"capture": testkit.M{"ebpf": testkit.M{"ring_size": fmt.Sprint(ring)}},
		},
		Exporters: exporters,
	})}
	a.idle = a.resident()
	a.ended.Go(func() {
		for {
			select {
			case <-a.stop:
				return
			case <-time.After(50 * time.Millisecond):
				a.peak = max(a.peak, a.resident())
			}
		}
	})
	return a
}

// resident is the collector's resident memory, or 0 if that cannot be read.
func (a *attacked) resident() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.PID()))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
	return kib << 10
}

// check requires that memory stayed within bounds and that ordinary calls are captured
// completely, at both ends.
func (a *attacked) check() {
	a.t.Helper()
	s := testkit.GoServer(a.t, testkit.Place{})
	calls := testkit.Send(a.t, testkit.Load{
		URL: s.URL(), Name: "after", Method: "POST", Path: "/echo", Size: 1000, Requests: 50, Connections: 5, Rate: 100,
	})
	close(a.stop)
	a.ended.Wait()
	metrics := a.Metrics()
	a.Shutdown()
	groups := a.Calls().BySequence()
	for _, c := range calls {
		for _, kind := range []ptrace.SpanKind{ptrace.SpanKindClient, ptrace.SpanKindServer} {
			whole := groups[c.Sequence].Of(kind).Where(func(c testkit.Call) bool { return c.Status == http.StatusOK })
			assert.Len(a.t, whole, 1, "%s, %v", c.Sequence, kind)
		}
	}
	assert.LessOrEqual(a.t, metrics["otelcol_receiver_network_memory_used"], float64(limit))
	assert.LessOrEqual(a.t, a.peak-a.idle, int64(mostGrowth), "growth of resident memory")
	a.t.Logf("resident memory: %d MiB idle, %d MiB at most", a.idle>>20, a.peak>>20)
}

func TestSYNFlood(t *testing.T) {
	testkit.NeedRoot(t)
	from, to := testkit.NetNSPair(t)
	// Answers go to where they came from, and end there.
	out, err := exec.Command("ip", "-n", to.Name, "route", "add", "198.18.0.0/15", "via", from.Addr).CombinedOutput()
	require.NoError(t, err, "%s", out)
	s := testkit.GoServer(t, testkit.Place{Addr: net.JoinHostPort(to.Addr, "8080"), NetNS: to.Name})
	a := attack(t, nil)
	flood := testkit.Start(t, testkit.Program{
		Path: testkit.Build(t, "synflood"), NetNS: from.Name, Telling: true,
		Args: []string{"-to", strings.TrimPrefix(s.URL(), "http://"), "-n", fmt.Sprint(size(30_000))},
	})
	require.Zero(t, flood.Wait(testkit.Patience), "%s", flood.Output())
	testkit.Eventually(t, "the flood", func() bool {
		return a.Metrics()[`otelcol_receiver_network_segments`] > 1000
	})
	a.check()
}

func TestIdleConnections(t *testing.T) {
	s := testkit.GoServer(t, testkit.Place{})
	a := attack(t, nil)
	addr := strings.TrimPrefix(s.URL(), "http://")
	for range size(500) {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		_, err = fmt.Fprintf(c, "GET /idle HTTP/1.1\r\nHost: %s\r\n\r\n", addr)
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		_ = resp.Body.Close()
	}
	a.check()
}

// TestStuckBackend has a backend that takes connections and never answers.
func TestStuckBackend(t *testing.T) {
	stuck, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = stuck.Close() })
	a := attack(t, testkit.M{"otlp_http": testkit.M{
		"endpoint": "http://" + stuck.Addr().String(), "sending_queue": testkit.M{"enabled": false},
		"retry_on_failure": testkit.M{"enabled": false}, "timeout": "2s",
	}})
	s := testkit.GoServer(t, testkit.Place{})
	for begin := time.Now(); time.Since(begin) < time.Duration(size(5))*time.Second; {
		testkit.Send(t, testkit.Load{
			URL: s.URL(), Name: "stuck", Method: "POST", Path: "/echo", Size: 10_000, Requests: 2000, Connections: 8,
		})
	}
	close(a.stop)
	a.ended.Wait()
	metrics := a.Metrics()
	assert.LessOrEqual(t, metrics["otelcol_receiver_network_memory_used"], float64(limit))
	assert.LessOrEqual(t, a.peak-a.idle, int64(mostGrowth), "growth of resident memory")
	assert.Positive(t, metrics["otelcol_receiver_network_dropped_records"], "it was too little to fill the queue")
	t.Logf("resident memory: %d MiB idle, %d MiB at most; %v records dropped",
		a.idle>>20, a.peak>>20, metrics["otelcol_receiver_network_dropped_records"])
}
