// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// FuzzBody takes any body in pieces, with a hole, and removes any codings. It keeps
// no more than the limit, and all memory but that of the body is given back.
func FuzzBody(f *testing.F) {
	for i, b := range seed.Bodies(f) {
		f.Add(b.Bytes, uint8(i), uint8(1+i%7), uint16(0))
		f.Add(b.Bytes, uint8(1), uint8(0), uint16(0)) // many are gzip
	}
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"), uint8(1), uint8(3), uint16(9))
	names := []string{"", "gzip", "deflate", "br", "zstd", "x-gzip", "aes128gcm"}
	f.Fuzz(func(t *testing.T, coded []byte, which, pieces uint8, hole uint16) {
		const limit = 2 << 10
		sink := &granting{limit: 16 << 10}
		var b Body
		size := len(coded)
		for n := max(1, len(coded)/(1+int(pieces))); len(coded) > 0; {
			n = min(n, len(coded))
			b.Take(coded[:n], uint64(len(coded)), pieces%2 == 0, limit, sink)
			coded = coded[n:]
			if hole%5 == 1 {
				b.Lose(uint64(hole))
				size += int(hole)
				hole = 0
			}
		}
		require.Equal(t, uint64(size), b.Size)
		var codings []string
		for rest := int(which); rest > 0; rest /= len(names) {
			codings = AppendCodings(codings, names[rest%len(names)])
		}
		var content dissect.Content
		b.Finish(&content, codings, limit, sink)
		require.LessOrEqual(t, len(content.Body), limit)
		require.LessOrEqual(t, content.KeptSize, content.BodySize)
		require.GreaterOrEqual(t, b.Reserved, len(content.Body), "what is kept was granted")
		require.Equal(t, b.Reserved, sink.granted, "only the body's memory is held")
		require.LessOrEqual(t, sink.granted, sink.limit)
	})
}

// FuzzTarget reads any request target, field and list.
func FuzzTarget(f *testing.F) {
	f.Add("GET", "http://a:80/b?c#d")
	f.Add("OPTIONS", "*")
	f.Add("CONNECT", "[::1]:443")
	for _, field := range seed.Fields(f) {
		f.Add(field.Name, field.Value)
	}
	f.Fuzz(func(t *testing.T, method, s string) {
		ParseTarget(method, s)
		media, charset := ParseMediaType(s)
		require.LessOrEqual(t, len(media)+len(charset), 3*len(s)) // lower case can take more bytes
		elements := 0
		for rest, ok := s, true; ok; elements++ {
			_, rest, ok = NextElement(rest)
			require.LessOrEqual(t, elements, len(s))
		}
	})
}

// granting is a Sink that counts memory.
type granting struct{ granted, limit int }

func (*granting) Message(*dissect.Message) {}
func (*granting) Started(*dissect.Message) {}
func (*granting) Upgrade(string)           {}
func (*granting) Limit(string)             {}

func (g *granting) Keep(n int) bool {
	if n < 0 || g.granted+n > g.limit {
		return false
	}
	g.granted += n
	return true
}

func (g *granting) Release(n int) { g.granted -= n }
