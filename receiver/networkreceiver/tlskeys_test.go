// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
)

const tlsFixtures = "dissect/tls/testdata"

// replaySpans gives the spans of a capture file, by name.
func replaySpans(t *testing.T, pcap PcapConfig) map[string]ptrace.Span {
	t.Helper()
	pcap.OnEnd, pcap.Spans = OnEndWait, SidesClient
	cfg := testConfig()
	cfg.Capture.Pcap = configoptional.Some(pcap)
	sink := new(consumertest.TracesSink)
	traces, err := NewFactory().CreateTraces(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return sink.SpanCount() > 0 }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, traces.Shutdown(t.Context()))
	spans := map[string]ptrace.Span{}
	for _, td := range sink.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					if _, known := spans[span.Name()]; !known {
						spans[span.Name()] = span
					}
				}
			}
		}
	}
	return spans
}

func TestTLSKeys(t *testing.T) {
	file := filepath.Join(tlsFixtures, "curl-nginx-http1.pcap")
	spans := replaySpans(t, PcapConfig{Files: []string{file}, TLSKeys: []string{filepath.Join(tlsFixtures, "curl-nginx-http1.keys")}})
	get, known := spans["GET /hello.txt"]
	require.True(t, known, "the call inside")
	handshake, known := spans["TLS handshake"]
	require.True(t, known)
	attributes := get.Attributes().AsRaw()
	assert.Equal(t, "https://shop.example:8443/hello.txt", attributes["url.full"])
	assert.Equal(t, "1.3", attributes["tls.protocol.version"])
	assert.Equal(t, "TLS_AES_256_GCM_SHA384", attributes["tls.cipher"])
	assert.Equal(t, "shop.example", attributes["server.address"])
	assert.NotContains(t, attributes, "wirespan.tls.server_name", "it is the same")
	assert.Positive(t, attributes["wirespan.time.connect"])
	duration := int64(handshake.EndTimestamp() - handshake.StartTimestamp())
	assert.Equal(t, duration, attributes["wirespan.time.tls_handshake"], "as the handshake's span says")
	assert.Equal(t, "CN=shop.example,O=Shop", handshake.Attributes().AsRaw()["tls.server.subject"])
}

func TestTLSWithoutKeys(t *testing.T) {
	spans := replaySpans(t, PcapConfig{Files: []string{filepath.Join(tlsFixtures, "curl-nginx-http1.pcap")}})
	assert.Len(t, spans, 1)
	assert.Contains(t, spans, "TLS handshake")
}

func TestTLSKeysInCapture(t *testing.T) {
	spans := replaySpans(t, PcapConfig{Files: []string{"capture/pcap/testdata/tls-secrets.pcapng"}})
	assert.Contains(t, spans, "GET /lines.json")
}

func TestTLSKeysThatCannotBeRead(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(broken, []byte("this is\nno key log\n"), 0o600))
	for name, want := range map[string]string{"nowhere": "open TLS keys", broken: "SSLKEYLOGFILE"} {
		cfg := testConfig()
		cfg.Capture.Pcap = configoptional.Some(PcapConfig{Files: []string{"x.pcap"}, TLSKeys: []string{name}})
		_, err := newSource(cfg, receivertest.NewNopSettings(metadata.Type))
		require.ErrorContains(t, err, want)
	}
}
