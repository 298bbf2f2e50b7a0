// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/wirespan/wirespan/receiver/networkreceiver"
)

const tlsFixtures = "../../receiver/networkreceiver/dissect/tls/testdata"

// serverAt gives a capture file of a server on loopback the server's address in
// the internet: a copy whose path it returns.
func serverAt(t *testing.T, file string, port uint16, address [4]byte) string {
	t.Helper()
	const fileHeader, recordHeader, ethernet = 24, 16, 14
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	for at := fileHeader; at < len(data); {
		length := int(binary.LittleEndian.Uint32(data[at+8:]))
		ip := data[at+recordHeader+ethernet:]
		tcp := ip[4*int(ip[0]&0xf):]
		if binary.BigEndian.Uint16(tcp) == port {
			copy(ip[12:16], address[:])
		} else {
			copy(ip[16:20], address[:])
		}
		at += recordHeader + length
	}
	changed := filepath.Join(t.TempDir(), filepath.Base(file))
	require.NoError(t, os.WriteFile(changed, data, 0o600))
	return changed
}

// What the receiver says of a TLS connection that nobody decrypts names the server
// by its SNI, without Kubernetes too.
func TestExternalPeerOfOpaqueTLS(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	b := start(t, connect, func(c *Config) { c.AuthType = "none" })
	b.eventually(func() bool { return b.host.last() == componentstatus.StatusPermanentError })

	file := serverAt(t, filepath.Join(tlsFixtures, "curl-nginx-http1.pcap"), 8443, [4]byte{198, 51, 100, 7})
	receivers := networkreceiver.NewFactory()
	cfg := receivers.CreateDefaultConfig().(*networkreceiver.Config)
	cfg.Capture.Pcap = configoptional.Some(networkreceiver.PcapConfig{
		Files: []string{file}, OnEnd: networkreceiver.OnEndWait, Spans: networkreceiver.SidesClient,
	})
	set := receivertest.NewNopSettings(receivers.Type())
	traces, err := receivers.CreateTraces(t.Context(), set, cfg, b.traces)
	require.NoError(t, err)
	logs, err := receivers.CreateLogs(t.Context(), set, cfg, b.logs)
	require.NoError(t, err)
	require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return b.outT.SpanCount() > 0 && b.outL.LogRecordCount() > 0 }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, traces.Shutdown(t.Context()))
	require.NoError(t, logs.Shutdown(t.Context()))

	span := b.outT.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	assert.Equal(t, "TLS handshake", span.Name())
	record := b.outL.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	for _, attributes := range []map[string]any{span.Attributes().AsRaw(), record.Attributes().AsRaw()} {
		assert.Equal(t, "198.51.100.7", attributes["network.peer.address"])
		assert.Equal(t, "shop.example", attributes["server.address"])
		assert.Equal(t, "shop.example", attributes["service.peer.name"])
		assert.Equal(t, "external", attributes["wirespan.peer.kind"])
	}
}
