// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// TestRecordsDoNotDependOnThoseBefore builds calls of several shapes in turns, until
// their shapes are known, and compares each with what a new Builder makes of it.
func TestRecordsDoNotDependOnThoseBefore(t *testing.T) {
	header := func(name, value string) func(*pair.Exchange) {
		return func(x *pair.Exchange) {
			x.Response.Content.Headers = append(x.Response.Content.Headers, dissect.Header{Name: name, Value: value})
		}
	}
	changes := []func(*pair.Exchange){
		func(*pair.Exchange) {},
		header("X-One", "1"),
		header("X-Two", "2"),                         // as X-One, but for the name
		header("Content-Type", "text/plain"),         // twice
		header("content-type", "text/plain"),         // in another spelling
		header("Set-Cookie", "secret"),               // redacted
		header("Location", "http://a:b@c/"),          // likewise, in part
		header("X-"+strings.Repeat("long", 40), "v"), // no name to remember
		header("X-Bad", "\xff"),                      // not UTF-8
		func(x *pair.Exchange) { x.Response.Content.Headers = nil },
		func(x *pair.Exchange) { x.Response, x.Missing = nil, "rst" },
		func(x *pair.Exchange) { x.Response.Flags = []string{"a", "b", "a"} },
		func(x *pair.Exchange) { x.Response.Content.Body = []byte("\x00\x01") },
	}
	for _, inAttributes := range []bool{false, true} {
		settings := testSettings(func(s *Settings) { s.Payload.InAttributes, s.Batch.Records = inAttributes, 1 })
		var rec recorder
		b := New(settings, nil, &rec, &Stats{})
		for round := range 5 {
			for i, change := range changes {
				t.Run(fmt.Sprint(inAttributes, round, i), func(t *testing.T) {
					x := get()
					x.Request.Content.Headers = nil
					change(x)
					rec = recorder{}
					b.Exchange(x)
					var want recorder
					New(settings, nil, &want, &Stats{}).Exchange(x)
					require.Equal(t, want.traces, rec.traces)
					require.Equal(t, want.logs, rec.logs)
				})
			}
		}
	}
}

// TestShapesAreBounded puts more and larger shapes than are remembered.
func TestShapesAreBounded(t *testing.T) {
	s := shapes{kinds: slabs()}
	for i := range 10 * maxShapes {
		for range 3 {
			list := []attribute{{key: fmt.Sprint("k", i), str: "v"}, {key: strings.Repeat("x", i), str: "w"}}
			m := pcommon.NewMap()
			s.put(m, list)
			require.Equal(t, map[string]any{list[0].key: "v", list[1].key: "w"}, m.AsRaw())
		}
	}
	for i := range s.known {
		for _, key := range s.known[i].keys {
			assert.LessOrEqual(t, len(key), maxShapeKey)
		}
	}
}

// TestShapesWithTheSameHash has two shapes that the hash does not tell apart.
func TestShapesWithTheSameHash(t *testing.T) {
	a, b := []attribute{{key: "a-c", num: 1, kind: ofInt}}, []attribute{{key: "b-c", num: 2, kind: ofInt}}
	require.Equal(t, hashKeys(a), hashKeys(b))
	s := shapes{kinds: slabs()}
	for range 4 {
		for _, list := range [][]attribute{a, b} {
			m := pcommon.NewMap()
			s.put(m, list)
			assert.Equal(t, map[string]any{list[0].key: list[0].num}, m.AsRaw())
		}
	}
}

// TestFieldValuesAreRemembered has values that stay, that change and that are secret.
func TestFieldValuesAreRemembered(t *testing.T) {
	stats := &Stats{}
	var rec recorder
	b := New(testSettings(), nil, &rec, stats)
	const calls = 20
	for i := range calls {
		x := get()
		x.Request.Content.Headers = []dissect.Header{{Name: "Accept", Value: "a"}, {Name: "X-Id", Value: fmt.Sprint(i)}, {Name: "Authorization", Value: "s"}, {Name: "X-Empty"}}
		b.Exchange(x)
	}
	b.Flush()
	ids := make(map[any]bool)
	for _, rs := range rec.traces[0].ResourceSpans().All() {
		m := rs.ScopeSpans().At(0).Spans().At(0).Attributes().AsRaw()
		assert.Equal(t, []any{"a"}, m["http.request.header.accept"])
		assert.Equal(t, []any{"REDACTED"}, m["http.request.header.authorization"])
		assert.Equal(t, []any{""}, m["http.request.header.x-empty"])
		ids[m["http.request.header.x-id"].([]any)[0]] = true
	}
	assert.Len(t, ids, calls)
	assert.EqualValues(t, calls, stats.Redactions.Load())
}
