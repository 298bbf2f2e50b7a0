// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestProbe(t *testing.T) {
	long := "GET /" + strings.Repeat("a", probeBytes)
	for _, test := range []struct {
		name, client, server string
		want                 dissect.Verdict
	}{
		{"request", "GET / HTTP/1.1\r\n", "", dissect.Yes},
		{"HTTP/1.0", "POST /x?y HTTP/1.0\n", "", dissect.Yes},
		{"unknown method", "BREW /pot HTTP/1.1\r\n", "", dissect.Yes},
		{"absolute form", "GET http://a/b HTTP/1.1\r\n", "", dissect.Yes},
		{"authority form", "CONNECT a:443 HTTP/1.1\r\n", "", dissect.Yes},
		{"asterisk form", "OPTIONS * HTTP/1.1\r\n", "", dissect.Yes},
		{"empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n", "", dissect.Yes},
		{"response only", "", "HTTP/1.1 200 OK\r\n", dissect.Yes},
		{"response without reason", "", "HTTP/1.1 200\r\n", dissect.Yes},
		{"request in the middle of the other direction", "GET / HTTP/1.1\r\n", "\x00\x01", dissect.Yes},
		{"response, after the middle of a request", "ield\":1}", "HTTP/1.1 200 OK\r\n", dissect.Yes},
		{"reversed request", "", "GET / HTTP/1.1\r\n", dissect.Reversed},
		{"reversed response", "HTTP/1.1 200 OK\r\n", "", dissect.Reversed},
		{"part of a method", "GE", "", dissect.NeedMore},
		{"part of a target", "GET /index", "", dissect.NeedMore},
		{"part of a version", "GET / HTTP/1.", "", dissect.NeedMore},
		{"part of a status line", "", "HTTP/1.1 2", dissect.NeedMore},
		{"long target", long, "", dissect.Yes},
		{"long target of an unknown method", strings.Replace(long, "GET", "GOT", 1), "", dissect.No},
		{"long method", strings.Repeat("G", maxMethod+1), "", dissect.No},
		{"HTTP/0.9", "GET /\r\n", "", dissect.NeedMore},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", dissect.No},
		{"SSDP", "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n", "", dissect.No},
		{"SSDP notify", "NOTIFY * HTTP/1.1\r\n", "", dissect.No},
		{"RTSP", "OPTIONS rtsp://a/b RTSP/1.0\r\n", "RTSP/1.0 200 OK\r\n", dissect.No},
		{"SIP", "REGISTER sip:a SIP/2.0\r\n", "SIP/2.0 200 OK\r\n", dissect.No},
		{"ICAP", "REQMOD icap://a/b ICAP/1.0\r\n", "ICAP/1.0 200 OK\r\n", dissect.No},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", dissect.No},
		{"SMTP", "EHLO a\r\n", "220 a ESMTP\r\n", dissect.No},
		{"Redis", "*1\r\n$4\r\nPING\r\n", "", dissect.No},
		{"memcached", "get key\r\n", "", dissect.No},
		{"NATS", "CONNECT {\"verbose\":false}\r\n", "INFO {}\r\n", dissect.No},
		{"binary after a token", "GET \x00\x01\x02", "", dissect.No},
		{"nothing", "", "", dissect.No},
		{"status line with a long code", "", "HTTP/1.1 2000", dissect.No},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, Dissector{}.Probe([]byte(test.client), []byte(test.server)))
		})
	}
}

// TestProbePrefixes sees to it that no prefix of HTTP is refused.
func TestProbePrefixes(t *testing.T) {
	for _, whole := range []string{
		"\r\nPROPFIND /dav/a%20b HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a:80/?x HTTP/1.0\n\n", "a!b /* HTTP/1.1\r\n\r\n",
	} {
		for i := 1; i < len(whole); i++ {
			require.NotEqual(t, dissect.No, Dissector{}.Probe([]byte(whole[:i]), nil), "%q", whole[:i])
		}
	}
	for whole, i := "HTTP/1.1 200 OK\r\n", 1; i < len(whole); i++ {
		require.NotEqual(t, dissect.No, Dissector{}.Probe(nil, []byte(whole[:i])), "%q", whole[:i])
	}
}

func TestProbeDoesNotAllocate(t *testing.T) {
	request, response := []byte("GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\n\r\n")
	assert.Zero(t, testing.AllocsPerRun(100, func() { Dissector{}.Probe(request, response) }))
}

func TestFindStart(t *testing.T) {
	var c conversation
	for _, test := range []struct {
		name   string
		d      dissect.Direction
		before string // what is passed over
		start  string // empty: nothing is found
	}{
		{"at once", toServer, "", "GET / HTTP/1.1\r\nHost: a\r\n"},
		{"after a body that ends without a line end", toServer, `{"a":1}`, "POST /x HTTP/1.1\r\nHost: a\r\n"},
		{"after text", toServer, "user=ann", "PUT /x HTTP/1.1\r\nHost: a\r\n"},
		{"unknown method at a line start", toServer, "rest\r\n", "BREW /x HTTP/1.1\r\nHost: a\r\n"},
		{"no fields", toServer, "rest\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"},
		{"access log", toServer, "x \"GET /a HTTP/1.1\" 200\n\"GET /b HTTP/1.1\" 200\n", ""},
		{"prose", toServer, "\nto GET / HTTP/1.1\nis a request\n", ""},
		{"not complete", toServer, "\nGET / HTTP/1.1\r\nHo", ""},
		{"response", toClient, `{"a":1}`, "HTTP/1.1 200 OK\r\nServer: x\r\n"},
		{"response after HTML about it", toClient, "<p>HTTP/1.1 200 OK</p>HTTP/1.", "HTTP/1.1 404 Not Found\nServer: x\n"},
		{"response with no fields", toClient, "x", "HTTP/1.1 200\r\n\r\n"},
		{"request in a response", toClient, "GET / HTTP/1.1\r\nHost: a\r\n", ""},
		{"binary", toClient, "\x00\xffHTTP/1.1\x00", ""},
		{"nothing", toClient, "", ""},
	} {
		want := len(test.before)
		if test.start == "" {
			want = -1
		}
		assert.Equal(t, want, c.FindStart(test.d, []byte(test.before+test.start)), test.name)
	}
}

// HTTP/0.9 is known by a request and its answer together.
func TestProbeSimple(t *testing.T) {
	const request = "GET /path\r\n"
	for _, test := range []struct {
		client, server string
		want           dissect.Verdict
	}{
		{request, "", dissect.NeedMore},
		{request, "<html>", dissect.Yes},
		{request, "hello", dissect.Yes},
		{request, "\x89PNG", dissect.Yes},
		{request, "# a title", dissect.Yes},
		{request, "HT", dissect.NeedMore},
		{request, "HTTP/1.1 400 Bad Request\r\n", dissect.Yes},
		{request, "$-1\r\n", dissect.No},
		{request, "$", dissect.NeedMore},
		{request, "-ERR unknown\r\n", dissect.No},
		{request, "END\r\n", dissect.No},
		{request, "EN", dissect.NeedMore},
		{request, "ERROR\r\n", dissect.No},
		{"GET /path\n", "x", dissect.Yes},
		{"GET /pa", "", dissect.NeedMore},
		{"GET key\r\n", "x\r\n", dissect.No},
		{"get /path\r\n", "x\r\n", dissect.No},
		{"GET /path x\r\n", "x\r\n", dissect.No},
		{"GET /path\r\nHost: a\r\n\r\n", "x\r\n", dissect.No},
		{"POST /path\r\n", "x\r\n", dissect.No},
		{"/path\r\n", "x\r\n", dissect.No},
	} {
		assert.Equal(t, test.want, Dissector{}.Probe([]byte(test.client), []byte(test.server)), "%q %q", test.client, test.server)
		want := test.want
		if want == dissect.Yes {
			want = dissect.Reversed
		}
		assert.Equal(t, want, Dissector{}.Probe([]byte(test.server), []byte(test.client)), "%q %q", test.server, test.client)
	}
}
