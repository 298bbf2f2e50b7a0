// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func attributes(t *testing.T, raw map[string]any) pcommon.Map {
	t.Helper()
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(raw))
	return m
}

func TestOperation(t *testing.T) {
	tests := []struct {
		attrs map[string]any
		want  string
	}{
		{map[string]any{"http.request.method": "GET", "url.full": "http://h:80/a%20b?c=d"}, "GET /a%20b?c=d"},
		{map[string]any{"http.request.method": "GET", "url.full": "http://h"}, "GET /"},
		{map[string]any{"http.request.method": "GET", "url.full": "http://h?q"}, "GET /?q"},
		{map[string]any{"http.request.method": "GET", "url.path": "/a", "url.query": "b"}, "GET /a?b"},
		{map[string]any{"http.request.method": "_OTHER", "http.request.method_original": "PURGE", "url.path": "/"}, "PURGE /"},
		{map[string]any{"http.request.method": "CONNECT"}, "CONNECT"},
		{map[string]any{"http.request.method": "OPTIONS", "url.full": "%zz"}, "OPTIONS %zz"},
		{map[string]any{"dns.question.name": "www.example", "wirespan.dns.question.type": "AAAA"}, "AAAA www.example"},
		{map[string]any{"dns.question.name": "www.example"}, "www.example"},
		{map[string]any{"tls.established": true, "server.address": "www.example"}, "TLS handshake www.example"},
		{map[string]any{"wirespan.tls.client.versions": "TLS 1.3", "network.protocol.name": "quic"}, "QUIC handshake"},
		{map[string]any{"wirespan.tls.alert": "close_notify"}, "TLS alert"},
		{map[string]any{}, ""},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, operationOf(attributes(t, tt.attrs)))
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		attrs   map[string]any
		want    string
		outcome outcome
	}{
		{map[string]any{"http.response.status_code": 204}, "204 No Content", succeeded},
		{map[string]any{"http.response.status_code": 404, "error.type": "404"}, "404 Not Found", refused},
		{map[string]any{"http.response.status_code": 503}, "503 Service Unavailable", failed},
		{map[string]any{"http.response.status_code": 799}, "799", failed},
		{map[string]any{"wirespan.dns.response.code": "NOERROR"}, "NOERROR", succeeded},
		{map[string]any{"wirespan.dns.response.code": "NXDOMAIN", "error.type": "host_not_found"}, "NXDOMAIN", failed},
		{map[string]any{"error.type": "connection_reset"}, "connection_reset", failed},
		{map[string]any{"tls.established": true, "tls.protocol.version": "1.3"}, "TLS 1.3", succeeded},
		{map[string]any{"tls.established": false, "tls.protocol.version": "1.2", "error.type": "unknown_ca"}, "unknown_ca", failed},
		{map[string]any{}, "", unknownOutcome},
	}
	for _, tt := range tests {
		status, outcome := statusOf(attributes(t, tt.attrs))
		assert.Equal(t, tt.want, status)
		assert.Equal(t, tt.outcome, outcome)
	}
}

func TestSideOfRecord(t *testing.T) {
	tests := []struct {
		attrs map[string]any
		want  side
	}{
		{map[string]any{"wirespan.side": "server", "url.full": "http://h/"}, serverSide},
		{map[string]any{"wirespan.side": "client", "url.path": "/"}, clientSide},
		{map[string]any{"url.full": "http://h/"}, clientSide},
		{map[string]any{"url.path": "/"}, serverSide},
		{map[string]any{"network.local.port": 5, "client.port": 5, "server.port": 6}, clientSide},
		{map[string]any{"network.local.port": 6, "client.port": 5, "server.port": 6}, serverSide},
		{map[string]any{"network.local.port": 7, "client.port": 5, "server.port": 6}, unknownSide},
		{map[string]any{}, unknownSide},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, sideOf(attributes(t, tt.attrs)), tt.attrs)
	}
}

func TestEnds(t *testing.T) {
	tests := []struct {
		name            string
		resource, attrs map[string]any
		side            side
		client, server  end
	}{
		{
			"outside containers",
			map[string]any{"service.name": "gunicorn", "process.executable.name": "python3.11"},
			map[string]any{"network.peer.address": "::1", "network.peer.port": 4000, "client.address": "203.0.113.9"},
			serverSide,
			end{name: "[::1]:4000"},
			end{name: "gunicorn"},
		},
		{
			"in a container without a pod",
			map[string]any{"wirespan.process.name": "gunicorn", "process.executable.name": "python3.11"},
			map[string]any{"server.address": "db.local", "server.port": 80, "network.peer.address": "10.0.0.1"},
			clientSide,
			end{name: "gunicorn"},
			end{name: "db.local:80"},
		},
		{
			"a runtime that names its main thread",
			map[string]any{"wirespan.process.name": "node-MainThread", "process.executable.name": "node"},
			map[string]any{"network.peer.address": "10.0.0.1", "network.peer.port": 81},
			clientSide,
			end{name: "node"},
			end{name: "10.0.0.1:81"},
		},
		{
			"capture file",
			nil,
			map[string]any{"network.local.address": "10.0.0.2", "network.local.port": 5, "server.address": "www.example"},
			clientSide,
			end{name: "10.0.0.2:5"},
			end{name: "www.example"},
		},
		{
			"peer enriched",
			map[string]any{"k8s.pod.name": "a-1", "k8s.namespace.name": "n"},
			map[string]any{"source.k8s.pod.name": "b-1", "source.k8s.namespace.name": "m", "client.address": "10.0.0.3"},
			serverSide,
			end{"b-1", "m"},
			end{"a-1", "n"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := entry{side: tt.side}
			x.describe(attributes(t, tt.resource), attributes(t, tt.attrs))
			assert.Equal(t, tt.client, x.client)
			assert.Equal(t, tt.server, x.server)
		})
	}
}

// Latency is from request to response, so without one of them there is none.
func TestIncompleteCall(t *testing.T) {
	record := plog.NewLogRecord()
	require.NoError(t, record.Attributes().FromRaw(map[string]any{
		"url.full":                         "http://h/",
		"wirespan.missing.side":            "request",
		"wirespan.missing.reason":          "gap",
		"wirespan.time.last_response_byte": int64(5),
		"wirespan.response.midway":         true,
		"wirespan.response.incomplete":     "rst",
		"wirespan.response.gap_bytes":      1448,
		"wirespan.pairing.uncertain":       true,
	}))
	x := entryOfRecord(pcommon.NewResource(), record, 99)
	assert.Negative(t, x.latency)
	assert.Equal(t, []string{
		"no request: gap",
		"beginning of the response not seen",
		"response ended by rst",
		"1448 bytes of the response were not captured",
		"pairing uncertain",
	}, x.notes)

	record.Attributes().Remove("wirespan.missing.side")
	assert.Equal(t, 5*time.Nanosecond, entryOfRecord(pcommon.NewResource(), record, 99).latency)
}

func TestPayloadInAttributes(t *testing.T) {
	attrs := attributes(t, map[string]any{
		"http.request.header.host":        []any{"h"},
		"http.request.body.content":       "hello",
		"wirespan.request.body.size":      9,
		"wirespan.request.trailer.x-sum":  []any{"1", "2"},
		"wirespan.request.body.truncated": "limit",
	})
	m := messageOf("request", pcommon.NewValueEmpty(), attrs, 99)
	assert.Equal(t, message{
		headers:  []header{{"host", "h"}},
		trailers: []header{{"x-sum", "1"}, {"x-sum", "2"}},
		body:     body{text: "hello", kept: 5, seen: true, size: 9, cut: true},
	}, m)
}
