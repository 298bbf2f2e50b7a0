// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// windowSize is how far back a compressed message can refer (RFC 7692, section
// 7.1.2).
const windowSize = 32 << 10

// deflate is the compression of one direction.
type deflate struct {
	// alone is set where each message is compressed by itself.
	alone  bool
	window []byte // the end of what the messages before contained
	held   int    // granted by Sink.Keep for window
}

// decoder is what decompresses a message. It holds nothing of it afterwards.
type decoder struct {
	in    bytes.Reader
	end   strings.Reader
	out   io.ReadCloser
	chunk [4 << 10]byte
}

var decoders = sync.Pool{New: func() any { return &decoder{out: flate.NewReader(nil)} }}

// start begins a message that may refer to window.
func (d *decoder) start(message, window []byte) error {
	d.in.Reset(message)
	d.end.Reset(tail)
	return d.out.(flate.Resetter).Reset(io.MultiReader(&d.in, &d.end), window)
}

// free gives a decoder back.
func (d *decoder) free() {
	d.in.Reset(nil)
	decoders.Put(d)
}

// tail ends a compressed message (RFC 7692, section 7.2.2), and the last block after
// it ends the stream.
const tail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// extensions takes the response's Sec-WebSocket-Extensions.
func (r *Reader) extensions(value string) {
	name := "server_no_context_takeover"
	if r.direction == dissect.ToServer {
		name = "client_no_context_takeover"
	}
	r.deflate.alone = strings.Contains(value, name)
}

// inflate replaces what is kept of a compressed message. A message of which nothing
// can be decoded stays as it is. What a message refers to and is not known any more
// (after a loss, or joined midway) makes it undecodable; wrong bytes it can't become,
// because the window is empty then.
func (r *Reader) inflate(m *message, c *dissect.Content) {
	c.Coding = "permessage-deflate"
	d := decoders.Get().(*decoder)
	defer d.free()
	var out message
	err := d.start(m.kept, r.deflate.window)
	for err == nil && out.cut == "" {
		var n int
		n, err = d.out.Read(d.chunk[:])
		out.take(d.chunk[:n], r.limit, r.sink)
	}
	whole := err == io.EOF && m.cut == ""
	switch {
	case whole:
	case len(out.kept) == 0 && m.cut == "" && out.cut == "":
		c.DecodeError = true
	case out.cut == "limit":
		m.cut = "decode_limit"
		r.sink.Limit("decoded_bytes")
	case out.cut != "":
		m.cut = out.cut
	case m.cut == "":
		m.cut = "incomplete"
	}
	r.slide(out.kept, whole)
	if c.DecodeError || len(out.kept) == 0 && !whole {
		r.sink.Release(out.reserved)
		c.DecodeError = true
		return
	}
	r.sink.Release(m.reserved)
	m.kept, m.reserved = out.kept, out.reserved
}

// slide moves the window over a message. A message that is not known to its end
// leaves nothing that the next one could refer to.
func (r *Reader) slide(b []byte, whole bool) {
	d := &r.deflate
	if d.alone || !whole {
		d.window = d.window[:0]
		return
	}
	if d.held == 0 {
		if !r.sink.Keep(windowSize) {
			r.sink.Limit("window_memory")
			return
		}
		d.held = windowSize
		d.window = make([]byte, 0, windowSize)
	}
	if len(b) >= windowSize {
		d.window = append(d.window[:0], b[len(b)-windowSize:]...)
		return
	}
	if over := len(d.window) + len(b) - windowSize; over > 0 {
		d.window = d.window[:copy(d.window, d.window[over:])]
	}
	d.window = append(d.window, b...)
}

// forget is for a direction that has lost a message.
func (d *deflate) forget() { d.window = d.window[:0] }

// close gives back what the window held.
func (d *deflate) close(sink dissect.Sink) {
	sink.Release(d.held)
	*d = deflate{alone: d.alone}
}
