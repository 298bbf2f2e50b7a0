// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package sse

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// endBlock tells the event that a block of lines is, if it has data: one without is
// none (WHATWG HTML, section 9.2.6). why says that it is not whole.
func (r *reader) endBlock(why conn.Reason) {
	if !r.hasData {
		r.clear()
		return
	}
	r.events++
	switch {
	case r.events <= maxEvents:
		r.tell(why)
	case r.events == maxEvents+1:
		r.sink.Limit("sse_events")
	}
	r.clear()
}

func (r *reader) tell(why conn.Reason) {
	size := eventSize + len(r.info.Type) + len(r.info.ID)
	granted := r.sink.Keep(size)
	if !granted { // rather without its data than not at all
		r.data.drop(r.sink)
		r.cut = "memory"
		granted = r.sink.Keep(size)
	}
	if !granted {
		r.sink.Limit("sse_event_memory")
		return
	}
	e := &event{info: r.info}
	e.info.Skipped = r.skipped
	r.skipped = 0
	m := &e.Message
	m.Kind, m.Direction, m.Protocol = dissect.Event, dissect.ToClient, &e.info
	m.First, m.Last, m.Incomplete = r.first, r.last, why
	if why == dissect.ReasonIncomplete { // the stream is whole, its last event is not
		m.Incomplete = ""
	}
	m.Size = min(r.size, m.Last.Offset-m.First.Offset+1)
	m.Reserved = size + r.data.held
	m.Content = dissect.Content{
		Body: r.data.b, BodySize: r.full, KeptSize: uint64(len(r.data.b)), MediaType: mediaTypeOf(r.data.b),
		Truncated: r.cut,
	}
	if r.cut == "" {
		m.Content.Truncated = truncatedBy(why)
	}
	r.data = text{}
	r.sink.Message(m)
}

// truncatedBy is Content.Truncated of an event that is not whole.
func truncatedBy(why conn.Reason) string {
	if why == "" || why == dissect.ReasonGap {
		return string(why)
	}
	return "incomplete"
}

// mediaTypeOf is that of an event's data. Nothing in the stream tells it.
func mediaTypeOf(data []byte) string {
	if len(data) > 0 && (data[0] == '{' || data[0] == '[') {
		return "application/json"
	}
	return "text/plain"
}

// clear begins the next block.
func (r *reader) clear() {
	r.begun, r.hasData, r.size, r.full, r.cut = false, false, 0, 0, ""
	r.data.b, r.info = r.data.b[:0], EventInfo{Retry: -1}
}

// text is bytes that are kept, with what Sink.Keep has granted for them.
type text struct {
	b    []byte
	held int
}

// add appends b, which fits within limit. It reports whether the memory was granted.
func (t *text) add(b []byte, limit int, sink dissect.Sink) bool {
	if need := len(t.b) + len(b); need > cap(t.b) {
		want := min(max(need, 2*cap(t.b), 256), max(limit, need))
		if !sink.Keep(want - t.held) {
			return false
		}
		t.held = want
		t.b = append(make([]byte, 0, want), t.b...)
	}
	t.b = append(t.b, b...)
	return true
}

func (t *text) drop(sink dissect.Sink) {
	sink.Release(t.held)
	*t = text{}
}
