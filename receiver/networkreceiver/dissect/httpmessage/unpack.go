// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"errors"
	"io"
	"iter"
	"runtime"

	"github.com/klauspost/compress/zstd"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	// unpackerSize is about what it takes to decode while a body comes, besides the
	// window: a coroutine, buffers, tables.
	unpackerSize = 96 << 10
	// flateWindow is DEFLATE's (RFC 1951).
	flateWindow = 32 << 10
	// unpackStep is how much is decoded at a time.
	unpackStep = 4 << 10
)

// unpacker removes a content coding while the body comes. The decoder runs in a coroutine,
// because it takes its input when it wants it, and here the input comes when it wants.
type unpacker struct {
	input    *input
	next     func() ([]byte, bool)
	stop     func()
	sink     dissect.Sink
	reserved int
	coded    uint64 // bytes
	plain    uint64
	over     bool // nothing more is decoded
}

// input is what the decoder reads from. It knows nothing of the conversation, so that its
// coroutine does not keep that alive.
type input struct {
	coding string
	bytes  []byte // that it may read now
	ended  bool
	want   int               // memory that is asked for
	full   bool              // there was none
	done   bool              // all is decoded
	yield  func([]byte) bool // waits for more
}

// newUnpacker gives nil for what is not decoded while it comes: more than one coding, or
// one that is not known.
func newUnpacker(codings []string, sink dissect.Sink) *unpacker {
	if len(codings) != 1 || !Decodable(codings[0]) || !sink.Keep(unpackerSize) {
		return nil
	}
	u := &unpacker{input: &input{coding: codings[0]}, sink: sink, reserved: unpackerSize}
	u.next, u.stop = iter.Pull(u.input.decode)
	// Where a conversation is given up without an end, the coroutine must not stay.
	runtime.AddCleanup(u, func(stop func()) { stop() }, u.stop)
	return u
}

// feed decodes bytes as far as they go and hands over what they say. It reports false when
// what follows cannot be decoded.
func (u *unpacker) feed(p []byte, take func([]byte)) bool {
	u.coded += uint64(len(p))
	u.input.bytes = p
	defer func() { u.input.bytes = nil }() // it is borrowed
	for !u.over {
		out, running := u.next()
		switch {
		case !running:
			u.over = true
			return u.input.done
		case u.input.want > 0:
			u.grant()
			continue
		case out == nil: // all is read
			return true
		}
		if u.plain += uint64(len(out)); u.plain > max(minDecoded, u.coded*maxRatio) {
			u.sink.Limit("decoded_bytes")
			u.over = true
			return false
		}
		take(out)
	}
	return false
}

// grant asks for the memory that the decoder wants.
func (u *unpacker) grant() {
	n := u.input.want
	u.input.want = 0
	if u.input.full = !u.sink.Keep(n); !u.input.full {
		u.reserved += n
	}
}

// end decodes what is left.
func (u *unpacker) end(take func([]byte)) {
	if !u.over {
		u.input.ended = true
		u.feed(nil, take)
	}
	u.close()
}

func (u *unpacker) close() {
	u.over = true
	u.stop()
	u.sink.Release(u.reserved)
	u.reserved = 0
}

// decode is the coroutine: it yields what it decodes, and nil when it needs more input.
func (in *input) decode(yield func([]byte) bool) {
	in.yield = yield
	d := decoders[in.coding].Get().(*decoder)
	defer d.free(in.coding)
	if !in.begin() || d.reset(in) != nil {
		return
	}
	if blocks, ok := d.Reader.(*zstd.Decoder); ok { // its Read waits until it can fill what it is given
		_, err := blocks.WriteTo(yielder(yield))
		in.done = err == nil
		return
	}
	var out [unpackStep]byte
	for {
		n, err := d.Read(out[:])
		in.done = err == io.EOF
		if n > 0 && !yield(out[:n]) || err != nil {
			return
		}
	}
}

// yielder is an io.Writer that yields.
type yielder func([]byte) bool

func (y yielder) Write(p []byte) (int, error) {
	if len(p) > 0 && !y(p) {
		return 0, errStopped
	}
	return len(p), nil
}

// begin asks for the memory of the window, which some codings say at their beginning, and
// skips what the decoder does not know.
func (in *input) begin() bool {
	var head [zstd.HeaderMaxSize]byte
	n, window := 0, flateWindow
	switch in.coding {
	case "br":
		n, window = in.peek(head[:1]), 0
		if n > 0 {
			window = brotliWindow(head[0])
		}
	case "zstd":
		n = in.peek(head[:zstdPeek])
		window = zstdWindow(head[:n])
	case "deflate":
		if n = in.peek(head[:2]); hasZlibHeader(append(head[:n:n], 0)) {
			n = 0
		}
	}
	if n > 0 {
		in.bytes = append(head[:n:n], in.bytes...)
	}
	in.want = max(1, window)
	return in.yield(nil) && !in.full
}

// peek reads so many bytes, or all there are.
func (in *input) peek(b []byte) (n int) {
	for n < len(b) {
		k, err := in.Read(b[n:])
		if n += k; err != nil {
			break
		}
	}
	return n
}

var errStopped = errors.New("decoding was stopped")

// Read implements io.Reader.
func (in *input) Read(p []byte) (n int, err error) {
	for len(in.bytes) == 0 {
		if in.ended {
			return 0, io.EOF
		}
		if !in.yield(nil) {
			return 0, errStopped
		}
	}
	n = copy(p, in.bytes)
	in.bytes = in.bytes[n:]
	return n, nil
}

// ReadByte implements io.ByteReader, so that decoders read no further than they need.
func (in *input) ReadByte() (byte, error) {
	var b [1]byte
	_, err := in.Read(b[:])
	return b[0], err
}

const (
	// maxBrotliWindow is the largest one (RFC 7932, section 9.1).
	maxBrotliWindow = 16 << 20
	// zstdPeek is as much of a frame's header as says the window (RFC 8878, section
	// 3.1.1.1): magic number, descriptor, window descriptor.
	zstdPeek = 6
)

// brotliWindow reads the window's size off the first byte of a stream (RFC 7932, section
// 9.1).
func brotliWindow(b byte) int {
	switch {
	case b&1 == 0:
		return 1 << 16
	case b>>1&7 != 0:
		return 1 << (17 + b>>1&7)
	case b>>4&7 == 0:
		return 1 << 17
	case b>>4&7 == 1: // large windows, which no content coding has
		return maxBrotliWindow
	}
	return 1 << (8 + b>>4&7)
}

// zstdWindow reads the window's size off the header of a frame. One that tells its content's
// size instead is taken for the largest that is decoded.
func zstdWindow(b []byte) int {
	if len(b) < zstdPeek || b[4]&0x20 != 0 {
		return maxWindow
	}
	log, mantissa := 10+int(b[5]>>3), int(b[5]&7)
	return min(1<<log+(1<<log)/8*mantissa, maxWindow)
}
