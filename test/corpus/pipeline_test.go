// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/internal/testkit/truth"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// pipeline is stages 1 to 4 for one capture file.
type pipeline struct {
	calls  []call
	http2  []http2Call
	dns    []dnsCall
	hellos []string // of TLS
	// messages by protocol, websocket and grpc.
	messages map[string][]string
	memory   *budget.Budget
	now      int64
	stats    struct {
		pcap   pcap.Stats
		conn   conn.Stats
		engine engine.Stats
		pair   pair.Stats
	}
}

// run sends a capture file through the pipeline.
func run(t testing.TB, file string, limit int64) *pipeline {
	t.Helper()
	p := &pipeline{memory: budget.New(limit), messages: map[string][]string{}}
	keys := &decrypt.Keys{} // that captures have in them
	core, logs := observer.New(zap.WarnLevel)
	logger := zap.New(core)
	source := pcap.New(pcap.Settings{Files: []string{file}, Secrets: func(log []byte) { _ = keys.Read(bytes.NewReader(log)) }}, logger, &p.stats.pcap)
	pairer := pair.New(pair.Settings{}, p, &p.stats.pair)
	dissectors, err := registry.New(registry.Options{Keys: keys})
	require.NoError(t, err)
	limits := map[string]dissect.Limits{"http": {BodyBytes: 16 << 20}, "http2": {BodyBytes: 16 << 20}}
	dissection := engine.New(engine.Settings{Limits: limits}, dissectors, pairer, logger, &p.stats.engine)
	table := conn.NewTable(conn.Settings{}, p.memory, dissection, &p.stats.conn)

	ctx := context.Background()
	require.NoError(t, source.Start(ctx))
	defer source.Close()
	require.NoError(t, source.Run(ctx, 0, table))
	table.Shutdown(p.now)
	for _, entry := range logs.All() {
		t.Errorf("%s: %v", entry.Message, entry.ContextMap())
	}
	require.LessOrEqual(t, p.memory.Used(), limit)
	return p
}

// Exchange implements pair.Sink.
func (p *pipeline) Exchange(x *pair.Exchange) {
	c := call{client: endpoint(x.Conn.Local), server: endpoint(x.Conn.Remote)}
	if !x.ClientIsLocal {
		c.client, c.server = c.server, c.client
	}
	if x.Request != nil {
		if info, ok := x.Request.Protocol.(*http.RequestInfo); ok {
			c.method, c.uri = info.Method, info.Target
		}
		c.request = bodyOf(x.Request)
		x.Conn.Memory.Give(x.Request.Reserved)
	}
	for _, m := range x.Interim {
		x.Conn.Memory.Give(m.Reserved)
	}
	if x.Response != nil {
		if info, ok := x.Response.Protocol.(*http.ResponseInfo); ok {
			c.status = info.Status
		}
		c.response = bodyOf(x.Response)
		x.Conn.Memory.Give(x.Response.Reserved)
	}
	switch x.Dissector.Info().Name {
	case "http":
		p.calls = append(p.calls, c)
	case "http2":
		p.http2 = append(p.http2, http2CallOf(x))
		p.messages["grpc"] = append(p.messages["grpc"], grpcMessagesOf(x, c.client, c.server)...)
	case "dns":
		p.dns = append(p.dns, dnsCallOf(x, c.client, c.server))
	case "tls":
		p.hellos = append(p.hellos, hellosOf(x, c.client, c.server)...)
	}
}

// Open implements pair.Sink.
func (*pipeline) Open(*pair.Exchange, int64) {}

// Event implements pair.Sink.
func (p *pipeline) Event(e *pair.Event) {
	e.Conn.Memory.Give(e.Message.Reserved)
	if proto, line := messageOf(e); line != "" {
		p.messages[proto] = append(p.messages[proto], line)
	}
}

// Tick implements pair.Sink.
func (p *pipeline) Tick(now int64) { p.now = now }

func bodyOf(m *dissect.Message) body {
	note := string(m.Incomplete)
	if m.GapBytes > 0 {
		note = strings.TrimSpace(fmt.Sprintf("%s %d bytes lost", note, m.GapBytes))
	}
	return body{len(m.Content.Body), truth.Sum(m.Content.Body), note}
}

// endpoint is written as the oracle writes it.
func endpoint(p netip.AddrPort) string { return fmt.Sprintf("%s:%d", p.Addr(), p.Port()) }
