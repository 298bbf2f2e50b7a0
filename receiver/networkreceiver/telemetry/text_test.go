// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestValidURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://a/ž?q=ů":       "http://a/ž?q=ů",
		"/search?q=\xcd\xa8":   "/search?q=\xcd\xa8", // it is UTF-8
		"q=\xcd\xa8\xd3\xc3":   "q=%CD%A8%D3%C3",
		"/caf\xe9/%E9?x=\x80":  "/caf%E9/%E9?x=%80",
		"http://a/é and \xe9!": "http://a/%C3%A9 and %E9!",
	} {
		assert.Equal(t, want, validURL(in), "%q", in)
	}
}

// TestBytesThatAreNotUTF8 has them wherever text of the traffic reaches a record.
func TestBytesThatAreNotUTF8(t *testing.T) {
	const odd = "Ren\xe9"
	x := get()
	x.Request.Content.Headers = []dissect.Header{{Name: "X-User", Value: odd}, {Name: "X-\xe9", Value: "1"}}
	x.Request.Content.Trailers = []dissect.Header{{Name: "T", Value: odd}}
	x.Request.Content.Body = []byte(odd)
	x.Request.Flags = []string{"a.\xe9"}
	x.Request.Protocol = &fakeRequest{method: "G\xe9", url: "http://shop.example/" + odd, path: "/" + odd, query: "q=" + odd}
	x.Response.Protocol = &fakeResponse{status: 500, told: odd}
	x.Conn.Process.CommandLine = []string{"a", odd}
	x.Conn.Process.Executable = "/usr/" + odd
	x.Conn.Process.Name = odd
	b := build(t, x, func(s *Settings) { s.Payload.SpanHeaders = true })
	assert.Equal(t, []any{"René"}, b.attrs["http.request.header.x-user"])
	assert.Equal(t, []any{"1"}, b.attrs["http.request.header.x-é"])
	assert.Equal(t, "http://shop.example/Ren%E9", b.attrs[semconv.URLFull])
	assert.Equal(t, "Gé", b.span.Name())
	assert.Equal(t, "Gé", b.attrs["http.request.method"])
	assert.Equal(t, "René", b.span.Status().Message())
	assert.Equal(t, []any{"a.é"}, b.attrs[semconv.Flags])
	assert.Equal(t, []byte(odd), requestBody(b), "bytes stay bytes")
	server := build(t, fromServer(x))
	assert.Equal(t, "/Ren%E9", server.attrs[semconv.URLPath])
	assert.Equal(t, "q=Ren%E9", server.attrs[semconv.URLQuery])
	for _, resource := range []map[string]any{b.span.Attributes().AsRaw(), b.log.Attributes().AsRaw(), b.log.Body().Map().AsRaw()} {
		assertNothingIsReplaced(t, resource)
	}
}

func assertNothingIsReplaced(t *testing.T, value any) {
	t.Helper()
	switch v := value.(type) {
	case string:
		assert.True(t, utf8.ValidString(v), "%q", v)
		assert.NotContains(t, v, "\uFFFD")
	case []any:
		for _, one := range v {
			assertNothingIsReplaced(t, one)
		}
	case map[string]any:
		for key, one := range v {
			assertNothingIsReplaced(t, key)
			assertNothingIsReplaced(t, one)
		}
	}
}
