// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package soak runs the distribution for a long time, at a steady rate and with
// many short-lived processes, and looks for what grows.
package soak

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

var (
	duration = flag.Duration("duration", 15*time.Second, "how long to send")
	rate     = flag.Int("rate", 400, "calls per second over connections that stay open")
	churn    = flag.Int("churn", 15, "processes per second that make some calls and end")
	samples  = flag.String("samples", "", "file to write all samples to, as CSV")
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestSoak sends for a while and compares what the collector's process and its
// programs in the kernel hold: in the middle and at the end of the load, and
// before and after it.
func TestSoak(t *testing.T) {
	testkit.NeedRoot(t)
	idle := goroutines(t, startCollector(t, startServer(t)))

	url := startServer(t)
	c := startCollector(t, url)
	before := take(t, c)
	var series series
	begin := time.Now()
	sent := send(t, url, func() {
		now := take(t, c)
		now.at = time.Since(begin)
		series = append(series, now)
	})
	series.write(t, *samples)
	t.Logf("%d calls in %v, %d samples, medians of the thirds\n%v", sent, time.Since(begin).Round(time.Second), len(series), series)
	after := settle(t, c, before, sent)
	metrics := c.Metrics()
	left := goroutines(t, c)

	t.Logf("before %v\nafter  %v\ngoroutines of an idle collector %d, after the load %d", before, after, idle, left)
	assert.Zero(t, losses(metrics), "lost or dropped")
	assert.EqualValues(t, 2*sent, metrics["otelcol_receiver_network_exchanges"], "calls, once at each end")

	series.assertFlat(t)
	assert.LessOrEqual(t, left, idle+goroutineSlack)
	assert.LessOrEqual(t, after.fds-after.probes, before.fds-before.probes+fdSlack)
	assert.NotZero(t, after.probes)
	assert.LessOrEqual(t, after.probes, before.probes+probeSlack)
	for name, n := range after.maps {
		if !n.cache {
			assert.LessOrEqual(t, n.entries, before.maps[name].entries, "entries of map %s", name)
		}
		assert.LessOrEqual(t, n.entries, n.capacity, "entries of map %s", name)
	}
}

// remembered is how long a closed connection is remembered, in case of more
// packets (conn.Settings.ClosedTimeout).
const remembered = 30 * time.Second

// closing is how long a connection is tracked of which the other end's FIN could not be
// seen.
const closing = time.Minute

// learned is the most that is remembered of the few paths of one server (routes::learn),
// in MiB.
const learned = 16.0 / 1024

// settle waits until everything is handed on and nothing is held, and gives what
// there is then.
func settle(t *testing.T, c *testkit.Collector, before sample, sent int) (after sample) {
	t.Helper()
	for end := time.Now().Add(closing + remembered + testkit.Patience); time.Now().Before(end); time.Sleep(time.Second) {
		after = take(t, c)
		metrics := c.Metrics()
		all := metrics["otelcol_receiver_network_records"] >= float64(4*sent) || losses(metrics) > 0
		if all && after.connections == 0 && after.budget <= before.budget+learned {
			return after
		}
	}
	for name, n := range c.Metrics() {
		if n != 0 && strings.HasPrefix(name, "otelcol_receiver_network_") {
			t.Log(name, n)
		}
	}
	assert.Zero(t, after.connections, "connections after the load")
	assert.LessOrEqual(t, after.budget, before.budget+learned, "memory of the budget after the load, MiB")
	return after
}

// What may differ: connections of whoever reads the metrics, and what belongs to
// them; and the probes in the one program that was started meanwhile, which stay for
// some minutes after its last run.
const (
	fdSlack        = 3
	probeSlack     = 8
	goroutineSlack = 6
)

// server is where a server under load listens.
type server struct {
	url  string
	port int
}

func startServer(t *testing.T) server {
	t.Helper()
	port := testkit.FreePort(t)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	testkit.Start(t, testkit.Program{
		Path: testkit.Build(t, "server"), Args: []string{"-addr", addr}, Env: []string{"TRUTH=" + os.DevNull}, Addr: addr,
	})
	return server{"http://" + addr, port}
}

// startCollector captures what goes to one server, and writes it out for nobody.
func startCollector(t *testing.T, s server) *testkit.Collector {
	t.Helper()
	return testkit.StartCollector(t, testkit.CollectorConfig{
		Network:   testkit.M{"capture": testkit.M{"ebpf": testkit.M{"include": testkit.M{"ports": []int{s.port}}}}},
		NoFile:    true,
		Exporters: testkit.M{"file": testkit.M{"path": os.DevNull}},
	})
}

// send keeps the rate for the duration, on connections that stay open and from
// processes that come and go, and gives the number of calls. It calls watch about
// 150 times.
func send(t *testing.T, s server, watch func()) (calls int) {
	t.Helper()
	steady := *rate * int(duration.Seconds())
	client := testkit.Build(t, "client")
	long := testkit.Start(t, testkit.Program{
		Path: client, Env: []string{"TRUTH=" + os.DevNull}, Args: []string{
			"-url", s.url, "-path", body, "-requests", fmt.Sprint(steady), "-connections", "8", "-rate", fmt.Sprint(*rate),
		},
	})
	look := time.NewTicker(max(*duration/150, 200*time.Millisecond))
	defer look.Stop()
	visit := time.NewTicker(time.Second / time.Duration(*churn))
	defer visit.Stop()
	var visitors visitors
	defer visitors.wait()
	for !long.Exited() {
		select {
		case <-look.C:
			watch()
		case <-visit.C:
			visitors.send(t, client, s.url)
		}
	}
	require.Zero(t, long.Wait(time.Second), "%s", long.Output())
	return steady + visitors.wait()
}

// body is the path of a usual response.
const body = "/bytes/1/2048/text"

// visitors are processes that make some calls and end. A few run at a time.
type visitors struct {
	running sync.WaitGroup
	places  atomic.Int32
	visits  int
}

const visits = 3 // calls of each

func (v *visitors) send(t *testing.T, client, url string) {
	t.Helper()
	if v.places.Add(1) > 8 {
		v.places.Add(-1)
		return
	}
	path := []string{body, "/status/500", "/status/204"}[v.visits%3]
	v.visits++
	cmd := exec.Command(client, "-url", url, "-path", path, "-requests", fmt.Sprint(visits), "-connections", "2")
	cmd.Env = append(os.Environ(), "TRUTH="+os.DevNull)
	v.running.Go(func() {
		defer v.places.Add(-1)
		if err := cmd.Run(); err != nil {
			t.Errorf("visitor: %v", err)
		}
	})
}

// wait gives the number of calls.
func (v *visitors) wait() int {
	v.running.Wait()
	return visits * v.visits
}

// losses are records that were lost or dropped, by the collector's own account.
// Not among them is what the kernel could not copy (copy_failed): it counts
// packets of any socket, also of those that the collector does not capture.
func losses(metrics map[string]float64) float64 {
	return metrics[`otelcol_receiver_network_lost_records{reason="ring_full",receiver="network"}`] +
		metrics["otelcol_receiver_network_dropped_records"]
}

var goroutine = regexp.MustCompile(`(?m)^goroutine \d+ .*\[`)

// goroutines ends a collector so that it says what runs in it.
func goroutines(t *testing.T, c *testkit.Collector) int {
	t.Helper()
	c.Signal(syscall.SIGQUIT)
	c.Wait(testkit.Patience)
	return len(goroutine.FindAllString(c.Output(), -1))
}
