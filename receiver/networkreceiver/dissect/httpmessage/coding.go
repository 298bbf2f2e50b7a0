// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"bytes"
	"errors"
	"io"
	"sync"

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
)

// decode removes codings from coded, the last applied first. With an error, out is
// what could be decoded until then. Its memory was granted by sink.
func decode(coded []byte, codings []string, limit int, sink dissect.Sink) (out output, err error) {
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
		next := output{limit: limit, sink: sink}
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
}

// remove decodes all of coded.
func (o *output) remove(coding string, coded []byte) error {
	if coding != "deflate" {
		return o.readAll(coding, coded)
	}
	// deflate is a zlib stream, but some senders leave zlib's header out (RFC 9110,
	// section 8.4.1.2).
	if hasZlibHeader(coded) {
		if err := o.readAll(coding, coded[2:]); err == nil || len(o.data) > 0 {
			return err
		}
	}
	return o.readAll(coding, coded)
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
				return o.overflow(d, err)
			}
		}
		n, err := d.Read(o.data[len(o.data):cap(o.data)])
		o.data = o.data[:len(o.data)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// overflow tells a body that just fits from one that does not.
func (*output) overflow(d *decoder, err error) error {
	var more [1]byte
	for {
		switch n, end := d.Read(more[:]); {
		case n > 0:
			return err
		case end == io.EOF:
			return nil
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
