// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/grpc"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
)

func TestDefaultConfig(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(NewDefaultConfig()))
	require.NoError(t, confmap.Validate(NewDefaultConfig()))
}

func load(t *testing.T, id string) (*Config, error) {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	require.Contains(t, all.ToStringMap(), id)
	sub, err := all.Sub(id)
	require.NoError(t, err)
	cfg := NewDefaultConfig()
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestConfigValid(t *testing.T) {
	empty, err := load(t, "network")
	require.NoError(t, err)
	assert.Equal(t, NewDefaultConfig(), empty)

	replay, err := load(t, "network/replay")
	require.NoError(t, err)
	assert.False(t, replay.Capture.EBPF.HasValue())
	assert.Equal(t, &PcapConfig{Files: []string{"traffic/*.pcap*"}, TLSKeys: []string{"keys.log"}, OnEnd: OnEndExit, Spans: SidesClient, Merge: true}, replay.Capture.Pcap.Get())

	live, err := load(t, "network/live")
	require.NoError(t, err)
	assert.Equal(t, &EBPFConfig{
		CgroupPath:     "/sys/fs/cgroup/system.slice",
		RingSize:       4 << 20,
		LocalCalls:     SidesClient,
		KeepPrivileges: true,
		TLS: TLSConfig{
			Include: ProcessesConfig{
				Processes: []string{"nginx", "python3*"}, Executables: []string{"/usr/**"},
				Pods: []string{"1b2f6e0c-1111-2222-3333-444455556666"}, Users: []uint32{33},
			},
			Exclude: ProcessesConfig{Cgroups: []string{"/user.slice/*"}, Containers: []string{"0123456789ab"}},
		},
		NAT: NATConfig{Enabled: true, NetNS: "/proc/1/ns/net"},
		Include: FilterConfig{
			Ports: Ports{80, "8080-8090"}, CIDRs: []string{"10.0.0.0/8", "::1"},
			Cgroups: []string{"/kubepods"}, Processes: []string{"nginx"},
		},
		Exclude: FilterConfig{Ports: Ports{22}},
	}, live.Capture.EBPF.Get())
	assert.Equal(t, &ProtocolConfig{
		Enabled: true, MaxHeaderBytes: 32 << 10, MaxBodyBytes: 10_000_000, MaxOutstanding: 10, ResponseTimeout: 30 * time.Second,
	}, live.Protocols["http"])
	assert.Equal(t, &ProtocolConfig{
		Enabled: true, MaxHeaderBytes: 8 << 10, MaxBodyBytes: 4 << 10, MaxOutstanding: 20, ResponseTimeout: 3 * time.Second,
	}, live.Protocols["dns"])
	assert.Equal(t, 2*time.Second, live.Streams.OpenAfter)
	assert.True(t, live.Logs.Lean)
	assert.Equal(t, RoutesConfig{Templates: []string{"/users/{name}", "shop.example/files/{path...}"}}, live.Routes)
	assert.Equal(t, LookupsConfig{Enabled: true, MaxAge: time.Minute, Max: 100}, live.Lookups)
	assert.Equal(t, ByteSize(64<<20), live.Memory.Limit)
	assert.Equal(t, PayloadConfig{
		Placement: PlacementAttributes, IncludeMediaTypes: []string{"application/json"}, ExcludeMediaTypes: []string{"image/*"},
	}, live.Payload)
}

// A protocol's block says what differs from the general one, lists as a whole.
func TestPayloadOfOneProtocol(t *testing.T) {
	cfg, err := load(t, "network/payloads")
	require.NoError(t, err)
	set := telemetrySettings(&networkReceiver{cfg: cfg})
	assert.Equal(t, telemetry.Payload{
		Enabled: true, Preview: 1 << 10, MaxBody: 1 << 20,
		Include: []string{"application/json", "text/*"}, Exclude: []string{"text/css"},
	}, set.Payload)
	assert.Equal(t, telemetry.Payload{
		Enabled: true, Preview: 4 << 10, MaxBody: 10 << 10, Include: []string{"image/*"}, Exclude: []string{"text/css"},
	}, set.Protocols["http"])
	assert.Equal(t, telemetry.Payload{
		Enabled: true, SpanHeaders: true, Preview: 1 << 10, MaxBody: 64 << 10, Include: []string{"text/plain"}, Exclude: []string{"text/css"},
	}, set.Protocols["dns"])
	assert.Equal(t, telemetry.ServiceNameNone, set.ServiceName)

	cfg, err = load(t, "network/no_http_payload")
	require.NoError(t, err)
	set = telemetrySettings(&networkReceiver{cfg: cfg})
	assert.True(t, set.Payload.Enabled)
	assert.False(t, set.Protocols["http"].Enabled)

	cfg, err = load(t, "network/live")
	require.NoError(t, err)
	set = telemetrySettings(&networkReceiver{cfg: cfg})
	assert.Equal(t, telemetry.Payload{
		MaxBody: 10_000_000, InAttributes: true, Include: []string{"application/json"}, Exclude: []string{"image/*"},
	}, set.Protocols["http"], "as the general block")
	assert.NoError(t, set.Validate())
}

func TestProtocolsThatAreOff(t *testing.T) {
	cfg, err := load(t, "network/protocols_off")
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"graphql": true, "dns": true}, cfg.Protocols.registryOptions().Disabled)
	assert.Equal(t, &grpc.Settings{DescriptorSets: []string{"a.binpb"}}, cfg.Protocols.registryOptions().Settings["grpc"])
	assert.NotContains(t, engineSettings(cfg).Limits, "grpc", "HTTP's limits count")
	_, err = registry.New(cfg.Protocols.registryOptions())
	assert.ErrorContains(t, err, "load schema: read descriptor set: open a.binpb")
}

func TestConfigInvalid(t *testing.T) {
	for id, want := range map[string]string{
		"network/two_sources":       "choose one of ebpf and pcap",
		"network/no_files":          "files must name at least one capture file",
		"network/bad_glob":          "syntax error in pattern",
		"network/bad_on_end":        `on_end must be wait or exit, is "stop"`,
		"network/bad_spans":         `spans must be client, server or both, is "all"`,
		"network/no_workers":        "workers must be between 1 and 64, is 0",
		"network/bad_ports":         `exclude: ports: parse ports "9100-9000": the range ends before it begins`,
		"network/bad_cidr":          "include: cidrs: parse prefix",
		"network/bad_peer":          "trace::captured_peers: parse address",
		"network/bad_size":          `parse size "much"`,
		"network/small_memory":      "memory::limit must be at least 16MiB, is 1.0 KiB",
		"network/tls_ports":         "invalid keys: ports",
		"network/tls_executable":    `tls::include: executable "nginx" must be a path`,
		"network/tls_pod":           `tls::exclude: pod "web-1" must be the UID of a pod`,
		"network/local_calls":       `local_calls must be client, server or both, is "none"`,
		"network/small_ring":        "ring_size must be between 512 KiB and 1.0 GiB, is 4.0 KiB",
		"network/bad_placement":     `payload: placement must be body or attributes, is "header"`,
		"network/bad_preview":       "payload: span_preview must not be negative",
		"network/bad_media_type":    `payload: media type "[a": syntax error in pattern`,
		"network/bad_http_payload":  `protocols::http::payload: placement must be body or attributes, is "header"`,
		"network/http_payload_typo": "invalid keys: preview",
		"network/bad_service_name":  `resource::service_name must be process or none, is "guess"`,
		"network/bad_template":      `routes: template "/users/{": want braces`,
		"network/no_lookup_age":     "lookups::max_age must be positive, is 0s",
		"network/no_lookups":        "lookups::max must be positive, is 0",
		"network/no_connections":    "must be positive",
		"network/no_outstanding":    "must be positive",
		"network/no_batch":          "batch::timeout must be positive",
		"network/no_queue":          "queue::batches must be positive",
		"network/no_shutdown_time":  "shutdown_timeout must be positive, is 0s",
		"network/open_before":       "streams::open_after must not be negative, is -1s",
		"network/no_slow_call":      "queue::slow_call must be positive, is 0s",
		"network/typo":              "invalid keys: protocol",

		"network/unknown_protocol":            `unknown protocol "htttp": did you mean "http"?`,
		"network/unknown_protocol_key":        `http: unknown key "max_bodybytes": did you mean "max_body_bytes"?`,
		"network/limits_of_what_http_carries": `grpc: unknown key "max_body_bytes": did you mean`,
		"network/protocol_not_a_block":        "protocols",
	} {
		t.Run(id, func(t *testing.T) {
			_, err := load(t, id)
			require.ErrorContains(t, err, want)
		})
	}
}
