// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package sse

import (
	"bytes"
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	// maxEvent bounds what is kept of an event, and of one line.
	maxEvent = 256 << 10
	// maxEvents bounds the events that are told of one response. The rest is counted.
	maxEvents = 1 << 20

	// maxName bounds the type and the id of an event.
	maxName = 1 << 10

	readerSize = int(unsafe.Sizeof(reader{})) + 3*maxName
	eventSize  = int(unsafe.Sizeof(event{}))
)

// reader cuts an event stream into lines, and lines into events.
type reader struct {
	sink   dissect.Sink
	limit  int
	events uint64

	fresh   bool // nothing has been read
	afterCR bool // a LF that comes next belongs to the line end before
	resync  bool // what comes is passed over up to the next blank line
	begun   bool // the block in progress has a line, or a part of one
	line    line // in progress

	// The block of lines in progress.
	first, last conn.Mark
	size        uint64
	hasData     bool
	data        text
	full        uint64 // bytes of the data, also of what is not kept
	cut         string // why not all of it is kept
	info        EventInfo
	skipped     uint64
}

// event is one allocation.
type event struct {
	dissect.Message
	info EventInfo
}

// Read takes the next bytes of the stream.
func (r *reader) Read(p []byte, m dissect.Marks, at int) {
	for i := 0; i < len(p); {
		if r.afterCR {
			r.afterCR = false
			if p[i] == '\n' {
				i++
				continue
			}
		}
		if !r.begun {
			r.first = m.At(at + i)
		}
		piece, ended := upToLineEnd(p[i:])
		if i += len(piece); len(piece) > 0 {
			r.take(piece)
		}
		if ended {
			r.afterCR = p[i] == '\r'
			r.size++
			i++
		}
		r.last = m.At(at + i - 1)
		if ended {
			r.endLine()
		}
	}
}

// upToLineEnd is what b has of a line, and whether its end (CR or LF) comes after it.
func upToLineEnd(b []byte) (piece []byte, ended bool) {
	n := bytes.IndexByte(b, '\n')
	if n >= 0 {
		b, ended = b[:n], true
	}
	if n = bytes.IndexByte(b, '\r'); n >= 0 {
		b, ended = b[:n], true
	}
	return b, ended
}

// take takes a part of a line, not empty.
func (r *reader) take(piece []byte) {
	r.size += uint64(len(piece))
	r.begun, r.line.begun = true, true
	if !r.resync {
		r.field(piece)
	}
}

// endLine acts on the end of a line. A blank one ends a block.
func (r *reader) endLine() {
	blank := !r.line.begun
	switch {
	case r.resync:
		r.skipped += r.size
		r.clear()
		r.resync = !blank
	case blank:
		r.endBlock("")
	default:
		r.endField()
	}
	r.line = line{value: r.line.value[:0]}
}

// keep adds to a text, within its limit and the memory budget.
func (r *reader) keep(t *text, b []byte) {
	if r.cut != "" {
		return
	}
	fits := b[:min(len(b), r.limit-len(t.b))]
	if !t.add(fits, r.limit, r.sink) {
		r.cut = "memory"
		return
	}
	if len(fits) < len(b) {
		r.cut = "limit"
		r.sink.Limit("sse_event_bytes")
	}
}

// Lose tells what there is of the event in progress, and passes over all up to the next
// blank line.
func (r *reader) Lose(n uint64, why conn.Reason) {
	if !r.resync {
		r.endField()
	}
	if r.resync || !r.hasData {
		r.skipped += r.size
	}
	r.endBlock(why)
	r.skipped += n
	r.resync, r.afterCR, r.fresh = true, false, false
	// Whether the next bytes begin a line is not known.
	r.line = line{value: r.line.value[:0], begun: true}
}

// End tells what came of an event that has no blank line at its end.
func (r *reader) End(why conn.Reason) (events uint64) {
	if !r.resync {
		r.endField()
		if why == "" {
			why = dissect.ReasonIncomplete
		}
		r.endBlock(why)
	}
	r.data.drop(r.sink)
	r.sink.Release(readerSize)
	return r.events
}
