// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// listener is a Reader that keeps what it hears, with the offset of each piece.
type listener struct {
	heard strings.Builder
	at    []uint64
	lost  int
	ended string
}

func (l *listener) Read(p []byte, m dissect.Marks, at int) {
	l.heard.Write(p)
	l.at = append(l.at, m.At(at).Offset)
}
func (l *listener) Lose(uint64, conn.Reason)   { l.lost++ }
func (l *listener) End(why conn.Reason) uint64 { l.ended = "end " + string(why); return 0 }

type flusher interface {
	io.WriteCloser
	Flush() error
}

// coders write each coding. "raw" is deflate without zlib's header.
var coders = map[string]func(io.Writer) flusher{
	"gzip":    func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) flusher { return zlib.NewWriter(w) },
	"raw":     func(w io.Writer) flusher { c, _ := flate.NewWriter(w, 6); return c },
	"br":      func(w io.Writer) flusher { return brotli.NewWriterLevel(w, 5) },
	"zstd":    func(w io.Writer) flusher { c, _ := zstd.NewWriter(w, zstd.WithWindowSize(1<<16)); return c },
}

func codingOf(name string) string {
	if name == "raw" {
		return "deflate"
	}
	return name
}

// coded gives texts as they are sent, one after the other, and the end of the stream.
func coded(t *testing.T, name string, texts ...string) (pieces [][]byte) {
	t.Helper()
	var out bytes.Buffer
	c := coders[name](&out)
	cut := func() {
		pieces = append(pieces, slices.Clone(out.Bytes()))
		out.Reset()
	}
	for _, text := range texts {
		_, err := io.WriteString(c, text)
		require.NoError(t, err)
		require.NoError(t, c.Flush())
		cut()
	}
	require.NoError(t, c.Close())
	cut()
	return pieces
}

// receiver is a body that is read while it comes.
type receiver struct {
	listener
	Body
	granting
	offset uint64
}

func newReceiver(name string, room int) *receiver {
	r := &receiver{granting: granting{limit: room}}
	r.Attach(&r.listener, []string{codingOf(name)}, &r.granting)
	return r
}

// take gets bytes in pieces of at most so many.
func (r *receiver) take(b []byte, each int) {
	for piece := range slices.Chunk(b, each) {
		borrowed := slices.Clone(piece)
		r.Body.Read(borrowed, dissect.MarksOf(conn.Mark{Offset: r.offset}), 0)
		clear(borrowed)
		r.offset += uint64(len(piece))
	}
}

const plenty = 64 << 20

func TestUnpack(t *testing.T) {
	long := strings.Repeat("all the same, ", 500) + fmt.Sprint(rand.New(rand.NewPCG(1, 2)).Perm(3000))
	for name := range coders {
		for _, each := range []int{1, 7, 1000, 1 << 20} {
			t.Run(fmt.Sprint(name, " ", each), func(t *testing.T) {
				texts := []string{"data: one\n\n", "data: two\n\n", long, "data: end\n\n"}
				r := newReceiver(name, plenty)
				assert.True(t, r.Streams())
				want := ""
				pieces := coded(t, name, texts...)
				for i, text := range texts {
					before := r.offset
					r.take(pieces[i], each)
					want += text
					require.Equal(t, fingerprint(want), fingerprint(r.heard.String()), "what was flushed is there")
					require.GreaterOrEqual(t, r.at[len(r.at)-1], before, "where the bytes are that say it")
				}
				r.take(pieces[len(texts)], each)
				r.EndStream(&dissect.Content{}, conn.Mark{}, "")
				assert.Equal(t, "end ", r.ended)
				assert.Zero(t, r.lost)
				assert.Len(t, r.heard.String(), len(want))
				assert.Zero(t, r.granted)
			})
		}
	}
}

// What was not flushed comes with the end.
func TestUnpackToTheEnd(t *testing.T) {
	for name := range coders {
		pieces := coded(t, name, "begin ")
		var out bytes.Buffer
		c := coders[name](&out)
		_, _ = io.WriteString(c, "begin and end")
		require.NoError(t, c.Close())
		r := newReceiver(name, plenty)
		r.take(out.Bytes(), 5)
		r.EndStream(&dissect.Content{}, conn.Mark{}, "")
		assert.Equal(t, "begin and end", r.heard.String(), name)

		cut := newReceiver(name, plenty)
		cut.take(pieces[0], 5)
		cut.EndStream(&dissect.Content{}, conn.Mark{}, "rst")
		assert.Equal(t, "begin ", cut.heard.String(), name)
		assert.Equal(t, "end rst", cut.ended)
		assert.Zero(t, cut.granted)
	}
}

func TestUnpackAfterLoss(t *testing.T) {
	for name := range coders {
		pieces := coded(t, name, "one", "two", "three")
		r := newReceiver(name, plenty)
		r.take(pieces[0], 100)
		r.Body.Lose(3)
		r.take(pieces[2], 100)
		r.EndStream(&dissect.Content{}, conn.Mark{}, "")
		assert.Equal(t, "one", r.heard.String(), name)
		assert.Equal(t, 1, r.lost)
		assert.Zero(t, r.granted)
	}
}

func TestUnpackDamage(t *testing.T) {
	for name := range coders {
		r := newReceiver(name, plenty)
		r.take(bytes.Repeat([]byte{0xfe, 0xed}, 500), 100)
		r.EndStream(&dissect.Content{}, conn.Mark{}, "")
		assert.Equal(t, 1, r.lost, name)
		assert.Equal(t, "end ", r.ended)
		assert.Zero(t, r.granted)
	}
}

// A body that becomes too large is not read to its end.
func TestUnpackBomb(t *testing.T) {
	for _, name := range []string{"br", "zstd"} {
		pieces := coded(t, name, strings.Repeat("x", 16<<20))
		r := newReceiver(name, plenty)
		r.take(pieces[0], 1<<20)
		assert.LessOrEqual(t, r.heard.Len(), max(minDecoded, len(pieces[0])*maxRatio), name)
		assert.Equal(t, 1, r.lost)
		r.EndStream(&dissect.Content{}, conn.Mark{}, "")
		assert.Zero(t, r.granted)
	}
}

// Without memory a body is read when it has ended.
func TestUnpackWithoutMemory(t *testing.T) {
	for name := range coders {
		for _, room := range []int{0, unpackerSize + 1000} {
			pieces := coded(t, name, "one")
			r := newReceiver(name, room)
			r.take(pieces[0], 100)
			assert.Empty(t, r.heard.String())
			assert.False(t, r.Streams())
			r.EndStream(&dissect.Content{Body: []byte("one")}, conn.Mark{}, "")
			assert.Equal(t, "one", r.heard.String(), name)
			assert.Zero(t, r.granted)
		}
	}
}

// TestUnpackLeavesNothing counts goroutines: a coroutine is one. A body that nobody ends
// must not keep its own.
func TestUnpackLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for name := range coders {
		pieces := coded(t, name, "one", "two")
		for range 10 {
			r := newReceiver(name, plenty)
			r.take(pieces[0], 3)
		}
	}
	assert.Eventually(t, func() bool {
		runtime.GC()
		return runtime.NumGoroutine() <= before+2
	}, 20*time.Second, 10*time.Millisecond)
}

func TestWindows(t *testing.T) {
	for size, want := range map[int]int{10: 1 << 10, 15: 1 << 15, 16: 1 << 16, 17: 1 << 17, 18: 1 << 18, 22: 1 << 22, 24: 1 << 24} {
		var out bytes.Buffer
		c := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: 5, LGWin: size})
		_, _ = c.Write(make([]byte, 100_000))
		require.NoError(t, c.Close())
		assert.Equal(t, want, brotliWindow(out.Bytes()[0]), size)
	}
	for _, size := range []int{1 << 10, 1 << 16, 1 << 20} {
		var out bytes.Buffer
		c, err := zstd.NewWriter(&out, zstd.WithWindowSize(size))
		require.NoError(t, err)
		_, _ = c.Write(make([]byte, 4<<20))
		require.NoError(t, c.Close())
		assert.Equal(t, size, zstdWindow(out.Bytes()))
	}
	assert.Equal(t, maxWindow, zstdWindow(nil))
}

// fingerprint is short where a text is not.
func fingerprint(s string) string {
	return fmt.Sprintf("%d bytes, %x", len(s), sha256.Sum256([]byte(s)))
}
