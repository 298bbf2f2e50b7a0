// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/ebpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
)

// FuzzConfig reads any YAML. What is accepted can be written and read again, and
// makes settings that every stage accepts.
func FuzzConfig(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "config.yaml"))
	require.NoError(f, err)
	for block := range strings.SplitSeq("\n"+string(text), "\nnetwork") {
		_, body, _ := strings.Cut(block, ":")
		f.Add([]byte(body))
	}
	f.Add([]byte(`
connections: {max: 9223372036854775807, held_bytes: 9223372036854775807, held_segments: 9223372036854775807, idle_timeout: 2562047h}
protocols: {http: {max_header_bytes: 9223372036854775807, max_body_bytes: 9223372036854775807, max_outstanding: 9223372036854775807, response_timeout: 2562047h}}
payload: {span_preview: 9223372036854775807}
memory: {limit: 9223372036854775807}
batch: {timeout: 2562047h, max_records: 9223372036854775807, max_bytes: 9223372036854775807}
queue: {batches: 9223372036854775807}
`))
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg := configOf(text)
		if cfg == nil {
			return
		}
		written := confmap.New()
		require.NoError(t, written.Marshal(cfg))
		again := NewDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(given(written.ToStringMap())).Unmarshal(again))
		require.NoError(t, confmap.Validate(again))
		rewritten := confmap.New()
		require.NoError(t, rewritten.Marshal(again))
		require.Equal(t, written.ToStringMap(), rewritten.ToStringMap())

		r := &networkReceiver{cfg: cfg, set: receivertest.NewNopSettings(metadata.Type)}
		set := telemetrySettings(r)
		require.NoError(t, set.Validate())
		for name, limits := range engineSettings(cfg).Limits {
			require.Positive(t, min(int64(limits.HeaderBytes), int64(limits.Outstanding), limits.Age), name)
			require.GreaterOrEqual(t, limits.BodyBytes, 0, name)
		}
		connections := connSettings(cfg)
		require.Positive(t, min(int64(connections.MaxConnections), int64(connections.MaxHeldBytes), int64(connections.MaxHeldSegments), int64(connections.TCPIdleTimeout)))
		r.nextTraces, r.nextLogs, r.dissectors = consumertest.NewNop(), consumertest.NewNop(), registry.All()
		r.source.Source = newFakeSource()
		memory := budget.New(int64(cfg.Memory.Limit))
		require.NoError(t, r.startDeliveries(memory))
		p := newShardPipeline(r, memory) // which must not reserve what limits allow
		p.table.Shutdown(0)
		p.builder.Flush()
		r.finishDeliveries(t.Context())
		require.Zero(t, memory.Used())

		_, err := newSource(cfg, r.set)
		if live := cfg.Capture.EBPF.Get(); err == nil && live != nil {
			ring := powerOfTwo(int(live.RingSize))
			require.Equal(t, 1, bits.OnesCount(uint(ring)))
			require.LessOrEqual(t, ring, ebpf.MaxRingBytes)
		}
	})
}

// configOf gives the configuration that a text means, or nil if it means none.
func configOf(text []byte) *Config {
	retrieved, err := confmap.NewRetrievedFromYAML(text)
	if err != nil {
		return nil
	}
	conf, err := retrieved.AsConf()
	if err != nil {
		return nil
	}
	cfg := NewDefaultConfig()
	if conf.Unmarshal(cfg) != nil || confmap.Validate(cfg) != nil {
		return nil
	}
	return cfg
}

// given leaves out what is not set: to a block that is optional, null means that it
// is there.
func given(conf map[string]any) map[string]any {
	for key, value := range conf {
		switch value := value.(type) {
		case nil:
			delete(conf, key)
		case map[string]any:
			given(value)
		}
	}
	return conf
}
