// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// encode applies one coding. "raw" is deflate without zlib's header.
func encode(t testing.TB, coding string, data []byte) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip", "x-gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "raw":
		w, err = flate.NewWriter(&b, flate.BestCompression)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	}
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// coded plays a response with a coded body and gives its message.
func coded(t *testing.T, limit, budget int, header string, body []byte) (*dissect.Message, *recorder) {
	t.Helper()
	limits := Dissector{}.Info().Limits
	limits.BodyBytes = limit
	p := newPlayer(limits)
	p.sink.budget = budget
	p.play(get("/"), server(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n", header, len(body))+string(body)))
	require.Len(t, p.sink.messages, 2)
	p.check(t)
	return p.sink.messages[1], p.sink
}

func text(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "{\"id\": %d}\n", r.IntN(1e6))
	}
	return b.Bytes()[:n]
}

func TestCodings(t *testing.T) {
	plain := text(400_000) // several blocks of zstd, which come whole or not at all
	for _, test := range []struct{ header, applied string }{
		{"gzip", "gzip"},
		{"GZIP", "gzip"},
		{"x-gzip", "gzip"},
		{"deflate", "deflate"},
		{"deflate", "raw"},
		{"br", "br"},
		{"zstd", "zstd"},
		{"gzip, br", "gzip br"},
		{"identity, zstd,deflate ", "zstd raw"},
	} {
		t.Run(test.header+" of "+test.applied, func(t *testing.T) {
			body := plain
			for coding := range strings.FieldsSeq(test.applied) {
				body = encode(t, coding, body)
			}
			m, _ := coded(t, 1<<20, 0, test.header, body)
			assert.Equal(t, string(plain), string(m.Content.Body))
			assert.Equal(t, uint64(len(body)), m.Content.BodySize)
			assert.Equal(t, uint64(len(body)), m.Content.KeptSize)
			assert.Empty(t, m.Content.Truncated)
			assert.False(t, m.Content.DecodeError)
			assert.NotEmpty(t, m.Content.Coding)
			assert.Empty(t, m.Flags)

			// What was kept of a cut body is decoded as far as it goes.
			m, _ = coded(t, len(body)/2, 0, test.header, body)
			assert.NotEmpty(t, m.Content.Truncated)
			assert.Equal(t, uint64(len(body)), m.Content.BodySize)
			assert.Equal(t, uint64(len(body)/2), m.Content.KeptSize)
			assert.False(t, m.Content.DecodeError)
			assert.Greater(t, len(m.Content.Body), 100)
			assert.True(t, bytes.HasPrefix(plain, m.Content.Body))
			assert.Empty(t, m.Flags)
		})
	}
}

func TestCodingsThatFail(t *testing.T) {
	plain := text(10_000)
	zipped := encode(t, "gzip", plain)
	damaged := bytes.Clone(zipped)
	damaged[len(damaged)-1] ^= 1 // in the checksum
	wrong := []string{"http.content_coding_error"}
	binary := append([]byte{0x7b, 0, 1, 2, 0xff, 0xfe}, bytes.Repeat([]byte{0x5a, 0x81, 0}, 400)...)
	utf8 := []byte(strings.Repeat("žluťoučký kůň ", 300))
	trailing := append(encode(t, "raw", plain), "more than a checksum"...)
	for _, test := range []struct {
		name, header string
		body         []byte
		want         []byte
		truncated    string
		failed       bool
		flags        []string
	}{
		{name: "unknown coding", header: "aws-chunked", body: plain, want: plain, failed: true},
		{name: "unknown below a known one", header: "compress, gzip", body: zipped, want: zipped, failed: true},
		{name: "too many", header: "gzip,gzip,gzip,gzip,gzip", body: zipped, want: zipped, failed: true},
		{name: "not coded at all", header: "gzip", body: plain, want: plain, failed: true, flags: []string{"http.content_coding_error"}},
		{name: "zstd that is none", header: "zstd", body: plain, want: plain, failed: true, flags: []string{"http.content_coding_error"}},
		{name: "plain as deflate", header: "deflate", body: plain, want: plain, failed: true, flags: wrong},
		{name: "short and plain as deflate", header: "deflate", body: []byte(`{"a":1}`), want: []byte(`{"a":1}`), failed: true, flags: wrong},
		{name: "plain as two codings", header: "gzip, deflate", body: plain, want: plain, failed: true, flags: wrong},
		{name: "plain as br", header: "br", body: plain, want: plain, failed: true, flags: wrong},
		{name: "one character as br", header: "br", body: []byte("a"), want: []byte("a"), failed: true, flags: wrong},
		{name: "UTF-8 as deflate", header: "deflate", body: utf8, want: utf8, failed: true, flags: wrong},
		{name: "binary as deflate", header: "deflate", body: binary, want: binary, failed: true, flags: wrong},
		{name: "binary as br", header: "br", body: binary, want: binary, failed: true, flags: wrong},
		{name: "applied once, said twice", header: "gzip, gzip", body: zipped, want: zipped, failed: true, flags: wrong},
		{name: "gzip as deflate", header: "deflate", body: zipped, want: zipped, failed: true, flags: wrong},
		{name: "deflate as gzip", header: "gzip", body: encode(t, "deflate", plain), want: encode(t, "deflate", plain), failed: true, flags: wrong},
		{name: "bytes after raw deflate", header: "deflate", body: trailing, want: trailing, failed: true, flags: wrong},
		{name: "damaged at the end", header: "gzip", body: damaged, want: plain, truncated: "incomplete", flags: []string{"http.content_coding_error"}},
		{name: "empty", header: "gzip", body: encode(t, "gzip", nil), want: []byte{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, _ := coded(t, 1<<20, 0, test.header, test.body)
			assert.Equal(t, string(test.want), string(m.Content.Body))
			assert.Equal(t, test.truncated, m.Content.Truncated)
			assert.Equal(t, test.failed, m.Content.DecodeError)
			assert.Equal(t, test.flags, m.Flags)
		})
	}
}

// A plain body that says that it is coded and is cut stays as it is, too.
func TestPlainBodiesThatAreCut(t *testing.T) {
	plain := text(10_000)
	for _, header := range []string{"gzip", "deflate", "br", "zstd", "gzip, deflate"} {
		for _, limit := range []int{1, 10, 100, 5000} {
			m, _ := coded(t, limit, 0, header, plain)
			assert.Equal(t, string(plain[:limit]), string(m.Content.Body), "%s, %d", header, limit)
			assert.True(t, m.Content.DecodeError)
			assert.Equal(t, "limit", m.Content.Truncated)
			assert.Equal(t, []string{"http.content_coding_error"}, m.Flags)
		}
	}
}

// TestBombs decodes bodies that become far larger, each coding and nested.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 4<<20)
	for _, codings := range []string{"gzip", "deflate", "br", "zstd", "gzip gzip", "br br", "zstd gzip"} {
		t.Run(codings, func(t *testing.T) {
			body := zeros
			for coding := range strings.FieldsSeq(codings) {
				body = encode(t, coding, body)
			}
			const limit = 256 << 10
			m, sink := coded(t, limit, 0, strings.ReplaceAll(codings, " ", ", "), body)
			c := &m.Content
			assert.LessOrEqual(t, len(c.Body), limit)
			assert.LessOrEqual(t, len(c.Body), max(64<<10, len(body)*1032))
			assert.GreaterOrEqual(t, len(c.Body), min(limit, 64<<10))
			assert.Equal(t, "decode_limit", c.Truncated)
			assert.Contains(t, sink.limits, "decoded_bytes")
			assert.LessOrEqual(t, cap(c.Body), limit)
		})
	}
}

// TestDecodedSizeIsTheLimit tells a body that just fits from one that does not.
func TestDecodedSizeIsTheLimit(t *testing.T) {
	plain := text(100_000)
	m, _ := coded(t, len(plain), 0, "br", encode(t, "br", plain))
	assert.Empty(t, m.Content.Truncated)
	assert.Len(t, m.Content.Body, len(plain))
	m, _ = coded(t, len(plain)-1, 0, "br", encode(t, "br", plain))
	assert.Equal(t, "decode_limit", m.Content.Truncated)
	assert.Len(t, m.Content.Body, len(plain)-1)
}

func TestMemory(t *testing.T) {
	plain := text(100_000)
	zipped := encode(t, "gzip", plain)
	for budget := 1; budget < 300_000; budget += 9_973 {
		m, _ := coded(t, 1<<20, budget, "gzip", zipped)
		if m.Content.Truncated == "" {
			assert.Equal(t, plain, m.Content.Body)
			continue
		}
		require.Equal(t, "memory", m.Content.Truncated, "budget %d", budget)
		require.LessOrEqual(t, m.Reserved, budget)
		require.Equal(t, uint64(len(zipped)), m.Content.BodySize)
		info := m.Protocol.(*ResponseInfo)
		require.Equal(t, 200, info.Status)
	}
}
