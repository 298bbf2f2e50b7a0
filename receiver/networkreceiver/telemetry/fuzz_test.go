// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// FuzzExchange: whatever a message holds, records are valid OTLP: text is UTF-8,
// and ids are not zero.
func FuzzExchange(f *testing.F) {
	f.Add("Authorization", "Bearer x", "application/json", "", "limit", []byte(`{"password":"ä`), uint8(3))
	f.Add("traceparent", headerParent, "", "utf-8", "", []byte("\xff\x00"), uint8(0))
	f.Add("b3", "1-2", "image/png", "", "gap", []byte("\x89PNG"), uint8(200))
	for i, b := range seed.Bodies(f) {
		f.Add(b.Field.Name, b.Field.Value, "application/json", "", "", b.Bytes, uint8(i))
	}
	f.Fuzz(func(t *testing.T, name, value, mediaType, charset, cut string, body []byte, size uint8) {
		x := get()
		for _, m := range []*dissect.Message{x.Request, x.Response} {
			m.Content = dissect.Content{
				Headers: []dissect.Header{{Name: name, Value: value}, {Name: name, Value: mediaType}}, Trailers: []dissect.Header{{Name: value, Value: name}},
				Body: body, MediaType: mediaType, Charset: charset, Truncated: cut,
			}
			m.Flags, m.Incomplete = []string{name, value}, conn.Reason(cut)
		}
		x.Request.Protocol = &fakeRequest{method: name, url: value, query: value}
		x.Conn.Process.CommandLine = []string{name, value, charset}
		b := build(t, x, func(s *Settings) {
			s.Payload.Preview, s.Payload.MaxBody = int(size), int(size)/2
			s.Payload.InAttributes = size%2 == 0
		})
		require.False(t, b.span.TraceID().IsEmpty())
		require.False(t, b.span.SpanID().IsEmpty())
		requireText(t, b.span.Name())
		requireText(t, b.attrs)
		requireText(t, b.lattr)
		requireText(t, b.log.Body().AsRaw())
		requireText(t, b.res.AsRaw())
		if preview, ok := b.attrs["http.request.body.content"].(string); ok {
			require.LessOrEqual(t, len(preview), int(size))
		}
	})
}

// requireText wants every string in a value to be UTF-8.
func requireText(t *testing.T, v any) {
	switch v := v.(type) {
	case string:
		require.True(t, utf8.ValidString(v), "%q", v)
	case []any:
		for _, e := range v {
			requireText(t, e)
		}
	case map[string]any:
		for k, e := range v {
			requireText(t, k)
			requireText(t, e)
		}
	}
}
