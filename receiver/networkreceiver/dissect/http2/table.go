// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"golang.org/x/net/http2/hpack"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	// usualTable is the size of a dynamic table unless both ends agree on another
	// (RFC 9113, section 6.5.2).
	usualTable = 4 << 10
	// maxTable bounds the size of a dynamic table. Beyond it entries are forgotten
	// earlier than by the peers, and become unknown.
	maxTable = 64 << 10
	// entryOverhead is what each entry counts besides its text (RFC 7541, section
	// 4.1): there are never more entries than size/entryOverhead.
	entryOverhead = 32
	// tableCost is how much memory a table takes, per byte of its size.
	tableCost = 2
)

// table is the decoding context of one direction (RFC 7541).
//
// Where the beginning was not seen, it is filled with placeholders: entries with
// an empty name, which no field has, as small as entries can be. What the peers
// have added before is then known to be unknown, and what they add from now on is
// at the index it has for them: the newest entry is the first. Entries leave in the
// order in which they came. A placeholder is never larger than the entry that it
// stands for, so nothing leaves this table before it leaves the peers'.
type table struct {
	decoder  *hpack.Decoder
	unknown  bool // there are entries that are not known
	size     int  // it is filled with placeholders up to this size
	reserved int  // granted by Sink.Keep
}

// open makes the decoder. It reports whether there is memory for it.
func (t *table) open(emit func(hpack.HeaderField), maxString int, sink dissect.Sink) bool {
	if t.decoder != nil {
		return true
	}
	t.size = max(t.size, usualTable)
	if !t.reserve(t.size, sink) {
		return false
	}
	t.decoder = hpack.NewDecoder(uint32(t.size), emit)
	t.decoder.SetMaxStringLength(maxString)
	if t.unknown {
		t.fill()
	}
	return true
}

func (t *table) reserve(size int, sink dissect.Sink) bool {
	more := size*tableCost - t.reserved
	if more <= 0 {
		return true
	}
	if !sink.Keep(more) {
		return false
	}
	t.reserved += more
	return true
}

// fill adds placeholders: literals with incremental indexing, with an empty new
// name and an empty value (RFC 7541, section 6.2.1).
func (t *table) fill() {
	placeholder := [3]byte{0x40, 0, 0}
	t.decoder.SetEmitEnabled(false)
	for range t.size / entryOverhead {
		_, _ = t.decoder.Write(placeholder[:])
	}
	_ = t.decoder.Close()
	t.decoder.SetEmitEnabled(true)
}

// forget makes all entries unknown.
func (t *table) forget() { t.decoder, t.unknown = nil, true }

// outgrown makes all entries unknown after an index beyond the table. It reports
// whether another try makes sense.
func (t *table) outgrown() bool {
	again := !t.unknown || t.size < maxTable
	if t.unknown {
		t.size = maxTable
	}
	t.forget()
	return again
}

// resize applies the size updates that a block begins with (RFC 7541, section 6.3)
// and returns how long they are.
func (t *table) resize(block []byte, sink dissect.Sink) (n int) {
	for n < len(block) && block[n]&0xe0 == 0x20 {
		size, k := readInteger(block[n:], 5)
		if k <= 0 {
			break
		}
		n += k
		want := int(min(size, maxTable))
		if size > maxTable || !t.reserve(want, sink) {
			sink.Limit("table_size")
			t.unknown = true
			want = min(want, max(t.reserved/tableCost, usualTable))
		}
		t.decoder.SetMaxDynamicTableSize(uint32(want))
	}
	return n
}

// close gives back what the table has taken.
func (t *table) close(sink dissect.Sink) {
	sink.Release(t.reserved)
	t.decoder, t.reserved = nil, 0
}

// readInteger reads an integer with a prefix of so many bits (RFC 7541, section
// 5.1). n is its length, 0 if it is cut, and -1 if it is too large.
func readInteger(b []byte, prefix int) (value uint64, n int) {
	limit := uint64(1)<<prefix - 1
	value = uint64(b[0]) & limit
	if value < limit {
		return value, 1
	}
	for i, c := range b[1:] {
		if i == 5 {
			return 0, -1
		}
		value += uint64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return value, i + 2
		}
	}
	return 0, 0
}
