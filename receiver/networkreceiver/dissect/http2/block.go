// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"errors"
	"unsafe"

	"golang.org/x/net/http2/hpack"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	// maxFields bounds the fields of one header or trailer section.
	maxFields = 2000
	// maxContinuations bounds the frames of one block. With frames of the usual
	// size it is 1 MiB.
	maxContinuations = 64

	fieldSize = int(unsafe.Sizeof(dissect.Header{}))
)

// block is a header block on its way: a HEADERS or PUSH_PROMISE frame and the
// CONTINUATION frames after it (RFC 9113, section 4.3). Fields are decoded as they
// come, so no more than a cut field is buffered.
type block struct {
	table table
	sink  dissect.Sink
	limit int // of the block, of its field list, and of one string

	open     bool
	frame    frame  // the first one
	promised uint32 // by a PUSH_PROMISE
	first    conn.Mark
	last     conn.Mark
	size     uint64 // bytes of its frames
	bytes    int    // of the block
	frames   int

	fields  []dissect.Header
	list    int // size of the field list (RFC 9113, section 6.5.2)
	unknown int // fields
	flags   flagSet
	lost    bool // what follows cannot be read
	held    int  // granted by Sink.Keep between frames
}

// begin starts a block, and leaves nothing of the one before.
func (b *block) begin(f frame, promised uint32, first conn.Mark) {
	b.clear()
	*b = block{
		table: b.table, sink: b.sink, limit: b.limit, fields: b.fields[:0],
		open: true, frame: f, promised: promised, first: first, last: first,
	}
	if b.table.decoder != nil {
		b.table.decoder.SetEmitEnabled(true)
	}
}

// see adds a frame of the block that ends at m.
func (b *block) see(size int, m conn.Mark) {
	b.size += uint64(size)
	m.Time = max(m.Time, b.last.Time)
	b.last = m
}

// add decodes the next fragment.
func (b *block) add(fragment []byte, end bool) {
	b.bytes += len(fragment)
	b.frames++
	switch {
	case b.lost:
	case b.frames > maxContinuations:
		b.sink.Limit("continuations")
		b.giveUp(flagBlockCut)
	case b.bytes > b.limit:
		b.sink.Limit("header_bytes")
		b.giveUp(flagBlockCut)
	case !b.ready():
		b.giveUp(flagBlockCut)
	default:
		b.decode(fragment, end)
	}
}

// ready makes the decoder if there is none. It reports whether there is memory.
func (b *block) ready() bool {
	return b.table.decoder != nil || b.table.open(b.emit, b.limit, b.sink)
}

func (b *block) decode(fragment []byte, end bool) {
	first := b.frames == 1
	if first {
		fragment = fragment[b.table.resize(fragment, b.sink):]
	}
	err := b.write(fragment, end)
	for first && beyondTable(err) && b.table.outgrown() && b.ready() {
		// Once more, with a larger table of which nothing is known.
		b.fields, b.list, b.unknown = b.fields[:0], 0, 0
		err = b.write(fragment, end)
	}
	switch {
	case beyondTable(err):
		b.giveUp(flagUnknownFields)
	case err != nil:
		b.giveUp(flagDamagedBlock)
	case !end:
		b.hold()
	}
}

func (b *block) write(fragment []byte, end bool) error {
	_, err := b.table.decoder.Write(fragment)
	if err == nil && end {
		err = b.table.decoder.Close()
	}
	return err
}

// beyondTable tells of an index that is neither in the static nor in the dynamic
// table.
func beyondTable(err error) bool {
	var damage hpack.DecodingError
	var index hpack.InvalidIndexError
	return errors.As(err, &damage) && errors.As(damage.Err, &index)
}

// emit takes one field from the decoder.
func (b *block) emit(f hpack.HeaderField) {
	b.list += int(f.Size())
	if b.list > b.limit || len(b.fields) == maxFields {
		b.sink.Limit("header_list")
		b.flags |= flagFieldsCut
		b.table.decoder.SetEmitEnabled(false)
		return
	}
	h := dissect.Header{Name: f.Name, Value: f.Value}
	switch {
	case f.Name == "" && b.table.unknown:
		// The value may be known, but a value without a name cannot be redacted.
		h = dissect.Header{Name: unknownField, Value: unknownField}
		b.unknown++
		b.flags |= flagUnknownFields
	case f.Name == "":
		b.flags |= flagMalformed
	}
	b.fields = append(b.fields, h)
}

// unknownField stands for the name and the value of a field that is in a table
// from before the start.
const unknownField = "?"

// hold accounts for what is kept until the next frame of the block comes.
func (b *block) hold() {
	want := b.list + fieldSize*len(b.fields) + b.bytes
	if want <= b.held {
		return
	}
	if !b.sink.Keep(want - b.held) {
		b.giveUp(flagBlockCut)
		return
	}
	b.held = want
}

// giveUp reads no more of the block. What it has added to the table is not known.
func (b *block) giveUp(why flagSet) {
	b.lost = true
	b.flags |= why
	b.table.forget()
}

// spareFields is how many fields' room is kept for the next block.
const spareFields = 32

// clear lets go of the fields, which belong to messages by now.
func (b *block) clear() {
	clear(b.fields)
	b.fields = b.fields[:0]
	if cap(b.fields) > spareFields {
		b.fields = nil
	}
}

// finish ends the block. What it holds stays until clear.
func (b *block) finish() {
	b.open = false
	b.sink.Release(b.held)
	b.held = 0
}

// drop gives up a block whose rest is lost, and all that is known of the table.
func (b *block) drop() {
	b.finish()
	b.clear()
	b.table.forget()
}
