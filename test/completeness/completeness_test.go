// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package completeness makes sure that no call is lost without a trace: what the
// load generator sent is what was captured and what counters say was lost, exactly.
//
// Every call of the generator is two packets, a request and a response, at each of
// its ends. What the kernel could not hand over is counted in packets, since nobody
// can know what was in them. So, over both ends of all calls,
//
//	lost records = sides missing of calls that were seen in part + 2 × calls not seen
//
// and every call of which a side was seen is exported, marked as incomplete.
package completeness

import (
	"fmt"
	"maps"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/load"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// rig is a server in a network namespace, and a collector that captures nothing
// but its port.
type rig struct {
	t         *testing.T
	netns     testkit.NetNS
	server    *testkit.Server
	backend   *backend
	collector *testkit.Collector
}

func newRig(t *testing.T, network testkit.M, ring string) *rig {
	t.Helper()
	testkit.NeedRoot(t)
	r := &rig{t: t, backend: startBackend(t)}
	r.netns, _ = testkit.NetNSPair(t)
	// A retransmission is a packet more. Without probes there is none below 200 ms.
	r.inside("sysctl", "-qw", "net.ipv4.tcp_early_retrans=0")
	r.server = testkit.LoadServer(t, 2048, testkit.Place{NetNS: r.netns.Name})
	config := testkit.M{
		"workers": 1, // so that the order of losses is that of one ring
		"capture": testkit.M{"ebpf": testkit.M{
			"ring_size": ring, "include": testkit.M{"ports": []int{r.server.Port()}},
		}},
	}
	maps.Copy(config, network)
	r.collector = testkit.StartCollector(t, testkit.CollectorConfig{
		Network: config, NoFile: true,
		Exporters: testkit.M{"otlp_grpc": testkit.M{
			"endpoint": r.backend.addr, "tls": testkit.M{"insecure": true}, "compression": "none", "timeout": "1m",
			// What is not taken at once is the receiver's to count.
			"sending_queue": testkit.M{"enabled": false}, "retry_on_failure": testkit.M{"enabled": false},
		}},
	})
	return r
}

func (r *rig) inside(args ...string) string {
	r.t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", r.netns.Name}, args...)...).CombinedOutput()
	require.NoError(r.t, err, "%s", out)
	return string(out)
}

// retransmitted is how many segments TCP has sent again in the namespace (RFC
// 4022, tcpRetransSegs).
func (r *rig) retransmitted() int {
	r.t.Helper()
	var names, values []string
	for line := range strings.Lines(r.inside("cat", "/proc/net/snmp")) {
		if f := strings.Fields(line); f[0] == "Tcp:" {
			names, values = values, f
		}
	}
	for i, name := range names {
		if name == "RetransSegs" {
			n, err := strconv.Atoi(values[i])
			require.NoError(r.t, err)
			return n
		}
	}
	require.Fail(r.t, "the kernel does not count retransmissions")
	return 0
}

// send sends a load, and does something else meanwhile. Connections are opened and
// closed while the collector has nothing else to read: handshakes are packets too.
func (r *rig) send(plan load.Plan, meanwhile func()) []load.Call {
	r.t.Helper()
	plan.Addr, plan.Path, plan.Name = r.server.Addr, "/orders", "c"
	g := testkit.StartGenerator(r.t, plan, testkit.Place{NetNS: r.netns.Name})
	r.read()
	g.Continue()
	meanwhile()
	g.Paused()
	r.read()
	g.Continue()
	return g.Finish()
}

// read waits until the collector has read what is in its ring.
func (r *rig) read() {
	r.t.Helper()
	before := -1.0
	testkit.Eventually(r.t, "the end of the ring", func() bool {
		time.Sleep(200 * time.Millisecond)
		was := before
		before = r.sum(r.collector.Metrics(), "segments{")
		return was == before
	})
}

// drained waits until the collector has nothing left to export, and gives its
// counters then.
func (r *rig) drained() map[string]float64 {
	r.t.Helper()
	for end := time.Now().Add(testkit.Patience); ; time.Sleep(100 * time.Millisecond) {
		metrics := r.collector.Metrics()
		spans, records := r.backend.counts()
		left := map[string]float64{
			"connections": r.sum(metrics, "connections{"),
			"spans":       r.sum(metrics, "records{", `signal="traces"`) - r.sum(metrics, "dropped_records{", `signal="traces"`) - float64(spans),
			"log records": r.sum(metrics, "records{", `signal="logs"`) - r.sum(metrics, "dropped_records{", `signal="logs"`) - float64(records),
		}
		if left["connections"] == 0 && left["spans"] == 0 && left["log records"] == 0 {
			return metrics
		}
		require.True(r.t, time.Now().Before(end), "the collector does not come to an end: %v, %v", left, metrics)
	}
}

// sum adds up the receiver's counters with a name and labels.
func (*rig) sum(metrics map[string]float64, name string, labels ...string) float64 {
	total := 0.0
series:
	for series, n := range metrics {
		rest, ok := strings.CutPrefix(series, "otelcol_receiver_network_")
		if !ok || !strings.HasPrefix(strings.Replace(rest, "_total{", "{", 1), name) {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(rest, label) {
				continue series
			}
		}
		total += n
	}
	return total
}

// account is what was captured of calls, at both ends.
type account struct {
	whole, partial, unseen int
	sides                  [2]int // requests and responses that were seen
	sizes                  [2]int // of each of them, in bytes
	wrong                  []string
}

// missing is how many packets were not captured.
func (a account) missing() int { return a.partial + 2*a.unseen }

func (r *rig) account(calls []load.Call, ends []end) account {
	type sides struct{ request, response int }
	seen := map[ptrace.SpanKind]map[string]*sides{
		ptrace.SpanKindClient: {}, ptrace.SpanKindServer: {},
	}
	var a account
	for _, c := range calls {
		id := load.ID("c", c.Sequence)
		for _, kind := range seen {
			kind[id] = &sides{}
		}
	}
	for _, e := range ends {
		at := seen[e.kind]
		if e.request != "" && e.response != "" && e.request != e.response {
			a.wrong = append(a.wrong, fmt.Sprintf("%v: response to %s at request %s", e.kind, e.response, e.request))
		}
		if whole := e.request != "" && e.response != ""; whole == e.incomplete {
			a.wrong = append(a.wrong, fmt.Sprintf("%v: %s %s says that it is incomplete: %t", e.kind, e.request, e.response, e.incomplete))
		}
		if e.request != "" && e.response != "" {
			a.sizes = e.sizes // the same for all
		}
		if s := at[e.request]; s != nil {
			s.request++
		}
		if s := at[e.response]; s != nil {
			s.response++
		}
		if at[e.request] == nil && at[e.response] == nil {
			a.wrong = append(a.wrong, fmt.Sprintf("%v: a call that nobody made: %+v", e.kind, e))
		}
	}
	for kind, at := range seen {
		for id, s := range at {
			a.sides[0] += min(s.request, 1)
			a.sides[1] += min(s.response, 1)
			switch {
			case s.request > 1 || s.response > 1:
				a.wrong = append(a.wrong, fmt.Sprintf("%v: %s is there more than once: %+v", kind, id, *s))
			case s.request+s.response == 2:
				a.whole++
			case s.request+s.response == 1:
				a.partial++
			default:
				a.unseen++
			}
		}
	}
	return a
}

// check makes sure that all calls were answered and that what is missing of them
// is what the collector has counted as lost.
func (r *rig) check(calls []load.Call) account {
	r.t.Helper()
	require.Len(r.t, load.Answered(calls), len(calls), "answered")
	metrics := r.drained()
	again := r.retransmitted()
	r.collector.Shutdown()
	// Other reasons may be about packets of anybody on this machine.
	lost := int(r.sum(metrics, `lost_records{reason="ring_full"`))
	var a account
	for signal, ends := range map[string][]end{"traces": r.backend.ends, "logs": r.backend.logs} {
		a = r.account(calls, ends)
		dropped := int(r.sum(metrics, "dropped_records{", `signal="`+signal+`"`))
		r.t.Logf("%s: of %d ends of calls %d are whole, %d are there in part and %d are not; %d packets lost, %d sent twice, %d records dropped",
			signal, 2*len(calls), a.whole, a.partial, a.unseen, lost, again, dropped)
		assert.Empty(r.t, head(a.wrong), signal)
		// A record that was dropped had one side of its call or both. A packet that was
		// sent twice is there twice at each end, and may be lost twice.
		assert.LessOrEqual(r.t, a.missing(), lost+2*dropped, signal)
		assert.GreaterOrEqual(r.t, a.missing(), lost+dropped-2*again, signal)
	}
	spans := r.account(calls, r.backend.ends)
	bytes := 0
	for i, n := range spans.sides {
		bytes += (2*len(calls) - n) * spans.sizes[i]
	}
	if r.sum(metrics, "dropped_records{", `signal="traces"`) == 0 {
		assert.Equal(r.t, float64(bytes), r.sum(metrics, "gap_bytes{"), "bytes that are known to be missing")
	} else { // of a record that was dropped, the bytes were there
		assert.Less(r.t, r.sum(metrics, "gap_bytes{"), float64(bytes), "bytes that are known to be missing")
	}
	return a
}

func head(list []string) []string {
	if len(list) > 20 {
		return append(list[:20:20], fmt.Sprintf("and %d more", len(list)-20))
	}
	return list
}

// TestBelowSaturation wants everything.
func TestBelowSaturation(t *testing.T) {
	r := newRig(t, nil, "16MiB")
	a := r.check(r.send(load.Plan{Connections: 16, Requests: 5000, Duration: 30 * time.Second, Rate: 1000}, func() {}))
	assert.Zero(t, a.missing())
}

// TestStops keeps the collector from reading its ring again and again.
func TestStops(t *testing.T) {
	r := newRig(t, nil, "512KiB")
	calls := r.send(load.Plan{Connections: 16, Requests: 5000, Duration: 30 * time.Second, Rate: 1000}, func() {
		for range 8 {
			r.collector.Signal(syscall.SIGSTOP)
			time.Sleep(200 * time.Millisecond)
			r.collector.Signal(syscall.SIGCONT)
			time.Sleep(200 * time.Millisecond)
		}
	})
	a := r.check(calls)
	assert.NotZero(t, a.missing(), "nothing was lost")
	assert.NotZero(t, a.whole)
}

// TestSaturation sends as fast as the machine can through the smallest ring.
func TestSaturation(t *testing.T) {
	r := newRig(t, nil, "512KiB")
	r.check(r.send(load.Plan{Connections: 32, Requests: 20_000, Duration: 30 * time.Second}, func() {}))
}

// TestStuckBackend has a next component that takes nothing for a while, so that
// finished records are dropped: because the queue is full, or because the memory is
// used up before that.
func TestStuckBackend(t *testing.T) {
	for reason, network := range map[string]testkit.M{
		"queue_full": {"queue": testkit.M{"batches": 2}, "batch": testkit.M{"max_records": 100}},
		"memory":     {"memory": testkit.M{"limit": "16MiB"}, "queue": testkit.M{"batches": 4096}, "batch": testkit.M{"max_records": 100}},
	} {
		t.Run(reason, func(t *testing.T) { stuck(t, reason, network) })
	}
}

func stuck(t *testing.T, reason string, network testkit.M) {
	r := newRig(t, network, "16MiB")
	release := r.backend.hold()
	calls := r.send(load.Plan{Connections: 16, Requests: 3000, Duration: 30 * time.Second, Rate: 1000}, func() {})
	release()
	metrics := r.drained()
	r.collector.Shutdown()
	require.Zero(t, r.sum(metrics, `lost_records{reason="ring_full"`))
	for signal, ends := range map[string][]end{"traces": r.backend.ends, "logs": r.backend.logs} {
		dropped := int(r.sum(metrics, "dropped_records{", `signal="`+signal+`"`, `reason="`+reason+`"`))
		a := r.account(calls, ends)
		t.Logf("%s: of %d ends of calls %d are whole, %d are there in part, %d dropped", signal, 2*len(calls), a.whole, a.partial, dropped)
		assert.NotZero(t, dropped, signal)
		assert.Equal(t, 2*len(calls), len(ends)+dropped, signal)
		assert.Zero(t, a.partial, signal)
		assert.Equal(t, len(ends), a.whole, signal)
		assert.Empty(t, head(a.wrong), signal)
	}
}
