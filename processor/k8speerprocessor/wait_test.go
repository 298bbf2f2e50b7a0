// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
)

// A pod that calls before the watch has told of it.
func TestCallWaitsForItsPeer(t *testing.T) {
	server := shop(t)
	b := start(t, connectTo(server), func(c *Config) { c.Wait.Timeout = 20 * time.Second })
	b.synced()
	late := clustertest.Pod("production", "cron", "pqr", "v1", "10.1.0.99", "node-1")
	time.AfterFunc(50*time.Millisecond, func() { server.Set("pods", late) })
	assert.Equal(t, "cron", b.span(ptrace.SpanKindServer, time.Now(), to("10.1.0.99", 40000))["service.peer.name"])
	assert.EqualValues(t, 1, b.processor.waits.resolved.Load())
}

// The pod is too new, whose address the node has replaced by its own.
func TestCallWaitsForThePodBehindANode(t *testing.T) {
	server := shop(t)
	b := start(t, connectTo(server), func(c *Config) { c.Wait.Timeout = 20 * time.Second })
	b.synced()
	late := clustertest.Pod("production", "cron", "pqr", "v1", "10.1.0.99", "node-1")
	time.AfterFunc(50*time.Millisecond, func() { server.Set("pods", late) })
	masqueraded := to("172.16.0.1", 40000)
	masqueraded["wirespan.peer.nat.address"], masqueraded["wirespan.peer.nat.port"] = "10.1.0.99", int64(40000)
	assert.Equal(t, "cron", b.span(ptrace.SpanKindServer, time.Now(), masqueraded)["service.peer.name"])
}

func TestWaitingHasAnEnd(t *testing.T) {
	b := start(t, connectTo(shop(t)), func(c *Config) { c.Wait.Timeout = time.Second })
	b.synced()
	w := &b.processor.waits
	for range 3 { // only the first one waits
		b.span(ptrace.SpanKindServer, time.Now(), to("10.1.0.99", 40000))
	}
	b.span(ptrace.SpanKindServer, time.Now().Add(-time.Minute), to("10.1.0.98", 40000)) // too old
	b.span(ptrace.SpanKindServer, time.Now(), to("198.51.100.7", 40000))                // no pod's
	assert.EqualValues(t, 1, w.expired.Load())
	assert.Zero(t, w.resolved.Load())
}

func TestShutdownEndsWaiting(t *testing.T) {
	b := start(t, connectTo(shop(t)), func(c *Config) { c.Wait.Timeout = time.Hour })
	b.synced()
	time.AfterFunc(50*time.Millisecond, b.processor.waits.end)
	out := b.span(ptrace.SpanKindServer, time.Now(), to("10.1.0.99", 40000))
	assert.NotContains(t, out, "service.peer.name")
}
