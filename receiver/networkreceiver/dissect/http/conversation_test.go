// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	toServer = dissect.ToServer
	toClient = dissect.ToClient
)

// crlf writes line ends as on the wire.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func get(path string) step { return client(crlf("GET " + path + " HTTP/1.1\nHost: a\n\n")) }

func ok(body string) step {
	return server(crlf(fmt.Sprintf("HTTP/1.1 200 OK\nContent-Length: %d\n\n", len(body))) + body)
}

// conversations are whole connections and the messages they consist of.
var conversations = []struct {
	name     string
	steps    []step
	want     []string
	upgrade  string // with a leading "=" if there is one
	rest     string // what the client sent and nobody used
	violated bool
}{
	{
		name:  "keep-alive",
		steps: []step{get("/1"), ok("one"), get("/2"), ok("two")},
		want: []string{
			`> GET /1 1.1 body=""`, `< 200 OK 1.1 body="one"`,
			`> GET /2 1.1 body=""`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name:  "pipelining",
		steps: []step{client(get("/1").data + get("/2").data), server(ok("one").data + ok("two").data)},
		want: []string{
			`> GET /1 1.1 body=""`, `> GET /2 1.1 body=""`,
			`< 200 OK 1.1 body="one"`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name: "HEAD, 204 and 304 have no body, pipelined",
		steps: []step{
			client(crlf("HEAD / HTTP/1.1\nHost: a\n\nDELETE /x HTTP/1.1\nHost: a\n\nGET /y HTTP/1.1\nHost: a\n\n")),
			server(crlf("HTTP/1.1 200 OK\nContent-Length: 1000\n\nHTTP/1.1 204 No Content\n\nHTTP/1.1 304 Not Modified\nContent-Length: 77\n\n")),
		},
		want: []string{
			`> HEAD / 1.1 body=""`, `> DELETE /x 1.1 body=""`, `> GET /y 1.1 body=""`,
			`< 200 OK 1.1 body=""`, `< 204 No Content 1.1 body=""`, `< 304 Not Modified 1.1 body=""`,
		},
	},
	{
		name: "HEAD with chunked",
		steps: []step{
			client(crlf("HEAD / HTTP/1.1\nHost: a\n\n")),
			server(crlf("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n")),
			get("/2"), ok("two"),
		},
		want: []string{
			`> HEAD / 1.1 body=""`, `< 200 OK 1.1 body=""`, `> GET /2 1.1 body=""`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name: "methods of WebDAV and unknown ones",
		steps: []step{
			client(crlf("PROPFIND /dav HTTP/1.1\nHost: a\nContent-Length: 3\n\n<a>BREW /pot HTTP/1.1\nHost: a\n\nfoo!bar / HTTP/1.1\nHost: a\n\n")),
		},
		want: []string{
			`> PROPFIND /dav 1.1 body="<a>"`, `> BREW /pot 1.1 body=""`, `> foo!bar / 1.1 body=""`,
		},
	},
	{
		name: "100-continue and other interim responses",
		steps: []step{
			client(crlf("PUT /x HTTP/1.1\nHost: a\nContent-Length: 4\nExpect: 100-continue\n\n")),
			server(crlf("HTTP/1.1 100 Continue\n\n")),
			client("data"),
			server(crlf("HTTP/1.1 102 Processing\n\nHTTP/1.1 103 Early Hints\nLink: </s.css>\n\n") + ok("").data),
		},
		want: []string{
			`< 100 Continue 1.1 body="" interim`,
			`> PUT /x 1.1 body="data"`,
			`< 102 Processing 1.1 body="" interim`,
			`< 103 Early Hints 1.1 body="" interim`,
			`< 200 OK 1.1 body=""`,
		},
	},
	{
		name: "Expect is refused and the body is left out",
		steps: []step{
			client(crlf("PUT /x HTTP/1.1\nHost: a\nContent-Length: 400\nExpect: 100-continue\n\n")),
			server(crlf("HTTP/1.1 417 Expectation Failed\nContent-Length: 0\n\n")),
			get("/2"), ok("two"),
		},
		want: []string{
			`< 417 Expectation Failed 1.1 body=""`,
			`> PUT /x 1.1 body="" http.body_omitted`,
			`> GET /2 1.1 body=""`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name: "Expect is refused and the body comes all the same",
		steps: []step{
			client(crlf("PUT /x HTTP/1.1\nHost: a\nContent-Length: 4\nExpect: 100-continue\n\n")),
			server(crlf("HTTP/1.1 417 Expectation Failed\nContent-Length: 0\n\n")),
			client("GET "),
		},
		want: []string{
			`< 417 Expectation Failed 1.1 body=""`,
			`> PUT /x 1.1 body="GET "`,
		},
	},
	{
		name: "chunked with extensions and trailers",
		steps: []step{
			get("/"),
			server(crlf("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: Digest\n\n5;a=b;c=\"d\"\nhello\n00A\n, chunked!\n0;last\nDigest: x\nExpires: never\n\n")),
			get("/2"), ok("two"),
		},
		want: []string{
			`> GET / 1.1 body=""`,
			`< 200 OK 1.1 body="hello, chunked!" trailer(Digest: x) trailer(Expires: never)`,
			`> GET /2 1.1 body=""`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name: "chunked request",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked\n\n3\nabc\n0\n\n")), ok(""),
		},
		want: []string{`> POST / 1.1 body="abc"`, `< 200 OK 1.1 body=""`},
	},
	{
		name: "body until close",
		steps: []step{
			client(crlf("GET / HTTP/1.0\n\n")),
			server(crlf("HTTP/1.0 200 OK\n\nall the ")), server("rest"), ends(toClient, conn.ReasonFIN),
		},
		want: []string{`> GET / 1.0 body=""`, `< 200 OK 1.0 body="all the rest"`},
	},
	{
		name: "body until close, reset",
		steps: []step{
			client(crlf("GET / HTTP/1.0\n\n")),
			server(crlf("HTTP/1.0 200 OK\n\nall the ")), ends(toClient, conn.ReasonRST),
		},
		want: []string{`> GET / 1.0 body=""`, `< 200 OK 1.0 body="all the " truncated=incomplete incomplete=rst`},
	},
	{
		name: "connection ends inside a body and a header section",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nContent-Length: 10\n\n12345")),
			server(crlf("HTTP/1.1 200 OK\nX-A: b\nX-")),
			ends(toServer, conn.ReasonFIN), ends(toClient, conn.ReasonIdle),
		},
		want: []string{
			`> POST / 1.1 body="12345" truncated=incomplete incomplete=fin`,
			`< 200 OK 1.1 body="" truncated=incomplete incomplete=idle`,
		},
	},
	{
		name: "WebSocket upgrade",
		steps: []step{
			client(crlf("GET /chat HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n")),
			server(crlf("HTTP/1.1 101 Switching Protocols\nUpgrade: WebSocket\nConnection: Upgrade\n\n") + "\x81\x02hi"),
		},
		want:    []string{`> GET /chat 1.1 body=""`, `< 101 Switching Protocols 1.1 body=""`},
		upgrade: "=websocket",
	},
	{
		name: "upgrade refused",
		steps: []step{
			client(crlf("GET / HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\n\n")),
			ok("plain"), get("/2"), ok("two"),
		},
		want: []string{
			`> GET / 1.1 body=""`, `< 200 OK 1.1 body="plain"`, `> GET /2 1.1 body=""`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name: "CONNECT",
		steps: []step{
			client(crlf("CONNECT example.com:443 HTTP/1.1\nHost: example.com:443\n\n")),
			server(crlf("HTTP/1.1 407 Proxy Authentication Required\nContent-Length: 2\n\nno")),
			client(crlf("CONNECT example.com:443 HTTP/1.1\nHost: example.com:443\nProxy-Authorization: Basic eA==\n\n")),
			client("\x16\x03\x01 early"),
			server(crlf("HTTP/1.1 200 Connection established\nContent-Length: 5\n\n") + "\x16\x03\x03"),
		},
		want: []string{
			`> CONNECT example.com:443 1.1 body=""`, `< 407 Proxy Authentication Required 1.1 body="no"`,
			`> CONNECT example.com:443 1.1 body=""`, `< 200 Connection established 1.1 body=""`,
		},
		upgrade: "=",
		rest:    "\x16\x03\x01 early",
	},
	{
		name: "request targets",
		steps: []step{
			client(crlf("GET http://example.com/a?b HTTP/1.1\nHost: example.com\n\nOPTIONS * HTTP/1.1\nHost: a\n\n")),
		},
		want: []string{`> GET http://example.com/a?b 1.1 body=""`, `> OPTIONS * 1.1 body=""`},
	},
	{
		name: "bare LF, obs-fold, empty lines before the request",
		steps: []step{
			client("\r\n\nGET / HTTP/1.1\nHost: a\nX-Long: one\n  two\n\tthree\n\n"),
			server("HTTP/1.1 200 OK\nContent-Length:\n 2\n\nok"),
		},
		want: []string{
			`> GET / 1.1 body="" http.bare_lf http.obs_fold`,
			`< 200 OK 1.1 body="ok" http.bare_lf http.obs_fold`,
		},
	},
	{
		name: "whitespace oddities",
		steps: []step{
			client("GET  /a b\tHTTP/1.1 \r\n X: y\r\nHost : a\r\nContent-Length:\t 1 \t\r\n\r\nx"),
			server("HTTP/1.1  200\r\nContent-Length: 1\r\nbroken\r\nB(d: x\r\n\r\nx"),
		},
		want: []string{
			`> GET /a b 1.1 body="x" http.leading_whitespace http.whitespace_before_colon http.start_line_whitespace`,
			`< 200  1.1 body="x" http.invalid_header_name http.malformed_header http.start_line_whitespace`,
		},
	},
	{
		name: "early response",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nContent-Length: 8\n\n1234")),
			server(crlf("HTTP/1.1 413 Too Large\nContent-Length: 0\n\n")),
			client("5678"), get("/2"), ok("two"),
		},
		want: []string{
			`< 413 Too Large 1.1 body=""`, `> POST / 1.1 body="12345678"`,
			`> GET /2 1.1 body=""`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name: "response before the header section of the request ends",
		steps: []step{
			client(crlf("HEAD / HTTP/1.1\nHost: a\nX-Lo")),
			server(crlf("HTTP/1.1 408 Request Timeout\nContent-Length: 4\n\nslow")),
			client(crlf("ng: x\n\n")), get("/2"), ok("two"),
		},
		want: []string{
			`< 408 Request Timeout 1.1 body="slow"`, `> HEAD / 1.1 body=""`,
			`> GET /2 1.1 body=""`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name:  "responses without requests",
		steps: []step{ok("one"), server(crlf("HTTP/1.1 200 OK\nContent-Length: 9\n\n") + ok("two").data)},
		want: []string{
			`< 200 OK 1.1 body="one"`, `< 200 OK 1.1 body="" http.head_assumed`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name: "a gap inside bodies",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nContent-Length: 10\n\n123")), lost(toServer, 4), client("890"),
			server(crlf("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\na\n01")), lost(toClient, 8), server(crlf("\n2\nab\n0\n\n")),
			get("/2"), server(crlf("HTTP/1.0 200 OK\n\nx")), lost(toClient, 5), server("y"), ends(toClient, conn.ReasonFIN),
		},
		want: []string{
			`> POST / 1.1 body="123" size=10 truncated=gap gap=4`,
			`< 200 OK 1.1 body="01" size=12 truncated=gap gap=8`,
			`> GET /2 1.1 body=""`,
			`< 200 OK 1.0 body="x" size=7 truncated=gap gap=5`,
		},
	},
	{
		name: "a gap over the end of a body",
		steps: []step{
			get("/1"), server(crlf("HTTP/1.1 200 OK\nContent-Length: 10\n\n123")), lost(toClient, 50),
			server("tail of something"), get("/2"), ok("two"),
		},
		want: []string{
			`> GET /1 1.1 body=""`, `< 200 OK 1.1 body="123" size=10 truncated=gap incomplete=gap gap=7`,
			`> GET /2 1.1 body=""`, `< 200 OK 1.1 body="two"`,
		},
	},
	{
		name: "a gap inside a header section, then leading garbage",
		steps: []step{
			client(crlf("GET /1 HTTP/1.1\nHost: a\nX-Half: ")), lost(toServer, 20),
			client(crlf("Log: GET /no HTTP/1.1 \" 200\nbody=textPOST /2 HTTP/1.1\nHost: a\nContent-Length: 1\n\nx")),
			get("/3"),
		},
		want: []string{
			`> GET /1 1.1 body="" truncated=incomplete incomplete=gap`,
			`> POST /2 1.1 body="x"`, `> GET /3 1.1 body=""`,
		},
	},
	{
		name: "conflicting lengths",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nContent-Length: 4\n\nabcd")), ends(toServer, conn.ReasonFIN),
		},
		want: []string{`> POST / 1.1 body="abcd" http.conflicting_content_length`},
	},
	{
		name: "the same length twice",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nContent-Length: 3, 3\n\nabc")), get("/2"),
		},
		want: []string{`> POST / 1.1 body="abc" http.duplicate_content_length`, `> GET /2 1.1 body=""`},
	},
	{
		name: "length and transfer coding",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nContent-Length: 3\nTransfer-Encoding: chunked\n\n1\nx\n0\n\n")), get("/2"),
		},
		want: []string{`> POST / 1.1 body="x" http.content_length_and_transfer_encoding`, `> GET /2 1.1 body=""`},
	},
	{
		name: "odd transfer codings",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n")),
			server(crlf("HTTP/1.0 200 OK\nTransfer-Encoding: identity, chunked\n\n0\n\n")),
			client(crlf("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n0\n\n")), ends(toServer, conn.ReasonFIN),
		},
		want: []string{
			`> POST / 1.1 body="" http.repeated_chunked`,
			`< 200 OK 1.0 body="" http.transfer_encoding_in_http_1_0`,
			`> POST / 1.1 body="0\r\n\r\n" http.unknown_transfer_coding http.chunked_not_last`,
		},
	},
	{
		name: "invalid lengths",
		steps: []step{
			get("/"), server(crlf("HTTP/1.1 200 OK\nContent-Length: +3\n\nabc")), ends(toClient, conn.ReasonFIN),
			client(crlf("POST / HTTP/1.1\nHost: a\nContent-Length: 99999999999999999999\n\nabc")), ends(toServer, conn.ReasonFIN),
		},
		want: []string{
			`> GET / 1.1 body=""`, `< 200 OK 1.1 body="abc" http.invalid_content_length`,
			`> POST / 1.1 body="abc" http.invalid_content_length`,
		},
	},
	{
		name: "invalid chunk size",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3 \nabc\n0x3\nabc\n")),
			get("/2"),
		},
		want: []string{
			`> POST / 1.1 body="abc" truncated=incomplete incomplete=violation http.chunk_size_whitespace http.invalid_chunk_size`,
			`> GET /2 1.1 body=""`,
		},
		violated: true,
	},
	{
		name: "invalid chunk end",
		steps: []step{
			client(crlf("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabcd\n")), get("/2"),
		},
		want: []string{
			`> POST / 1.1 body="abc" truncated=incomplete incomplete=violation http.invalid_chunk_end`,
			`> GET /2 1.1 body=""`,
		},
		violated: true,
	},
	{
		name: "hosts",
		steps: []step{
			client(crlf("GET / HTTP/1.1\n\nGET / HTTP/1.1\nHost: a\nHost: b\n\nGET http://u@c/ HTTP/1.1\nHost: d\n\nGET http://u@c/ HTTP/1.1\nHost: C\n\n")),
		},
		want: []string{
			`> GET / 1.1 body="" http.missing_host`, `> GET / 1.1 body="" http.duplicate_host`,
			`> GET http://u@c/ 1.1 body="" http.host_mismatch`, `> GET http://u@c/ 1.1 body=""`,
		},
	},
	{
		name: "bare CR, NUL and a forbidden body",
		steps: []step{
			client("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\nY: \x00\r\n\r\n"),
			server(crlf("HTTP/1.1 204 No Content\nContent-Length: 2\n\n")), get("/2"), ok(""),
		},
		want: []string{
			`> GET / 1.1 body="" http.bare_cr http.nul`, `< 204 No Content 1.1 body="" http.body_forbidden`,
			`> GET /2 1.1 body=""`, `< 200 OK 1.1 body=""`,
		},
	},
	{
		name: "a section that is no request between two that are",
		steps: []step{
			client(crlf("GET /1 HTTP/1.1\nHost: a\n\nJUNK JUNK\n\nGET /2 HTTP/1.1\nHost: a\n\n")), ok("one"), ok("two"),
		},
		want: []string{
			`> GET /1 1.1 body=""`, `> GET /2 1.1 body="" http.stray_bytes`, `< 200 OK 1.1 body="one"`, `< 200 OK 1.1 body="two"`,
		},
		violated: true,
	},
	{
		name:     "not HTTP/1",
		steps:    []step{client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
		rest:     "RI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		violated: true,
	},
}

func TestConversations(t *testing.T) {
	for _, test := range conversations {
		t.Run(test.name, func(t *testing.T) {
			p := newPlayer(Dissector{}.Info().Limits)
			p.play(test.steps...)
			assert.Equal(t, test.want, briefs(p.sink.messages))
			assert.Equal(t, test.rest, p.pending[toServer])
			assert.Equal(t, test.violated, p.violations > 0)
			if test.upgrade != "" {
				assert.Equal(t, []string{test.upgrade[1:]}, p.sink.upgrades)
			} else {
				assert.Empty(t, p.sink.upgrades)
			}
			p.check(t)
		})
	}
}

// TestConversationsChopped plays each connection in pieces of every size. Where the
// pieces end must not matter.
func TestConversationsChopped(t *testing.T) {
	for _, test := range conversations {
		t.Run(test.name, func(t *testing.T) {
			whole := newPlayer(Dissector{}.Info().Limits)
			whole.play(test.steps...)
			for size := 1; size < 40; size++ {
				p := newPlayer(Dissector{}.Info().Limits)
				for _, s := range test.steps {
					for len(s.data) > size {
						p.play(step{dir: s.dir, data: s.data[:size]})
						s.data = s.data[size:]
					}
					p.play(s)
				}
				require.Equal(t, briefs(whole.sink.messages), briefs(p.sink.messages), "pieces of %d", size)
				for i, m := range whole.sink.messages {
					got := p.sink.messages[i]
					require.Equal(t, m.First.Offset, got.First.Offset, "first of %s, pieces of %d", brief(m), size)
					require.Equal(t, m.Last.Offset, got.Last.Offset, "last of %s, pieces of %d", brief(m), size)
					require.Equal(t, m.Size, got.Size)
					require.Equal(t, m.Content.Headers, got.Content.Headers)
				}
				require.Equal(t, whole.sink.upgrades, p.sink.upgrades)
				p.check(t)
			}
		})
	}
}

// The end of a body that is longer than its length says, and the next method, together look
// like a method. That they came apart tells. A method that comes in pieces stays one.
func TestStrayBytesBeforeMethod(t *testing.T) {
	post := client(crlf("POST /1 HTTP/1.1\nHost: a\nContent-Length: 1\n\n1234"))
	for name, test := range map[string]struct {
		steps []step
		want  []string
	}{
		"apart": {
			[]step{post, ok(""), get("/2"), ok("")},
			[]string{`> POST /1 1.1 body="1"`, `< 200 OK 1.1 body=""`, `> GET /2 1.1 body="" http.stray_bytes`, `< 200 OK 1.1 body=""`},
		},
		"together": {
			[]step{client(post.data + get("/2").data)},
			[]string{`> POST /1 1.1 body="1"`, `> 234GET /2 1.1 body=""`},
		},
		"a method in pieces": {
			[]step{get("/1"), ok(""), client("UN"), client(crlf("LOCK /2 HTTP/1.1\nHost: a\n\n"))},
			[]string{`> GET /1 1.1 body=""`, `< 200 OK 1.1 body=""`, `> UNLOCK /2 1.1 body=""`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(Dissector{}.Info().Limits)
			p.play(test.steps...)
			assert.Equal(t, test.want, briefs(p.sink.messages))
			p.check(t)
		})
	}
}
