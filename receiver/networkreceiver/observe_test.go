// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadatatest"
)

// point is one series of a metric.
type point struct {
	metric string
	labels attribute.Distinct
}

// collect gives the values of all series, and all labels.
func collect(t *testing.T, tel *componenttest.Telemetry) (values map[point]int64, labels map[attribute.KeyValue]bool) {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, tel.Reader.Collect(t.Context(), &all))
	values, labels = map[point]int64{}, map[attribute.KeyValue]bool{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			var points []metricdata.DataPoint[int64]
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				points = data.DataPoints
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			}
			for _, p := range points {
				values[point{m.Name, p.Attributes.Equivalent()}] = p.Value
				for _, label := range p.Attributes.ToSlice() {
					labels[label] = true
				}
			}
		}
	}
	return values, labels
}

// observed is a receiver with two shards whose metrics can be read.
func observed(t *testing.T, src source) (tel *componenttest.Telemetry, shards []*shardPipeline, unregister func() error) {
	t.Helper()
	tel = componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	r := &networkReceiver{
		cfg: testConfig(), set: metadatatest.NewSettings(tel), dissectors: registry.All(), source: src,
		traces: &delivery[ptrace.Traces]{}, logs: &delivery[plog.Logs]{},
	}
	memory := budget.New(1 << 20)
	shards = []*shardPipeline{newShardPipeline(r, memory), newShardPipeline(r, memory)}
	unregister, err := r.register(shards, memory)
	require.NoError(t, err)
	return tel, shards, unregister
}

// Each counter of each stage, counted once in either of two shards, is seen in a
// metric.
func TestEveryCounterIsTold(t *testing.T) {
	tel, shards, unregister := observed(t, source{})
	before, _ := collect(t, tel)
	require.NotEmpty(t, before)
	counted := 0
	for _, p := range shards {
		stages := reflect.ValueOf(&p.stats).Elem()
		for i := range stages.NumField() {
			for name, count := range counters(stages.Field(i)) {
				count(1)
				now, _ := collect(t, tel)
				assert.NotEqual(t, before, now, "%s: no metric tells %s", stages.Type().Field(i).Name, name)
				count(-1)
				counted++
			}
		}
	}
	assert.Greater(t, counted, 100)
	after, _ := collect(t, tel)
	assert.Equal(t, before, after)

	require.NoError(t, unregister())
	after, _ = collect(t, tel)
	assert.Empty(t, after, "the end of the receiver is the end of its metrics")
}

// counters are the exported fields of a stage's counters. Every one is atomic.
func counters(stats reflect.Value) map[string]func(n int64) {
	all := map[string]func(int64){}
	for i := range stats.NumField() {
		field := stats.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		switch v := reflect.NewAt(field.Type, stats.Field(i).Addr().UnsafePointer()).Interface().(type) {
		case *atomic.Uint64:
			all[field.Name] = func(n int64) { v.Add(uint64(n)) }
		case *atomic.Int64:
			all[field.Name] = func(n int64) { v.Add(n) }
		}
	}
	return all
}

// metricRow is a metric as docs/telemetry.md has it.
type metricRow struct{ kind, unit, attributes string }

// TestMetricsAreDocumented compares the table of metrics in docs/telemetry.md
// with metadata.yaml, of which the code is generated.
func TestMetricsAreDocumented(t *testing.T) {
	page := telemetryPage(t)
	row := regexp.MustCompile("(?m)^\\| `otelcol_(receiver_network_\\w+)` \\| (\\w+) \\| ([^|]+) \\|([^|]*)\\| [^|]+ \\|$")
	documented := map[string]metricRow{}
	for _, m := range row.FindAllStringSubmatch(page, -1) {
		attributes := strings.ReplaceAll(strings.TrimSpace(m[4]), "`", "")
		assert.NotContains(t, documented, m[1])
		documented[m[1]] = metricRow{m[2], m[3], attributes}
	}

	text, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var file struct {
		Telemetry struct {
			Metrics map[string]struct {
				Unit       string
				Attributes []string
				Sum, Gauge *struct{ Monotonic bool }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	defined := map[string]metricRow{}
	for name, m := range file.Telemetry.Metrics {
		kind := "counter"
		if m.Gauge != nil {
			kind = "gauge"
		}
		defined[name] = metricRow{kind, m.Unit, strings.Join(m.Attributes, " ")}
	}
	require.NotEmpty(t, defined)
	assert.Equal(t, defined, documented, "have %v", slices.Sorted(maps.Keys(documented)))
}

// TestLabelsAreDocumented looks for each value of each label in
// docs/telemetry.md, whichever source is chosen.
func TestLabelsAreDocumented(t *testing.T) {
	live, err := ebpfSource(NewDefaultConfig().Capture.EBPF.GetOrInsertDefault(), 1, zap.NewNop())
	require.NoError(t, err)
	_, metrics, found := strings.Cut(telemetryPage(t), "\n## Metrics\n")
	require.True(t, found)
	for _, src := range []source{live, pcapSource(&PcapConfig{}, 1, zap.NewNop())} {
		tel, _, _ := observed(t, src)
		_, labels := collect(t, tel)
		require.NotEmpty(t, labels)
		for label := range labels {
			if label.Key != "receiver" && label.Key != "protocol" {
				assert.Contains(t, metrics, "`"+label.Value.AsString()+"`", "a value of %s", label.Key)
			}
		}
	}
}

func telemetryPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "telemetry.md"))
	require.NoError(t, err)
	return string(page)
}

// TestProgramsAreTold: what could be seen of each program's connections is a series of its
// own.
func TestProgramsAreTold(t *testing.T) {
	tel, _, unregister := observed(t, source{programs: func(tell func(string, string, uint64)) {
		tell("/usr/sbin/nginx", "decrypted", 3)
		tell("/usr/bin/java", "unsupported", 1)
	}})
	values, labels := collect(t, tel)
	var counts []int64
	for p, n := range values {
		if p.metric == "otelcol_receiver_network_program_connections" {
			counts = append(counts, n)
		}
	}
	assert.ElementsMatch(t, []int64{3, 1}, counts)
	assert.True(t, labels[attribute.String("program", "/usr/bin/java")])
	assert.True(t, labels[attribute.String("outcome", "unsupported")])
	require.NoError(t, unregister())
}
