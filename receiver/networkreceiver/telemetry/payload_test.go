// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

func withBody(mediaType, body string) *pair.Exchange {
	x := get()
	x.Request.Content.MediaType, x.Request.Content.Body = mediaType, []byte(body)
	return x
}

func requestBody(b built) any { return b.body["request"].(map[string]any)["body"] }

func TestTextOrBytes(t *testing.T) {
	for _, c := range []struct {
		mediaType, charset, body string
		text                     bool
	}{
		{"application/json", "", `{"a":1}`, true},
		{"application/problem+json", "", `{"a":1}`, true},
		{"application/x-ndjson", "", `{"a":1}`, true},
		{"application/json-patch+json", "", `[]`, true},
		{"text/plain", "", "ä", true},
		{"text/plain", "iso-8859-1", "\xe4", false},
		{"application/xml", "", "<a/>", true},
		{"image/svg+xml", "", "<a/>", true},
		{"application/yaml", "", "a: 1", true},
		{"application/x-yaml", "", "a: 1", true},
		{"application/x-www-form-urlencoded", "", "a=1", true},
		{"multipart/form-data", "", "--b\r\n", true},
		{"multipart/form-data", "", "--b\r\n\xff\xd8", false},
		{"application/vnd.acme", "utf-8", "a", true},
		{"application/octet-stream", "", "a", false},
		{"image/png", "", "\x89PNG", false},
		{"application/json", "", "\xff", false},
		{"application/json", "", "", true},
		{"", "", "hello", true},
		{"", "", "\x00\x01", false},
	} {
		x := withBody(c.mediaType, c.body)
		x.Request.Content.Charset = c.charset
		b := build(t, x)
		switch {
		case c.body == "":
			assert.Nil(t, requestBody(b))
			assert.NotContains(t, b.attrs, "http.request.body.content")
		case c.text:
			assert.Equal(t, c.body, requestBody(b), c.mediaType)
			assert.Equal(t, c.body, b.attrs["http.request.body.content"], c.mediaType)
		default:
			assert.Equal(t, []byte(c.body), requestBody(b), c.mediaType)
			assert.NotContains(t, b.attrs, "http.request.body.content", "spans have no bytes")
			assert.NotContains(t, b.attrs, requestKeys.bodyTruncated)
		}
	}
}

func TestUndecodedBody(t *testing.T) {
	coded := func(body string) *pair.Exchange {
		x := withBody("application/json", body)
		x.Request.Content.Coding, x.Request.Content.DecodeError = "gzip", true
		return x
	}
	b := build(t, coded("ab\x00c"))
	assert.Equal(t, []byte("ab\x00c"), requestBody(b), "it is coded still")
	assert.NotContains(t, b.attrs, "http.request.body.content")
	b = build(t, coded(`{"a":"é"}`))
	assert.Equal(t, `{"a":"é"}`, requestBody(b), "it never was")
	assert.Equal(t, `{"a":"é"}`, b.attrs["http.request.body.content"])
	assert.Equal(t, []byte("caf\xe9 in ISO 8859-1"), requestBody(build(t, coded("caf\xe9 in ISO 8859-1"))))
}

func TestPreview(t *testing.T) {
	sized := func(n int) func(*Settings) { return func(s *Settings) { s.Payload.Preview = n } }
	x := func() *pair.Exchange { return withBody("text/plain", "aäöü") }

	b := build(t, x(), sized(4))
	assert.Equal(t, "aä", b.attrs["http.request.body.content"], "cut between characters")
	assert.Equal(t, "preview", b.attrs[requestKeys.bodyTruncated])
	assert.Equal(t, "aäöü", requestBody(b), "the log record has it all")
	assert.NotContains(t, b.lattr, requestKeys.bodyTruncated)

	b = build(t, x(), sized(7))
	assert.Equal(t, "aäöü", b.attrs["http.request.body.content"])
	assert.NotContains(t, b.attrs, requestKeys.bodyTruncated)

	b = build(t, x(), sized(0))
	assert.NotContains(t, b.attrs, "http.request.body.content")

	cut := x()
	cut.Request.Content.Truncated = "memory"
	b = build(t, cut, sized(4))
	assert.Equal(t, "memory", b.attrs[requestKeys.bodyTruncated], "the capture's reason counts")

	// The dissector has cut within a character.
	cut = withBody("text/plain", "aä\xc3")
	cut.Request.Content.Truncated = "limit"
	b = build(t, cut)
	assert.Equal(t, "aä", requestBody(b))
}

func TestMaxBody(t *testing.T) {
	b := build(t, withBody("text/plain", "aäöü"), func(s *Settings) { s.Payload.MaxBody, s.Payload.Preview = 4, 2 })
	assert.Equal(t, "aä", requestBody(b))
	assert.Equal(t, "limit", b.lattr[requestKeys.bodyTruncated])
	assert.EqualValues(t, 2, b.stats.BodiesCut.Load())

	b = build(t, get(), func(s *Settings) { s.Payload.MaxBody = 0 })
	assert.Nil(t, requestBody(b))
	assert.Contains(t, b.attrs, "http.request.body.content")
}

func TestMediaTypeRules(t *testing.T) {
	rules := func(include, exclude []string) func(*Settings) {
		return func(s *Settings) { s.Payload.Include, s.Payload.Exclude = include, exclude }
	}
	for _, c := range []struct {
		include, exclude []string
		mediaType        string
		kept             bool
	}{
		{nil, nil, "image/png", true},
		{[]string{"application/json", "text/*"}, nil, "text/plain", true},
		{[]string{"application/json", "text/*"}, nil, "application/json", true},
		{[]string{"application/json", "text/*"}, nil, "image/png", false},
		{nil, []string{"image/*"}, "image/png", false},
		{[]string{"*/*"}, []string{"image/*"}, "image/png", false},
		{[]string{"text/*"}, nil, "", false},
		{nil, []string{"application/octet-stream"}, "", false},
	} {
		b := build(t, withBody(c.mediaType, "abc"), rules(c.include, c.exclude))
		if c.kept {
			assert.NotNil(t, requestBody(b))
		} else {
			assert.Nil(t, requestBody(b))
			assert.NotContains(t, b.attrs, "http.request.body.content")
			assert.Equal(t, "media_type", b.lattr[requestKeys.bodyTruncated])
			assert.Equal(t, "media_type", b.attrs[requestKeys.bodyTruncated])
		}
	}
}

func TestPayloadOff(t *testing.T) {
	b := build(t, get(), func(s *Settings) { s.Payload.Enabled = false })
	assert.Nil(t, b.body)
	for key := range b.attrs {
		assert.NotContains(t, key, ".header.")
		assert.NotContains(t, key, ".content")
	}
	assert.EqualValues(t, 10, b.lattr[requestKeys.bodySize], "sizes stay")

	b = build(t, get(), func(s *Settings) { s.Protocols = map[string]Payload{"http": {}} })
	assert.Nil(t, b.body, "by protocol")
	b = build(t, get(), func(s *Settings) { s.Protocols = map[string]Payload{"other": {}} })
	assert.NotNil(t, b.body)
	b = build(t, get(), func(s *Settings) { s.Payload.SpanHeaders = false })
	assert.NotContains(t, b.attrs, "http.request.header.host")
	assert.Contains(t, b.body["request"], "headers")
}

func TestHeaders(t *testing.T) {
	x := get()
	x.Response.Content.Trailers = []dissect.Header{{Name: "Grpc-Status", Value: "0"}}
	b := build(t, x)
	assert.Equal(t, []any{"a", "b"}, b.attrs["http.request.header.accept"], "one attribute for all spellings")
	assert.Equal(t, []any{"application/json"}, b.attrs["http.response.header.content-type"])
	assert.Equal(t, map[string]any{"grpc-status": []any{"0"}}, b.body["response"].(map[string]any)["trailers"])

	b = build(t, x, func(s *Settings) { s.Payload.InAttributes = true })
	assert.Nil(t, b.body)
	assert.Equal(t, []any{"a", "b"}, b.lattr["http.request.header.accept"])
	assert.Equal(t, []any{"0"}, b.lattr["wirespan.response.trailer.grpc-status"])
	assert.Equal(t, `{"q":"ä"}`, b.lattr["http.request.body.content"])
	assert.Equal(t, `{"ok":true}`, b.lattr["http.response.body.content"])

	x.Dissector = fake{name: "echo"}
	b = build(t, x)
	assert.Equal(t, "wirespan.echo.call", b.log.EventName())
	assert.Equal(t, []any{"a", "b"}, b.attrs["wirespan.request.header.accept"])
	assert.Equal(t, `{"q":"ä"}`, b.attrs["wirespan.request.body.content"])
}

func TestManyHeaders(t *testing.T) {
	x := get()
	x.Request.Content.Headers = nil
	for i := range 10_000 {
		x.Request.Content.Headers = append(x.Request.Content.Headers, dissect.Header{Name: "X-" + strconv.Itoa(i), Value: "v"})
	}
	b := build(t, x)
	assert.Len(t, b.body["request"].(map[string]any)["headers"], maxFields)
	assert.EqualValues(t, 10_000-maxFields, b.attrs[requestKeys.headersDropped])
	assert.Contains(t, b.attrs, "http.request.header.x-255")
	assert.NotContains(t, b.attrs, "http.request.header.x-256")
}

func TestNameCacheIsBounded(t *testing.T) {
	n, r := nameCache{prefix: "p."}, redact.New(redact.Default())
	for i := range 3 * maxCachedNames {
		require.Equal(t, "p.x-"+strconv.Itoa(i), n.of("X-"+strconv.Itoa(i), r).attribute)
	}
	require.LessOrEqual(t, len(n.names), maxCachedNames)
	long := strings.Repeat("X", 1000)
	require.Equal(t, "p."+strings.ToLower(long), n.of(long, r).attribute)
	require.NotContains(t, n.names, long)
}

func TestValidate(t *testing.T) {
	s := DefaultSettings()
	require.NoError(t, s.Validate())
	for _, change := range []func(*Settings){
		func(s *Settings) { s.FileSpans = "x" },
		func(s *Settings) { s.ServiceName = "x" },
		func(s *Settings) { s.Batch.Records = 0 },
		func(s *Settings) { s.Batch.Bytes = 0 },
		func(s *Settings) { s.Payload.Preview = -1 },
		func(s *Settings) { s.Payload.Include = []string{"["} },
		func(s *Settings) { s.Protocols = map[string]Payload{"http": {MaxBody: -1}} },
	} {
		s := testSettings(change)
		require.Error(t, s.Validate())
	}
}
