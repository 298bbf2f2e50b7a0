// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	patience     = second / 2 // how long plaintext waits for the records that carry it, on a busy machine
	maxWaiting   = 4 << 20    // bytes of plaintext that wait, for each direction
	maxChunks    = 4096       // pieces of it, also those that were handed over in advance
	maxRecords   = 4096       // records that wait for their plaintext
	maxUnclaimed = 1024       // the same, before any plaintext has come

	chunkBytes  = int(unsafe.Sizeof(chunk{})) // what a piece takes besides its bytes
	recordBytes = int(unsafe.Sizeof(wire{}))
)

// aligner finds for each byte of plaintext of one direction its place on the wire. The
// records cut the same bytes into pieces as the calls of the library do, which have
// shown the plaintext: where an end of a record and an end of a chunk have as many bytes
// before them, they belong together.
//
// Records that carry something else (in TLS 1.3 the rest of the handshake, tickets) look
// like any other. They are found out because leaving them out makes both fit. After a
// loss on the wire, chunks are left out in the same way.
type aligner struct {
	c *Connection
	d dissect.Direction

	records []wire
	chunks  []chunk
	held    int    // bytes that chunks hold
	total   uint64 // bytes of chunks
	enough  uint64 // before there are so many bytes of chunks, no more can be said; 0 if that is not known
	next    uint64
	shown   bool // there has been plaintext

	lastShown int64 // when the last of it was
	soughtAt  int   // so many chunks there were when a place to join was last looked for

	// settled is set from the first place at which both fit until the next doubt.
	settled bool
	matched bool // they have fitted once
	loose   bool // records were lost, so that there may be chunks without one
	doubt   bool // what comes next of either may be any; see join
	read    bool // the process gets these bytes, and has not sent them
	anchor  anchor
	updates updates
	usual   int64     // ns between what the wire and what the library tells, of late
	now     int64     // of what came last
	ticked  int64     // when time was last said to pass
	waited  int64     // for so long nothing has been handed over
	last    conn.Mark // where the next byte on the wire is at the earliest
	placed  bool      // that is known
}

// wire is a record of application data, or records that were lost.
type wire struct {
	mark   conn.Mark // first byte of its payload
	size   int       // of its payload
	plain  int       // of its plaintext; 0 until it is known
	used   int       // of its plaintext
	isHole bool
	waived bool // nothing waits for its plaintext
	turn   turn
	until  int64 // when the other side went on after it on the wire; 0 if it has not yet
}

// chunk is plaintext, or a part of it that is missing.
type chunk struct {
	b        []byte
	at       uint64 // position among all plaintext
	left     uint64
	time     int64
	borrowed bool
	begun    bool // some of it has been handed over
	cut      bool // nobody knows how long it was
	given    bool // all of it has been handed over, and its records are still to come
	kept     bool // chunkBytes are taken from the budget
	turn     turn
	after    int64 // when the library showed the last of the other side before; 0 if nothing
	until    int64 // and the first after it
}

// missing tells whether a chunk was lost.
func (c *chunk) missing() bool { return c.b == nil && !c.given }

// record takes a record of application data whose content is not known; m is where its
// payload begins.
func (a *aligner) record(size int, m conn.Mark) {
	a.now = max(a.now, m.Time)
	if a.full() {
		a.forget()
		a.hole()
	}
	if !a.c.memory.Keep(recordBytes) {
		a.hole()
		return
	}
	a.records = append(a.records, wire{mark: m, size: size, turn: a.c.lastOnWire.next(a.d)})
	a.c.sides[1-a.d].passOnWire(m.Time)
	a.run(false)
	a.answer()
}

func (a *aligner) full() bool {
	return len(a.records) >= maxRecords || !a.c.expected && len(a.records) >= maxUnclaimed
}

// forget lets go of all records that wait.
func (a *aligner) forget() {
	a.c.memory.Release(len(a.records) * recordBytes)
	a.records = nil
}

// forgetBefore lets go of records from before a time.
func (a *aligner) forgetBefore(t int64) {
	n := 0
	for n < len(a.records) && (a.records[n].isHole || a.records[n].mark.Time < t) {
		n++
	}
	if n > 1 {
		a.dropRecords(n - 1)
		a.records[0] = wire{isHole: true}
	}
}

// hole says that records may be missing before the next one.
func (a *aligner) hole() {
	if a.placed {
		a.c.lastOnWire = nobody
	}
	if n := len(a.records); n > 0 && a.records[n-1].isHole {
		return
	}
	if !a.c.memory.Keep(recordBytes) {
		a.settled, a.loose = false, true
		return
	}
	a.records = append(a.records, wire{isHole: true})
	a.run(false)
}

// passed takes any encrypted record, from its payload on.
func (a *aligner) passed(m conn.Mark) {
	if !a.placed {
		a.placed, a.last = true, m
	}
}

// plain takes plaintext, and whether the process got it.
func (a *aligner) plain(m conn.Mark, read bool, b []byte) {
	a.now, a.read = max(a.now, m.Time), read
	if !a.holds() {
		a.waited = 0
	}
	switch {
	case m.Offset > 0 && !a.shown, m.Offset == seenLate && a.next > seenLate:
		a.rejoin(m)
	case m.Offset > a.next:
		a.c.missesPlain = true
		a.c.lastShown = nobody
		a.add(chunk{at: a.next, left: m.Offset - a.next, time: m.Time})
		a.next = m.Offset
	}
	if seen := a.next - m.Offset; seen > 0 {
		b = b[min(seen, uint64(len(b))):]
		m.Offset += seen
	}
	a.shown = true
	if len(b) == 0 {
		return
	}
	a.next = m.Offset + uint64(len(b))
	other := &a.c.sides[1-a.d]
	a.add(chunk{
		b: b, at: m.Offset, left: uint64(len(b)), time: m.Time, borrowed: true,
		turn: a.c.lastShown.next(a.d), after: other.lastShown,
	})
	a.lastShown = m.Time
	other.passInLibrary(m.Time)
	if a.enough == 0 || a.total >= a.enough || a.due() {
		a.run(false)
	}
	a.own()
	a.answer()
}

// seenLate is the position of the first byte of a library's object whose beginning was
// not seen, as in bpf/lib/tls/tls.h.
const seenLate = 1

// rejoin begins with plaintext before which something is missing, nobody knows how much.
func (a *aligner) rejoin(m conn.Mark) {
	a.c.missesPlain = true
	a.next = m.Offset
	if a.shown {
		a.c.lastShown = nobody
		a.add(chunk{left: 1, time: m.Time, cut: true})
		return
	}
	a.unsettle()
}

// mayDoubt tells whether there is something better than lengths to go on after a loss, or
// lengths are not enough.
func (a *aligner) mayDoubt() bool { return a.c.missesPlain || a.anchor.known }

// unsettle says that nothing is known any more of what belongs together.
func (a *aligner) unsettle() {
	a.settled, a.loose, a.doubt, a.anchor = false, true, true, anchor{}
}

func (a *aligner) add(c chunk) {
	a.chunks = append(a.chunks, c)
	a.total += c.left
}

// own copies what has to wait of the chunk that came last.
func (a *aligner) own() {
	n := len(a.chunks)
	if n == 0 || !a.chunks[n-1].borrowed {
		return
	}
	last := &a.chunks[n-1]
	size := len(last.b)
	if a.held+size > maxWaiting || n > maxChunks || !a.c.memory.Keep(size+chunkBytes) {
		a.run(true)
		return
	}
	a.held += size
	last.kept = true
	last.b, last.borrowed = append([]byte(nil), last.b...), false
}

// holds reports whether plaintext waits.
func (a *aligner) holds() bool {
	n := len(a.chunks)
	return n > 0 && !a.chunks[n-1].given
}

// tick lets time pass. What came meanwhile may not have been taken from the capture yet,
// after a halt for instance, so that a jump of the time is no reason to give up.
func (a *aligner) tick(now int64) {
	const longest = second / 10 // between two ticks, by contract
	a.waited += min(max(now-a.ticked, 0), longest)
	a.ticked = now
	a.run(false)
}

// flush hands over all that waits.
func (a *aligner) flush() {
	a.run(true)
	a.guess()
	a.forget()
}

// run hands over plaintext as far as its place is known, and all of it where that is not
// to be expected any more, or must not be waited for.
func (a *aligner) run(force bool) {
	for len(a.chunks) > 0 {
		if len(a.records) == 0 {
			if force || a.due() {
				a.advance()
			}
			return
		}
		r, c := &a.records[0], &a.chunks[0]
		if r.isHole {
			a.dropRecords(1)
			a.settled, a.loose = false, true
			a.doubt = a.doubt || a.mayDoubt()
			continue
		}
		if c.cut {
			a.place(c)
			a.dropDone()
			a.dropBegun()
			continue
		}
		if a.settled && !c.begun && a.impossible(0, 0) {
			a.unsettle()
			a.dropBegun()
			continue
		}
		if a.updates.explain(a) {
			a.dropRecords(1)
			continue
		}
		if r.used > 0 || a.settled && c.begun {
			a.assign()
			continue
		}
		skip, without, verdict := a.match(force)
		switch {
		case verdict == dissect.Yes && a.waitsForRequest(&a.records[skip], force):
			return
		case verdict == dissect.Yes:
			a.accept(skip, without)
		case verdict == dissect.NeedMore && !force && !a.due():
			return
		case a.settled:
			a.assign()
		default:
			a.suppose()
		}
	}
}

func (a *aligner) due() bool { return a.waited >= patience }

// impossible tells whether a chunk was read before the record came that it is to begin.
func (a *aligner) impossible(record, chunk int) bool {
	if !a.read || record >= len(a.records) || chunk >= len(a.chunks) {
		return false
	}
	c := &a.chunks[chunk]
	return !c.missing() && c.time < a.records[record].mark.Time
}

func (a *aligner) dropDone() {
	done := 0
	for done < len(a.chunks) && a.chunks[done].left == 0 {
		if a.chunks[done].kept {
			a.c.memory.Release(chunkBytes)
		}
		done++
	}
	if done == len(a.chunks) {
		clear(a.chunks)
		a.chunks = a.chunks[:0]
		return
	}
	a.chunks = a.chunks[done:]
}

func (a *aligner) dropRecords(n int) {
	a.c.memory.Release(n * recordBytes)
	if n == len(a.records) {
		a.records = a.records[:0]
		return
	}
	a.records = a.records[n:]
}

// dropBegun drops the rest of a record of which some has been handed over.
func (a *aligner) dropBegun() {
	if a.records[0].used > 0 {
		a.dropRecords(1)
	}
}
