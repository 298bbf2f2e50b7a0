// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Bounds of one batch. A larger payload is the only one of its batch.
const (
	batchEvents = 256
	batchBytes  = 128 << 10
)

// batch is a number of calls of a handler that are still to be made, with copies of
// what is borrowed.
type batch struct {
	events   []event
	payloads []byte
}

// event is one call of a handler.
type event struct {
	kind    eventKind
	reason  capture.LossReason
	n       uint64          // records lost
	segment capture.Segment // of a tick only its Time
}

type eventKind uint8

const (
	arrived eventKind = iota
	ticked
	lost
)

// fits reports whether there is room for a segment. Without payload there is for any.
func (b *batch) fits(seg *capture.Segment) bool {
	return len(b.events) < batchEvents && (len(b.payloads) == 0 || len(b.payloads)+len(seg.Payload) <= cap(b.payloads))
}

// segment adds a segment that fits.
func (b *batch) segment(seg *capture.Segment) {
	if len(b.payloads) == 0 {
		b.payloads = slices.Grow(b.payloads, max(len(seg.Payload), batchBytes))
	}
	b.events = append(b.events, event{segment: *seg})
	from := len(b.payloads)
	b.payloads = append(b.payloads, seg.Payload...)
	b.events[len(b.events)-1].segment.Payload = b.payloads[from:len(b.payloads):len(b.payloads)]
}

// deliver makes the calls.
func (b *batch) deliver(h capture.Handler) {
	for i := range b.events {
		switch e := &b.events[i]; e.kind {
		case arrived:
			h.Segment(&e.segment)
		case ticked:
			h.Tick(e.segment.Time)
		case lost:
			h.Lost(e.n, e.reason)
		}
	}
}

// reset empties the batch. Its memory is used again, unless it is larger than usual.
func (b *batch) reset() {
	b.events, b.payloads = b.events[:0], b.payloads[:0]
	if cap(b.payloads) > 2*batchBytes {
		b.payloads = nil
	}
}
