// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissect

import "github.com/wirespan/wirespan/receiver/networkreceiver/conn"

// Marks maps indices of one Data call's bytes to positions in the stream. The
// bytes of one call may come from several segments.
type Marks struct {
	base  conn.Mark
	index []MarkAt
	fixed bool // all bytes have the same one
}

// MarkAt says that the bytes from index At on have the position Mark.
type MarkAt struct {
	At   int
	Mark conn.Mark
}

// MarksOf gives the marks of bytes that were captured in one segment.
func MarksOf(first conn.Mark) Marks { return Marks{base: first} }

// MarksAt gives the marks of bytes that were made from those up to last.
func MarksAt(last conn.Mark) Marks { return Marks{base: last, fixed: true} }

// MarksOver gives the marks of bytes from several segments. index must be in
// ascending order, start at 0 and not be empty. It is borrowed.
func MarksOver(index []MarkAt) Marks { return Marks{index: index} }

// At is the position of byte i.
func (m Marks) At(i int) conn.Mark {
	mark, off := m.base, i
	if m.fixed {
		return mark
	}
	for k := len(m.index) - 1; k >= 0; k-- {
		if m.index[k].At <= i {
			mark, off = m.index[k].Mark, i-m.index[k].At
			break
		}
	}
	mark.Offset += uint64(off)
	mark.Seq += uint32(off)
	return mark
}
