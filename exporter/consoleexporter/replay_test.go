// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wirespan/wirespan/receiver/networkreceiver"
)

// TestGoldenReplay prints what the receiver makes of real traffic, captured at both ends.
func TestGoldenReplay(t *testing.T) {
	tests := map[string]struct {
		capture string // below the receiver's dissectors
		format  string
		sides   string
		signal  string
	}{
		"grpc_streams.line.txt":    {"application/grpc/testdata/go-streams.pcap", FormatLine, SidesMerged, "logs"},
		"grpc_streams.detail.txt":  {"application/grpc/testdata/go-streams.pcap", FormatDetail, SidesMerged, "logs"},
		"grpc_streams.both.txt":    {"application/grpc/testdata/go-streams.pcap", FormatLine, SidesBoth, "logs"},
		"grpc_calls.line.txt":      {"application/grpc/testdata/go-calls.pcap", FormatLine, SidesMerged, "logs"},
		"grpc_calls.spans.txt":     {"application/grpc/testdata/go-calls.pcap", FormatLine, SidesMerged, "traces"},
		"websocket.line.txt":       {"websocket/testdata/python-plain.pcap", FormatLine, SidesMerged, "logs"},
		"websocket.detail.txt":     {"websocket/testdata/python-plain.pcap", FormatDetail, SidesMerged, "logs"},
		"websocket_graphql.txt":    {"websocket/testdata/graphql.pcap", FormatLine, SidesMerged, "logs"},
		"sse.line.txt":             {"application/sse/testdata/http1.pcap", FormatLine, SidesMerged, "logs"},
		"sse.detail.txt":           {"application/sse/testdata/http2.pcap", FormatDetail, SidesMerged, "logs"},
		"graphql_errors.line.txt":  {"application/graphql/testdata/errors.pcap", FormatLine, SidesMerged, "logs"},
		"graphql_errors.spans.txt": {"application/graphql/testdata/errors.pcap", FormatLine, SidesMerged, "traces"},
		"jsonrpc.line.txt":         {"application/jsonrpc/testdata/jayson.pcap", FormatLine, SidesMerged, "logs"},
		"mcp.line.txt":             {"application/jsonrpc/testdata/mcp-json.pcap", FormatLine, SidesMerged, "logs"},
		"genai.line.txt":           {"application/genai/testdata/openai.pcap", FormatLine, SidesMerged, "logs"},
		"dns.line.txt":             {"dns/testdata/dnsmasq.pcap", FormatLine, SidesClient, "logs"},
		"dns.detail.txt":           {"dns/testdata/tcp.pcap", FormatDetail, SidesMerged, "logs"},
		"tls_untrusted.line.txt":   {"tls/testdata/untrusted.pcap", FormatLine, SidesMerged, "logs"},
		"tls.detail.txt":           {"tls/testdata/curl-nginx-http2.pcap", FormatDetail, SidesMerged, "logs"},
		"http2_table.line.txt":     {"http2/testdata/node-table.pcap", FormatLine, SidesMerged, "logs"},
		"http_resets.line.txt":     {"http/testdata/node-resets.pcap", FormatLine, SidesMerged, "logs"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Format, cfg.Sides, cfg.WaitDuration = tt.format, tt.sides, maxWait // all of it, in order
			var out bytes.Buffer
			c := newConsole(cfg, &out)
			replay(t, filepath.Join("..", "..", "receiver", "networkreceiver", "dissect", tt.capture), tt.signal, c)
			require.NoError(t, c.close())
			assertHarmless(t, out.String())
			golden(t, filepath.Join("replay", name), out.String())
		})
	}
}

// replay lets the receiver read a capture file.
func replay(t *testing.T, file, signal string, c *console) {
	t.Helper()
	cfg := networkreceiver.NewDefaultConfig()
	cfg.Workers = 1
	pcap := cfg.Capture.Pcap.GetOrInsertDefault()
	pcap.Files, pcap.Spans = []string{file}, networkreceiver.SidesBoth
	factory := networkreceiver.NewFactory()
	core, logged := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(factory.Type())
	set.Logger = zap.New(core)

	var r component.Component
	if signal == "traces" {
		next, err := consumer.NewTraces(c.pushTraces)
		require.NoError(t, err)
		r, err = factory.CreateTraces(t.Context(), set, cfg, next)
		require.NoError(t, err)
	} else {
		next, err := consumer.NewLogs(c.pushLogs)
		require.NoError(t, err)
		r, err = factory.CreateLogs(t.Context(), set, cfg, next)
		require.NoError(t, err)
	}
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return logged.FilterMessage("capture files ended").Len() > 0 }, time.Minute, 5*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
}
