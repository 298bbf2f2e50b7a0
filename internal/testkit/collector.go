// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// M is a block of YAML.
type M = map[string]any

// ready is what every collector logs when all its components have started.
const ready = "Everything is ready"

// wirespan builds the distribution with `make build`, unless the environment
// variable WIRESPAN_BIN names one. Make knows when there is nothing to do.
var wirespan = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("WIRESPAN_BIN"); path != "" {
		return filepath.Abs(path)
	}
	cmd := exec.Command("make", "build")
	cmd.Dir = Root()
	out, err := cmd.CombinedOutput()
	if err != nil {
		_, _ = os.Stderr.Write(out)
		return "", err
	}
	return filepath.Join(Root(), "bin", "wirespan"), nil
})

// Wirespan is the path of the distribution's binary.
func Wirespan(t testing.TB) string {
	t.Helper()
	path, err := wirespan()
	require.NoError(t, err, "build wirespan")
	return path
}

// Collector is a running distribution.
type Collector struct {
	*Process
	dir     string
	metrics string
}

// CollectorConfig says what to run. The whole of it goes to folders of the test.
type CollectorConfig struct {
	// Network is the network receiver's block; nil for a collector without one.
	Network M
	// OTLP adds an otlp receiver with these protocols.
	OTLP M
	// Exporters receive everything, besides a file exporter if File is set.
	Exporters M
	// Extensions are added to the service.
	Extensions M
	// Dir is where the file exporter writes; a new folder if empty.
	Dir string
	// NoFile leaves out the file exporter.
	NoFile bool

	NetNS  string
	Cgroup *Cgroup
	UID    int
}

// StartCollector starts a collector and waits until all its components have
// started.
func StartCollector(t testing.TB, c CollectorConfig) *Collector {
	t.Helper()
	run := LaunchCollector(t, c)
	Eventually(t, "the collector", func() bool {
		require.False(t, run.Exited(), "collector ended: %s", run.Output())
		return strings.Contains(run.Output(), ready)
	})
	return run
}

// LaunchCollector starts a collector and waits for nothing.
func LaunchCollector(t testing.TB, c CollectorConfig) *Collector {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	metrics := FreeAddr(t)
	conf := filepath.Join(t.TempDir(), "config.yaml")
	text, err := yaml.Marshal(c.yaml(metrics))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(conf, text, 0o644))
	if c.UID != 0 {
		require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(conf)), 0o755)) // the test's own folder is private
		require.NoError(t, os.Chown(c.Dir, c.UID, c.UID))
	}
	return &Collector{dir: c.Dir, metrics: metrics, Process: Start(t, Program{
		Path: Wirespan(t), Args: []string{"--config", conf}, NetNS: c.NetNS, Cgroup: c.Cgroup, UID: c.UID, Telling: true,
	})}
}

func (c CollectorConfig) yaml(metrics string) M {
	receivers, exporters, extensions := M{}, M{}, M{}
	if c.Network != nil {
		receivers["network"] = c.Network
	}
	if c.OTLP != nil {
		receivers["otlp"] = M{"protocols": c.OTLP}
	}
	maps.Copy(exporters, c.Exporters)
	maps.Copy(extensions, c.Extensions)
	pipelines := M{}
	for _, signal := range []string{"traces", "logs"} {
		to := keys(exporters)
		if !c.NoFile {
			to = append(to, "file/"+signal)
		}
		pipelines[signal] = M{"receivers": keys(receivers), "exporters": to}
	}
	if !c.NoFile {
		for _, signal := range []string{"traces", "logs"} {
			exporters["file/"+signal] = M{"path": filepath.Join(c.Dir, signal+".jsonl"), "append": true, "flush_interval": "100ms"}
		}
	}
	host, port, _ := net.SplitHostPort(metrics)
	number, _ := strconv.Atoi(port)
	return M{
		"receivers": receivers, "exporters": exporters, "extensions": extensions,
		"service": M{
			"extensions": keys(extensions),
			"pipelines":  pipelines,
			"telemetry": M{"metrics": M{"level": "detailed", "readers": []M{{
				"pull": M{"exporter": M{"prometheus": M{"host": host, "port": number}}},
			}}}},
		},
	}
}

func keys(m M) []string {
	names := []string{}
	for name := range m {
		names = append(names, name)
	}
	return names
}

// Shutdown ends the collector in the orderly way, which flushes everything.
func (c *Collector) Shutdown() {
	c.t.Helper()
	c.Signal(syscall.SIGTERM)
	assert.Zero(c.t, c.Wait(Patience), "exit status after SIGTERM: %s", tail(c.Output(), 4<<10))
}

// Calls is what the file exporter has written so far.
func (c *Collector) Calls() Calls {
	c.t.Helper()
	return ReadCalls(c.t, c.dir)
}

// AwaitSpans waits until so many spans that contain text have been exported.
func (c *Collector) AwaitSpans(text string, n int) {
	c.t.Helper()
	Eventually(c.t, "spans with "+text, func() bool {
		b, _ := os.ReadFile(filepath.Join(c.dir, "traces.jsonl"))
		return bytes.Count(b, []byte(text)) >= n
	})
}

// Metrics are the collector's own metrics: sums over all label sets, by name,
// and by name{label=value,…} as Prometheus has it.
func (c *Collector) Metrics() map[string]float64 {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.metrics+"/metrics", nil)
	require.NoError(c.t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	values := map[string]float64{}
	for line := range bytes.Lines(text) {
		series := strings.TrimSpace(string(line))
		end := strings.LastIndexByte(series, ' ')
		if end < 0 || strings.HasPrefix(series, "#") {
			continue
		}
		n, _ := strconv.ParseFloat(series[end+1:], 64)
		series = series[:end]
		name, _, labelled := strings.Cut(series, "{")
		values[name] += n
		if labelled {
			values[series] += n
		}
	}
	return values
}
