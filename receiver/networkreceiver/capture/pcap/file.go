// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	readSize      = 256 << 10
	maxZstdWindow = 128 << 20 // what zstd --ultra and --long=27 need
	// maxInterfaces bounds the interfaces, and the names, that a pcapng section makes
	// the reader remember.
	maxInterfaces = 1 << 16
)

// The first bytes of a file.
var (
	magicGzip   = []byte{0x1f, 0x8b}
	magicZstd   = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicPcapng = []byte{0x0a, 0x0d, 0x0d, 0x0a}
)

// FileError says where reading of a capture file ended before the file did.
type FileError struct {
	File string
	// Offset is the end of the last packet that could be read, in bytes from
	// the beginning of the capture (of the decompressed one, if it is
	// compressed).
	Offset int64
	Err    error
}

func (e *FileError) Error() string {
	return fmt.Sprintf("read %s: at byte %d: %v", e.File, e.Offset, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }

// frame is one captured frame. Its data is borrowed until the next one is read.
type frame struct {
	link    layers.LinkType
	time    int64 // nanoseconds since the Unix epoch; 0 where the file has none
	data    []byte
	wireLen int
}

// file reads the frames of one capture file.
type file struct {
	name     string
	secrets  func(keyLog []byte)
	closers  []func()
	content  *bufio.Reader // decompressed; its bytes are counted by consumed
	consumed *counter
	offset   int64 // of the next record
	packets  packetReader
	ng       *pcapgo.NgReader // nil for pcap
	link     layers.LinkType  // pcap only
}

type packetReader interface {
	ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// openFile opens a capture file of any of the formats. done is set to the bytes
// that were read of it as it is on disk.
func openFile(name string, done *atomic.Int64) (*file, error) {
	return openTapped(name, done, nil)
}

// openTapped is openFile with someone who wants the file's secrets.
func openTapped(name string, done *atomic.Int64, secrets func(keyLog []byte)) (*file, error) {
	raw, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read capture file: %w", err)
	}
	f := &file{name: name, secrets: secrets, closers: []func(){func() { _ = raw.Close() }}}
	if err := f.open(io.TeeReader(raw, (*progress)(done))); err != nil {
		f.close()
		return nil, f.error(err)
	}
	return f, nil
}

func (f *file) close() {
	for _, c := range f.closers {
		c()
	}
}

// open finds the compression and the format by their first bytes.
func (f *file) open(r io.Reader) error {
	content, err := f.decompress(bufio.NewReaderSize(r, readSize))
	if err != nil {
		return err
	}
	if f.secrets != nil {
		content = io.TeeReader(content, &secretsTap{give: f.secrets})
	}
	f.consumed = &counter{r: content}
	f.content = bufio.NewReaderSize(f.consumed, readSize)
	magic, err := f.content.Peek(len(magicPcapng))
	if err != nil {
		return fmt.Errorf("read magic number: %w", unexpected(err))
	}
	// pcapgo reads from a bufio.Reader as it is, so that the position stays known.
	if bytes.Equal(magic, magicPcapng) {
		f.ng, err = pcapgo.NewNgReader(f.content, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		f.packets = f.ng
	} else {
		err = f.openPcap(magic)
	}
	if err != nil {
		return fmt.Errorf("read header: %w", unexpected(err))
	}
	f.offset = f.position()
	return nil
}

func (f *file) openPcap(magic []byte) error {
	switch binary.LittleEndian.Uint32(magic) {
	case 0xa1b2c3d4, 0xa1b23c4d, 0xd4c3b2a1, 0x4d3cb2a1:
	default:
		return fmt.Errorf("neither pcap nor pcapng: magic number %x", magic)
	}
	r, err := pcapgo.NewReader(f.content)
	if err != nil {
		return err
	}
	f.packets, f.link = r, r.LinkType()
	return nil
}

func (f *file) decompress(r *bufio.Reader) (io.Reader, error) {
	magic, _ := r.Peek(len(magicZstd))
	switch {
	case bytes.HasPrefix(magic, magicGzip):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("open gzip: %w", unexpected(err))
		}
		return z, nil
	case bytes.Equal(magic, magicZstd):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, fmt.Errorf("open zstd: %w", err)
		}
		f.closers = append(f.closers, z.Close)
		return z, nil
	}
	return r, nil
}

// next reads one frame into fr. At the end of the file it gives io.EOF.
func (f *file) next(fr *frame) error {
	data, info, err := f.packets.ZeroCopyReadPacketData()
	if err == io.EOF && f.atRecord() {
		return io.EOF
	}
	if err == nil && f.ng != nil && (f.ng.NInterfaces() > maxInterfaces || f.ng.NNames() > maxInterfaces) {
		err = errors.New("too many interfaces or names")
	}
	if err != nil {
		return f.error(err)
	}
	f.offset = f.position()
	fr.link = f.link
	if f.ng != nil {
		fr.link = info.AncillaryData[0].(layers.LinkType)
	}
	fr.time = unixNano(info.Timestamp)
	fr.data, fr.wireLen = data, max(info.Length, len(data))
	return nil
}

// atRecord tells whether the file may end here. The reader of pcapng knows that
// itself; the one of pcap says io.EOF also between a header and its data.
func (f *file) atRecord() bool { return f.ng != nil || f.position() == f.offset }

// unixNano is t, or 0 if t is none or can't be told in nanoseconds.
func unixNano(t time.Time) int64 {
	if s := t.Unix(); s < 0 || s > 1<<33 {
		return 0
	}
	return t.UnixNano()
}

// position is the offset of what was consumed last.
func (f *file) position() int64 { return f.consumed.n - int64(f.content.Buffered()) }

func (f *file) error(err error) error {
	return &FileError{File: f.name, Offset: f.offset, Err: unexpected(err)}
}

// unexpected makes the end of a file what it is in the middle of a record.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// counter counts what is read from r.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// progress counts what is written to it.
type progress atomic.Int64

func (p *progress) Write(b []byte) (int, error) {
	(*atomic.Int64)(p).Add(int64(len(b)))
	return len(b), nil
}
