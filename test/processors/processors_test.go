// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package processors runs the processors of the distribution on records as the receiver
// builds them, in slabs. It is a module of its own, because the receiver does not need
// what processors need. Run it with the race detector, which checks pointers as well.
package processors

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/k8sattributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/redactionprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourcedetectionprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/processor/k8speerprocessor"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

// capture is what is read, as often as it takes for all shapes of records to be known.
const (
	capture = "../../examples/shop.pcap"
	rounds  = 4
)

// TestProcessors wants each processor to make the same of records in slabs as of the same
// records out of OTLP, while the receiver goes on building others.
func TestProcessors(t *testing.T) {
	for name, c := range map[string]struct {
		factory    processor.Factory
		config     string
		tracesOnly bool
	}{
		"attributes": {factory: attributesprocessor.NewFactory(), config: `
actions:
  - {key: url.full, action: hash}
  - {key: network.peer.port, action: convert, converted_type: string}
  - {key: server.address, action: update, value: elsewhere}
  - {key: server.port, action: delete}
  - {key: new, action: insert, value: [1, 2]}
  - {key: http.request.header.host, action: upsert, value: text}
  - {key: url.template, pattern: "^/(?P<first>[^/]*)", action: extract}
`},
		"transform": {factory: transformprocessor.NewFactory(), config: `
error_mode: propagate
trace_statements:
  - set(span.attributes["http.request.header.host"][0], "changed")
  - append(span.attributes["http.response.header.content-type"], "more")
  - replace_all_patterns(span.attributes, "value", "o", "0")
  - replace_all_patterns(span.attributes, "key", "http", "h")
  - truncate_all(span.attributes, 20)
  - keep_matching_keys(span.attributes, "^(h|url|wirespan|network)")
  - limit(span.attributes, 20, [])
log_statements:
  - set(log.body["request"]["headers"]["host"][0], "changed")
  - set(log.body["new"], log.attributes)
  - append(log.body["response"]["headers"]["content-type"], "more")
  - delete_key(log.body["response"], "body")
  - merge_maps(log.attributes, log.body["request"], "upsert")
  - flatten(log.attributes)
  - truncate_all(log.attributes, 20)
`},
		"filter": {factory: filterprocessor.NewFactory(), config: `
error_mode: propagate
traces: {span: ['attributes["http.response.status_code"] >= 400', 'IsMatch(attributes["url.full"], "cart")']}
logs: {log_record: ['attributes["http.response.status_code"] >= 400', 'IsMatch(body["response"]["body"], "cart")']}
`},
		"redaction": {factory: redactionprocessor.NewFactory(), config: `
allow_all_keys: true
blocked_values: ["[0-9]+", "shop"]
blocked_key_patterns: [".*address.*"]
summary: debug
`},
		"resource":          {factory: resourceprocessor.NewFactory(), config: `{attributes: [{key: a, action: insert, value: b}, {key: telemetry.distro.name, action: update, value: c}]}`},
		"resourcedetection": {factory: resourcedetectionprocessor.NewFactory(), config: `{detectors: [env], override: true}`},
		"k8s_attributes":    {factory: k8sattributesprocessor.NewFactory(), config: `{passthrough: true}`},
		"tail_sampling": {factory: tailsamplingprocessor.NewFactory(), tracesOnly: true, config: `
decision_wait: 1ms
policies: [{name: all, type: always_sample}]
`},
		"batch":          {factory: batchprocessor.NewFactory(), config: `{send_batch_size: 7, send_batch_max_size: 7, timeout: 1ms}`},
		"memory_limiter": {factory: memorylimiterprocessor.NewFactory(), config: `{check_interval: 1s, limit_mib: 4096}`},
		"k8s_peer":       {factory: k8speerprocessor.NewFactory(), config: `{auth_type: none}`},
	} {
		t.Run(name, func(t *testing.T) {
			slabs := run(t, c.factory, c.config, c.tracesOnly, func(l plog.Logs) plog.Logs { return l }, func(s ptrace.Traces) ptrace.Traces { return s })
			plain := run(t, c.factory, c.config, c.tracesOnly, logsOfOTLP(t), tracesOfOTLP(t))
			require.NotEmpty(t, slabs)
			assert.Equal(t, plain, slabs)
		})
	}
}

// run builds records and hands each batch to a processor at once. It returns what comes
// out, each record as JSON, in no order.
func run(t *testing.T, f processor.Factory, config string, tracesOnly bool, logs func(plog.Logs) plog.Logs, traces func(ptrace.Traces) ptrace.Traces) []string {
	t.Helper()
	cfg := f.CreateDefaultConfig()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(config), &raw))
	require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(cfg))
	set := processortest.NewNopSettings(f.Type())
	spans, records := new(consumertest.TracesSink), new(consumertest.LogsSink)
	forSpans, err := f.CreateTraces(t.Context(), set, cfg, spans)
	require.NoError(t, err)
	require.NoError(t, forSpans.Start(t.Context(), componenttest.NewNopHost()))
	next := &outlet{traces: make(chan ptrace.Traces, 100), logs: make(chan plog.Logs, 100)}
	var consumers sync.WaitGroup
	consumers.Go(func() {
		for td := range next.traces {
			assert.NoError(t, forSpans.ConsumeTraces(t.Context(), traces(td)))
		}
	})
	var forLogs processor.Logs
	if !tracesOnly {
		forLogs, err = f.CreateLogs(t.Context(), set, cfg, records)
		require.NoError(t, err)
		require.NoError(t, forLogs.Start(t.Context(), componenttest.NewNopHost()))
	}
	consumers.Go(func() {
		for ld := range next.logs {
			if forLogs != nil {
				assert.NoError(t, forLogs.ConsumeLogs(t.Context(), logs(ld)))
			}
		}
	})
	total := build(t, next)
	consumers.Wait()
	if tracesOnly { // which decides later
		require.Eventually(t, func() bool { return spans.SpanCount() == total }, time.Minute, time.Millisecond)
	}
	require.NoError(t, forSpans.Shutdown(t.Context()))
	if forLogs != nil {
		require.NoError(t, forLogs.Shutdown(t.Context()))
	}
	return slices.Concat(spansAsJSON(t, spans.AllTraces()), logsAsJSON(t, records.AllLogs()))
}

// outlet hands batches on.
type outlet struct {
	traces chan ptrace.Traces
	logs   chan plog.Logs
}

func (o *outlet) Traces(_ telemetry.Class, td ptrace.Traces, _ int) { o.traces <- td }
func (o *outlet) Logs(_ telemetry.Class, ld plog.Logs, _ int)       { o.logs <- ld }

// build reads the capture with one Builder and returns the number of spans.
func build(t *testing.T, next *outlet) int {
	t.Helper()
	memory := budget.New(1 << 30)
	settings := telemetry.DefaultSettings()
	settings.Batch.Records = 5
	settings.FileSpans = telemetry.EndsBoth
	settings.Now = func() int64 { return 0 }
	stats := &telemetry.Stats{}
	builder := telemetry.New(settings, memory, next, stats)
	for range rounds {
		dissection := engine.New(engine.Settings{}, registry.All(), pair.New(pair.Settings{}, builder, &pair.Stats{}), zap.NewNop(), &engine.Stats{})
		table := conn.NewTable(conn.Settings{}, memory, dissection, &conn.Stats{})
		source := pcap.New(pcap.Settings{Files: []string{capture}, Shards: 1}, zap.NewNop(), &pcap.Stats{})
		require.NoError(t, source.Start(t.Context()))
		require.NoError(t, source.Run(t.Context(), 0, table))
		table.Shutdown(0)
		require.NoError(t, source.Close())
	}
	builder.Flush()
	close(next.traces)
	close(next.logs)
	require.Positive(t, stats.LogRecords.Load())
	return int(stats.Spans.Load())
}

// logsOfOTLP and tracesOfOTLP make the same records without slabs.
func logsOfOTLP(t *testing.T) func(plog.Logs) plog.Logs {
	return func(ld plog.Logs) plog.Logs {
		b, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		assert.NoError(t, err)
		out, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(b)
		assert.NoError(t, err)
		return out
	}
}

func tracesOfOTLP(t *testing.T) func(ptrace.Traces) ptrace.Traces {
	return func(td ptrace.Traces) ptrace.Traces {
		b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		assert.NoError(t, err)
		out, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b)
		assert.NoError(t, err)
		return out
	}
}

func logsAsJSON(t *testing.T, all []plog.Logs) (records []string) {
	t.Helper()
	for _, ld := range all {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, r := range sl.LogRecords().All() {
					records = append(records, asJSON(t, rl.Resource().Attributes().AsRaw(), r.Attributes().AsRaw(), r.Body().AsRaw(), r.EventName(), r.SpanID().String()))
				}
			}
		}
	}
	slices.Sort(records)
	return records
}

func spansAsJSON(t *testing.T, all []ptrace.Traces) (spans []string) {
	t.Helper()
	for _, td := range all {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					spans = append(spans, asJSON(t, rs.Resource().Attributes().AsRaw(), s.Attributes().AsRaw(), s.Name(), s.SpanID().String()))
				}
			}
		}
	}
	slices.Sort(spans)
	return spans
}

func asJSON(t *testing.T, parts ...any) string {
	t.Helper()
	b, err := json.Marshal(parts)
	require.NoError(t, err)
	return string(b)
}
