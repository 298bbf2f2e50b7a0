// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestFullDisk fills the file system of an exporter's queue while the backend is
// down. The collector goes on, counts what it cannot store, and recovers when
// there is room.
func TestFullDisk(t *testing.T) {
	testkit.NeedRoot(t)
	disk := smallDisk(t, "8m")
	ballast := filepath.Join(disk, "ballast")
	s, b := testkit.GoServer(t, testkit.Place{}), newBackend(t)
	b.set(status(http.StatusServiceUnavailable))
	c := b.exporting(s, testkit.M{"retry_on_failure": testkit.M{"enabled": false}}, testkit.M{
		"sending_queue":    testkit.M{"enabled": true, "storage": "file_storage", "queue_size": 10_000},
		"retry_on_failure": testkit.M{"enabled": true, "initial_interval": "100ms", "max_interval": "200ms", "max_elapsed_time": "0s"},
	}, testkit.M{"file_storage": testkit.M{"directory": filepath.Join(disk, "queue"), "create_directory": true}})
	send := func(name string, requests int) {
		testkit.Send(t, testkit.Load{URL: s.URL(), Name: name, Path: "/bytes/1/4096/text", Requests: requests, Connections: 4, Rate: 500})
	}
	send("before", 50)
	testkit.Eventually(t, "the first calls in the exporter's queue", func() bool {
		m := c.Metrics()
		return m["otelcol_receiver_accepted_spans"] == 2*50 && m["otelcol_receiver_accepted_log_records"] == 2*50
	})
	fill(t, ballast)
	send("full", 1000)
	testkit.Eventually(t, "the disk to be full", func() bool {
		return c.Metrics()["otelcol_receiver_network_dropped_records"] > 0
	})
	assert.Contains(t, c.Output(), "no space left on device")

	require.NoError(t, os.Remove(ballast))
	b.set(accept)
	send("after", 50)
	testkit.Eventually(t, "the calls after it", func() bool {
		for i := range 50 {
			if atClient, atServer := b.ends(fmt.Sprintf("after-%d", i+1)); atClient != 1 || atServer != 1 {
				return false
			}
		}
		return true
	})
	var metrics map[string]float64
	testkit.Eventually(t, "an account of everything", func() bool {
		metrics = c.Metrics()
		return metrics["otelcol_receiver_network_records"] == metrics["otelcol_receiver_network_dropped_records"]+
			metrics["otelcol_receiver_accepted_spans"]+metrics["otelcol_receiver_accepted_log_records"]
	})
	c.Shutdown()
	built, dropped := total(t, c, "spans"), total(t, c, "dropped_spans")
	queued := int(metrics["otelcol_receiver_accepted_spans"])
	t.Logf("%d spans built, %d dropped for want of room, %d queued, of which the backend has %d", built, dropped, queued, b.spans)
	assert.Equal(t, 2*(50+1000+50), built)
	assert.Equal(t, built, queued+dropped, "built = queued + dropped")
	assert.Equal(t, total(t, c, "log_records"),
		int(metrics["otelcol_receiver_accepted_log_records"])+total(t, c, "dropped_log_records"), "built = queued + dropped")
	// The exporter's queue may lose an item that it cannot mark as being sent.
	assert.LessOrEqual(t, b.spans, queued)
}

// smallDisk mounts a file system in memory.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, syscall.Mount("wirespan-test", dir, "tmpfs", 0, "size="+size))
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for block := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
}
