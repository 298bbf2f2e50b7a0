// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestExport sends to a second collector process, which is down for a while.
func TestExport(t *testing.T) {
	testkit.NeedRoot(t)
	t.Run("gRPC", func(t *testing.T) { export(t, "grpc", "otlp_grpc", "") })
	t.Run("HTTP", func(t *testing.T) { export(t, "http", "otlp_http", "http://") })
}

func export(t *testing.T, protocol, exporter, scheme string) {
	s := testkit.GoServer(t, testkit.Place{})
	addr, dir := testkit.FreeAddr(t), t.TempDir()
	backend := func() *testkit.Collector {
		return testkit.StartCollector(t, testkit.CollectorConfig{
			Dir: dir, OTLP: testkit.M{protocol: testkit.M{"endpoint": addr}},
		})
	}
	up := backend()
	c := testkit.StartCollector(t, testkit.CollectorConfig{
		Network: testkit.M{}, NoFile: true,
		Exporters: testkit.M{exporter: testkit.M{
			"endpoint":         scheme + addr,
			"tls":              testkit.M{"insecure": true},
			"sending_queue":    testkit.M{"enabled": true, "queue_size": 10_000},
			"retry_on_failure": testkit.M{"enabled": true, "initial_interval": "100ms", "max_interval": "500ms", "max_elapsed_time": "0s"},
		}},
	})
	send := func(name string) []truth.Call {
		return testkit.Send(t, testkit.Load{
			URL: s.URL(), Name: name, Method: "POST", Path: "/echo", Size: 2000, Requests: 300, Connections: 4,
		})
	}
	calls := send("before")
	up.Shutdown()
	calls = append(calls, send("down")...)
	again := backend()
	calls = append(calls, send("after")...)
	// A collector that stops does not wait for an exporter's next attempt.
	testkit.Eventually(t, "everything at the backend", func() bool {
		got := again.Calls().Where(func(c testkit.Call) bool { return c.Records > 0 })
		return len(got) >= 2*len(calls)
	})
	c.Shutdown()
	again.Shutdown()

	got := testkit.ReadCalls(t, dir)
	checkCalls(t, got, between(t, calls, s))
	own := map[int]bool{c.PID(): true, up.PID(): true, again.PID(): true}
	for _, call := range got {
		assert.False(t, own[call.PID], "own traffic: %v %s %s", call.Kind, call.Method, call.URI)
	}
}
