// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

const secret = "S3CR3T"

// leaky is a call with a secret in every place that is redacted.
func leaky(mediaType, body string) *pair.Exchange {
	x := get()
	x.Conn.Process = &capture.Process{PID: 1, Name: "app", CommandLine: []string{
		"app", "--password=" + secret, "--api-key", secret, "DB_PASSWORD=" + secret, "https://u:" + secret + "@h/?token=" + secret,
	}}
	fields := []dissect.Header{{Name: "Referer", Value: "https://u:" + secret + "@h/?sig=" + secret}, {Name: "Location", Value: "/x#access_token=" + secret}}
	for _, name := range []string{"Authorization", "proxy-authorization", "COOKIE", "Set-Cookie", "X-Api-Key", "X-Auth-Token", "X-Amz-Security-Token"} {
		fields = append(fields, dissect.Header{Name: name, Value: secret})
	}
	for _, m := range []*dissect.Message{x.Request, x.Response} {
		m.Content.Headers, m.Content.Trailers = fields, fields
		m.Content.MediaType, m.Content.Body = mediaType, []byte(body)
	}
	x.Request.Protocol = &fakeRequest{
		method: "GET", url: "http://u:" + secret + "@h/x?a=1&password=" + secret + "&X-Amz-Signature=" + secret, path: "/x",
		query: "a=1&password=" + secret,
	}
	return x
}

var leakyBodies = []struct{ mediaType, body string }{
	{"application/json", `{"user":"bob","password":"` + secret + `","nested":{"client_secret":["` + secret + `"],"x":"{\"token\":\"` + secret + `\"}"}}`},
	{"application/json", `{"pin":{"a":"` + secret + `"}}`},
	{"application/x-www-form-urlencoded", "user=bob&password=" + secret + "&user%5Bapi_key%5D=" + secret},
	{"multipart/form-data", "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" + secret + "\r\n--b--\r\n"},
	{"text/xml", "<password>" + secret + "</password>"},
	{"", `{"password":"` + secret + `"}`},
	{"application/octet-stream", `{"password":"` + secret + `"}`},
}

// marshalled is everything that leaves, as OTLP.
func marshalled(t testing.TB, x *pair.Exchange, s Settings) []byte {
	var rec recorder
	b := New(s, nil, &rec, &Stats{})
	b.Exchange(x)
	b.Flush()
	var all []byte
	for _, td := range rec.traces {
		out, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		require.NoError(t, err)
		all = append(all, out...)
	}
	for _, ld := range rec.logs {
		out, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		all = append(all, out...)
	}
	require.NotEmpty(t, all)
	return all
}

// TestNoSecretLeaves searches all that leaves for the secret, with bodies cut at
// every place, and proves that the search would find it.
func TestNoSecretLeaves(t *testing.T) {
	for _, c := range leakyBodies {
		s := testSettings()
		for cut := range len(c.body) + 1 {
			require.False(t, bytes.Contains(marshalled(t, leaky(c.mediaType, c.body[:cut]), s), []byte("S3C")), "%s", c.body[:cut])
		}
		require.False(t, bytes.Contains(marshalled(t, fromServer(leaky(c.mediaType, c.body)), s), []byte("S3C")))
		for preview := range 40 {
			s.Payload.InAttributes = preview%2 == 0
			s.Payload.Preview, s.Payload.MaxBody = preview, 40-preview
			require.False(t, bytes.Contains(marshalled(t, leaky(c.mediaType, c.body), s), []byte("S3C")))
		}
		off := testSettings(func(s *Settings) { s.Redaction = redact.Settings{} })
		require.Greater(t, bytes.Count(marshalled(t, leaky(c.mediaType, c.body), off), []byte(secret)), 40)
	}
}

// TestRedactionIsCounted also keeps names and other values in place.
func TestRedactionIsCounted(t *testing.T) {
	b := build(t, leaky(leakyBodies[0].mediaType, leakyBodies[0].body))
	require.EqualValues(t, "http://REDACTED:REDACTED@h/x?a=1&password=REDACTED&X-Amz-Signature=REDACTED", b.attrs[semconv.URLFull])
	require.Equal(t, []any{"REDACTED"}, b.attrs["http.request.header.authorization"])
	require.Equal(t, `{"user":"bob","password":"REDACTED","nested":{"client_secret":"REDACTED","x":"{\"token\":\"REDACTED\"}"}}`, requestBody(b))
	require.NotZero(t, b.stats.Redactions.Load())
}

// messages takes what a conversation finds.
type messages []*dissect.Message

func (m *messages) Message(msg *dissect.Message) { *m = append(*m, msg) }
func (*messages) Started(*dissect.Message)       {}
func (*messages) Upgrade(string)                 {}
func (*messages) Limit(string)                   {}
func (*messages) Keep(int) bool                  { return true }
func (*messages) Release(int)                    {}

// TestNoSecretLeavesOfHTTP does the same with the dissector of HTTP/1, whose
// descriptions take URLs and hosts apart.
func TestNoSecretLeavesOfHTTP(t *testing.T) {
	const body = `{"user":"bob","password":"` + secret + `"}`
	for _, target := range []string{"/login?a=1&token=" + secret, "http://u:" + secret + "@shop.example/login?password=" + secret + "&b=2"} {
		var found messages
		c := http.Dissector{}.New(http.Dissector{}.Info().Limits, &found)
		feed := func(d dissect.Direction, s string) {
			used, _, err := c.Data(d, dissect.MarksOf(conn.Mark{Time: start, Seq: 1, Ack: 1}), []byte(s))
			require.NoError(t, err)
			require.Equal(t, len(s), used)
		}
		feed(dissect.ToServer, "POST "+target+" HTTP/1.1\r\nHost: u:"+secret+"@shop.example:8080\r\nAuthorization: Bearer "+secret+
			"\r\nCookie: a="+secret+"\r\nReferer: http://x/?api_key="+secret+"\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
		feed(dissect.ToClient, "HTTP/1.1 302 Found\r\nSet-Cookie: a="+secret+"\r\nLocation: /x?access_token="+secret+"\r\nContent-Length: 0\r\n\r\n")
		require.Len(t, found, 2)
		x := get()
		x.Dissector, x.Request, x.Response = http.Dissector{}, found[0], found[1]
		require.Contains(t, string(x.Request.Content.Body), secret)

		require.False(t, bytes.Contains(marshalled(t, x, testSettings()), []byte("S3C")))
		require.False(t, bytes.Contains(marshalled(t, fromServer(x), testSettings()), []byte("S3C")))
		b := build(t, x)
		require.Equal(t, "POST", b.span.Name())
		require.Contains(t, b.attrs[semconv.URLFull], "shop.example")
		require.Equal(t, `{"user":"bob","password":"REDACTED"}`, requestBody(b))
	}
}
