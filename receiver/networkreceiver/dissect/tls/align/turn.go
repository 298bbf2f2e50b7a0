// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// turn tells whether the other side has said something before a record or a chunk. In most
// protocols both sides take turns, and then a turn of the wire is one of the library too.
type turn uint8

const (
	turnUnknown turn = iota
	goesOn
	takesOver
)

// passOnWire notes when the other side goes on after a record.
func (a *aligner) passOnWire(t int64) {
	if n := len(a.records); n > 0 && a.records[n-1].until == 0 {
		a.records[n-1].until = t
	}
}

// passInLibrary notes when something of the other side is shown after a chunk.
func (a *aligner) passInLibrary(t int64) {
	if n := len(a.chunks); n > 0 && a.chunks[n-1].until == 0 {
		a.chunks[n-1].until = t
	}
}

// speaker is the side that was the last to say something, and one; nobody if that is not known.
type speaker uint8

const nobody speaker = 0

// next takes what a side says.
func (s *speaker) next(d dissect.Direction) turn {
	was := *s
	*s = speaker(d) + 1
	switch was {
	case nobody:
		return turnUnknown
	case *s:
		return goesOn
	}
	return takesOver
}
