// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// attributes is a map that fails on a key that is written twice.
type attributes struct {
	t *testing.T
	m map[string]any
}

func (a attributes) put(key string, value any) {
	require.NotContains(a.t, a.m, key)
	a.m[key] = value
}

func (a attributes) Str(key, value string)        { a.put(key, value) }
func (a attributes) Strs(key string, vs []string) { a.put(key, vs) }
func (a attributes) Int(key string, value int64)  { a.put(key, value) }
func (a attributes) Float(key string, v float64)  { a.put(key, v) }
func (a attributes) Bool(key string, value bool)  { a.put(key, value) }

func (a attributes) Payload(key, _, value string) { a.put(key, value) }

func TestDescribe(t *testing.T) {
	const client, server = dissect.ClientSide, dissect.ServerSide
	for _, test := range []struct {
		name              string
		side              dissect.Side
		request, response string
		want              map[string]any
		summary           dissect.Summary
	}{
		{
			name: "client", side: client,
			request:  "POST /api/v1/checkout?a=b HTTP/1.1\nHost: shop:8080\nUser-Agent: curl/8\nContent-Length: 2\n\nhi",
			response: "HTTP/1.1 200 OK\nContent-Length: 3\n\nyes",
			want: map[string]any{
				"http.request.method": "POST", "url.full": "http://shop:8080/api/v1/checkout?a=b",
				"server.address": "shop", "server.port": int64(8080), "user_agent.original": "curl/8",
				"http.request.body.size": int64(2), "http.response.body.size": int64(3),
				"http.response.status_code": int64(200), "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "POST", Route: dissect.Route{Path: "/api/v1/checkout", Served: true, Named: true}},
		},
		{
			name: "server", side: server,
			request:  "GET /x?a=b HTTP/1.0\nHost: [2001:db8::1]\n\n",
			response: "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n",
			want: map[string]any{
				"http.request.method": "GET", "url.path": "/x", "url.query": "a=b", "url.scheme": "http",
				"server.address": "2001:db8::1", "server.port": int64(80),
				"http.request.body.size": int64(0), "http.response.body.size": int64(0),
				"http.response.status_code": int64(404), "network.protocol.version": "1.0",
			},
			summary: dissect.Summary{Name: "GET", Route: dissect.Route{Path: "/x", Named: true}},
		},
		{
			name: "404 is an error of the client only", side: client,
			request:  "GET /x HTTP/1.1\nHost: a\n\n",
			response: "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n",
			want: map[string]any{
				"http.request.method": "GET", "url.full": "http://a/x", "server.address": "a", "server.port": int64(80),
				"http.request.body.size": int64(0), "http.response.body.size": int64(0),
				"http.response.status_code": int64(404), "error.type": "404", "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "GET", Error: true, ErrorType: "404", Route: dissect.Route{Path: "/x", Named: true}},
		},
		{
			name: "behind a proxy", side: server,
			request:  "GET / HTTP/1.1\nHost: inner\nForwarded: For=\"[2001:db8::7]:4711\";Proto=HTTPS;host=shop.example, for=10.0.0.1\nX-Forwarded-Host: no\n\n",
			response: "HTTP/1.1 503\nContent-Length: 0\n\n",
			want: map[string]any{
				"http.request.method": "GET", "url.path": "/", "url.scheme": "https",
				"server.address": "shop.example", "server.port": int64(443),
				"client.address": "2001:db8::7", "client.port": int64(4711),
				"http.request.body.size": int64(0), "http.response.body.size": int64(0),
				"http.response.status_code": int64(503), "error.type": "503", "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "GET", Error: true, ErrorType: "503", Route: dissect.Route{Path: "/", Served: true, Named: true}},
		},
		{
			name: "behind an older proxy", side: server,
			request: "QUERY / HTTP/1.1\nHost: inner\nX-Forwarded-For: 192.0.2.1, 10.0.0.1\nX-Forwarded-Host: shop.example:99\nX-Forwarded-Proto: https\n\n",
			want: map[string]any{
				"http.request.method": "QUERY", "url.path": "/", "url.scheme": "https",
				"server.address": "shop.example", "server.port": int64(99), "client.address": "192.0.2.1",
				"http.request.body.size": int64(0), "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "QUERY", Route: dissect.Route{Path: "/", Named: true}},
		},
		{
			name: "client that hides", side: server,
			request: "GET / HTTP/1.1\nHost: a\nForwarded: for=_hidden\n\n",
			want: map[string]any{
				"http.request.method": "GET", "url.path": "/", "url.scheme": "http", "server.address": "a", "server.port": int64(80),
				"http.request.body.size": int64(0), "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "GET", Route: dissect.Route{Path: "/", Named: true}},
		},
		{
			name: "unknown method, no Host", side: client,
			request: "propfind /dav?x HTTP/1.0\n\n",
			want: map[string]any{
				"http.request.method": "_OTHER", "http.request.method_original": "propfind", "url.path": "/dav", "url.query": "x",
				"http.request.body.size": int64(0), "network.protocol.version": "1.0",
			},
			summary: dissect.Summary{Name: "HTTP", Route: dissect.Route{Path: "/dav", Named: true}},
		},
		{
			name: "absolute form wins over Host, userinfo is no address", side: client,
			request: "GET http://u:p@b:81?q HTTP/1.1\nHost: a\n\n",
			want: map[string]any{
				"http.request.method": "GET", "url.full": "http://u:p@b:81/?q", "server.address": "b", "server.port": int64(81),
				"http.request.body.size": int64(0), "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "GET", Route: dissect.Route{Path: "/", Named: true}},
		},
		{
			name: "CONNECT", side: client,
			request: "CONNECT b:443 HTTP/1.1\nHost: b:443\n\n",
			want: map[string]any{
				"http.request.method": "CONNECT", "url.full": "http://b:443", "server.address": "b", "server.port": int64(443),
				"http.request.body.size": int64(0), "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "CONNECT", Route: dissect.Route{Named: true}},
		},
		{
			name: "CONNECT without a port has none", side: client,
			request: "CONNECT b HTTP/1.1\nHost: b\n\n",
			want: map[string]any{
				"http.request.method": "CONNECT", "url.full": "http://b", "server.address": "b",
				"http.request.body.size": int64(0), "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "CONNECT", Route: dissect.Route{Named: true}},
		},
		{
			name: "no request", side: client, response: "HTTP/1.1 500 Oops\nContent-Length: 0\n\n",
			want: map[string]any{
				"http.response.status_code": int64(500), "http.response.body.size": int64(0), "error.type": "500", "network.protocol.version": "1.1",
			},
			summary: dissect.Summary{Name: "HTTP", Error: true, ErrorType: "500"},
		},
		{name: "nothing", side: client, want: map[string]any{}, summary: dissect.Summary{Name: "HTTP"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlayer(Dissector{}.Info().Limits)
			var pair [2]*dissect.Message
			if test.request != "" {
				p.play(step{dir: toServer, data: crlf(test.request)})
			}
			if test.response != "" {
				p.play(step{dir: toClient, data: crlf(test.response)})
			}
			for _, m := range p.sink.messages {
				pair[m.Direction] = m
			}
			out := attributes{t, map[string]any{}}
			got := Dissector{}.Describe(test.side, pair[toServer], pair[toClient], out)
			assert.Equal(t, test.want, out.m)
			assert.Equal(t, test.summary, got)
		})
	}
}
