// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	// MaxCodings bounds the codings of one body.
	MaxCodings = 4
	// maxRatio bounds how much larger than its coded form a body may become. It
	// is DEFLATE's own maximum; br and zstd could do far more.
	maxRatio = 1032
	// minDecoded is what a body may become in any case.
	minDecoded = 64 << 10
	// maxWindow bounds the memory of a zstd decoder (RFC 9659, section 3).
	maxWindow = 8 << 20
)

var (
	errUnsupported = errors.New("content coding not supported")
	errTooLarge    = errors.New("decoded size over limit")
	errNoMemory    = errors.New("memory budget exhausted")
	errNotCoded    = errors.New("body does not have the coding that it says")
	errTrailing    = errors.New("bytes after the end of the coded body")
)

// decode removes codings from coded, the last applied first. whole says that coded is all
// of the body. With an error, out is what could be decoded until then. Its memory was
// granted by sink.
func decode(coded []byte, codings []string, whole bool, limit int, sink dissect.Sink) (out output, err error) {
	if len(codings) > MaxCodings {
		return out, errUnsupported
	}
	for _, coding := range codings {
		if !Decodable(coding) {
			return out, errUnsupported
		}
	}
	limit = min(limit, max(minDecoded, len(coded)*maxRatio))
	for i := len(codings) - 1; i >= 0; i-- {
		next := output{limit: limit, sink: sink, whole: whole}
		failed := next.remove(codings[i], coded)
		sink.Release(out.reserved)
		out, coded = next, next.data
		if err == nil {
			err = failed
		}
		if failed != nil && len(coded) == 0 {
			break
		}
	}
	return out, err
}

// Decodable reports whether a content coding can be removed (RFC 9110, section
// 8.4.1; RFC 7932; RFC 8878).
func Decodable(coding string) bool {
	switch coding {
	case "gzip", "x-gzip", "deflate", "br", "zstd":
		return true
	}
	return false
}

// output collects decoded bytes within a limit and the memory budget.
type output struct {
	data     []byte
	reserved int
	limit    int
	sink     dissect.Sink
	whole    bool // what is decoded is all of the body
}

// remove decodes all of coded. What a decoder makes of a body that does not have the
// coding is thrown away.
func (o *output) remove(coding string, coded []byte) error {
	marked, err := o.decode(coding, coded)
	if err == nil || o.believable(marked, coded, err) {
		return err
	}
	o.sink.Release(o.reserved)
	o.data, o.reserved = nil, 0
	cut := !o.whole && errors.Is(err, io.ErrUnexpectedEOF)
	if err == errTooLarge || err == errNoMemory || cut && !isText(coded) {
		return err // it may have the coding
	}
	return errNotCoded
}

// decode decodes all of coded. marked says that it begins as the coding does.
func (o *output) decode(coding string, coded []byte) (marked bool, err error) {
	switch coding {
	case "br":
		return false, o.readAll(coding, coded)
	case "deflate":
	default:
		return true, o.readAll(coding, coded)
	}
	// deflate is a zlib stream, but some senders leave zlib's header out (RFC 9110,
	// section 8.4.1.2).
	if hasZlibHeader(coded) {
		if err := o.readAll(coding, coded[2:]); err == nil || len(o.data) > 0 {
			return true, err
		}
	}
	return false, o.readAll(coding, coded)
}

// believable reports whether what was decoded before an error can be a part of the body.
// Codings without a mark at their beginning make something of nearly anything, so there
// only the end may be missing. Text is not coded at all.
func (o *output) believable(marked bool, coded []byte, err error) bool {
	switch {
	case len(o.data) == 0 || isText(coded):
		return false
	case marked || err == errTooLarge || err == errNoMemory:
		return true
	}
	return !o.whole && errors.Is(err, io.ErrUnexpectedEOF)
}

// isText reports whether the beginning of b is text.
func isText(b []byte) bool {
	for head := b[:min(len(b), 512)]; len(head) > 0; {
		c, n := utf8.DecodeRune(head)
		if c == utf8.RuneError && n == 1 && (len(head) >= utf8.UTFMax || utf8.FullRune(head)) || c < ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
		head = head[n:]
	}
	return len(b) > 0
}

// hasZlibHeader checks RFC 1950, section 2.2: method, window, check bits, no dictionary.
func hasZlibHeader(b []byte) bool {
	return len(b) > 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 &&
		(uint(b[0])<<8|uint(b[1]))%31 == 0 && b[1]&0x20 == 0
}

func (o *output) readAll(coding string, coded []byte) error {
	d := decoders[coding].Get().(*decoder)
	defer d.free(coding)
	d.source.Reset(coded)
	if err := d.reset(&d.source); err != nil {
		return err
	}
	for {
		if len(o.data) == cap(o.data) {
			if err := o.grow(len(coded)); err != nil {
				return o.overflow(coding, d, err)
			}
		}
		n, err := d.Read(o.data[len(o.data):cap(o.data)])
		o.data = o.data[:len(o.data)+n]
		if err == io.EOF {
			return o.end(coding, d)
		}
		if err != nil {
			return err
		}
	}
}

// end looks at what follows a DEFLATE stream that has come to its end: at most zlib's
// checksum.
func (*output) end(coding string, d *decoder) error {
	const checksum = 4
	if coding == "deflate" && d.source.Len() > checksum {
		return errTrailing
	}
	return nil
}

// overflow tells a body that just fits from one that does not.
func (o *output) overflow(coding string, d *decoder, err error) error {
	var more [1]byte
	for {
		switch n, end := d.Read(more[:]); {
		case n > 0:
			return err
		case end == io.EOF:
			return o.end(coding, d)
		case end != nil:
			return end
		}
	}
}

func (o *output) grow(coded int) error {
	have := cap(o.data)
	want := min(max(2*have, 4*coded, 512), o.limit)
	if want <= have {
		return errTooLarge
	}
	if !o.sink.Keep(want - have) {
		return errNoMemory
	}
	o.reserved += want - have
	grown := make([]byte, len(o.data), want)
	copy(grown, o.data)
	o.data = grown
	return nil
}

// decoder is a reusable decoder of one coding.
type decoder struct {
	io.Reader
	reset  func(io.Reader) error
	source bytes.Reader
}

func (d *decoder) free(coding string) {
	d.source.Reset(nil)
	decoders[coding].Put(d)
}

var decoders = map[string]*sync.Pool{
	"gzip":    {New: newGzip},
	"x-gzip":  {New: newGzip},
	"deflate": {New: newFlate},
	"br":      {New: newBrotli},
	"zstd":    {New: newZstd},
}

func newGzip() any {
	r := new(gzip.Reader)
	return &decoder{Reader: r, reset: r.Reset}
}

func newFlate() any {
	r := flate.NewReader(nil)
	return &decoder{Reader: r, reset: func(src io.Reader) error {
		return r.(flate.Resetter).Reset(src, nil)
	}}
}

func newBrotli() any {
	r := new(brotli.Reader)
	return &decoder{Reader: r, reset: r.Reset}
}

func newZstd() any {
	// One at a time: without concurrency a decoder has no goroutines.
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return &decoder{reset: func(io.Reader) error { return err }}
	}
	return &decoder{Reader: r, reset: r.Reset}
}
