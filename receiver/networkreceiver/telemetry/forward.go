// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// maxForwards bounds the contexts that are remembered, of all shards together.
const maxForwards = 4096

// Forwards remembers trace contexts that processes got with calls. A process that sends
// the same context on, as a proxy does, has no span of its own between both calls: the
// one that it makes is a part of the one that it got. Who has a tracer sends a context of
// its own instead. It is safe for concurrent use.
type Forwards struct {
	mu    sync.Mutex
	known map[forwardKey]*inbound
	queue []forwardKey // in the order in which they came, a ring once it is full
	next  int
}

// NewForwards remembers nothing yet.
func NewForwards() *Forwards { return &Forwards{known: make(map[forwardKey]*inbound)} }

// forwardKey is a context at a process.
type forwardKey struct {
	pid     int32
	started int64
	trace   pcommon.TraceID
	span    pcommon.SpanID // in the header
}

// inbound is the call with which a process got a context.
type inbound struct {
	span       pcommon.SpanID // of its SERVER span
	start, end int64
	// several is set where more than one call brought the context: which of them
	// caused another one is not known.
	several bool
}

func (f *Forwards) put(k forwardKey, in inbound) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.known[k]; known != nil {
		known.several = true
		return
	}
	if len(f.queue) < maxForwards {
		f.queue = append(f.queue, k)
	} else {
		delete(f.known, f.queue[f.next])
		f.queue[f.next] = k
		f.next = (f.next + 1) % maxForwards
	}
	f.known[k] = &in
}

// find gives the SERVER span of the one call with which the process got a context, if
// another one began while it ran.
func (f *Forwards) find(k forwardKey, start int64) (pcommon.SpanID, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := f.known[k]
	if in == nil || in.several || start < in.start || start > in.end {
		return pcommon.SpanID{}, false
	}
	return in.span, true
}

// forward is a call with a context that its process may have passed on. Its records wait
// in their batches for the call that it may be a part of, which ends later.
type forward struct {
	key    forwardKey
	start  int64
	sought bool
	parent pcommon.SpanID // empty if none was found
}

// within returns the SERVER span that the call is a part of, the same for all its records.
func (b *Builder) within(f *forward) (parent pcommon.SpanID, ok bool) {
	if !f.sought {
		f.sought = true
		if f.parent, ok = b.set.Forwards.find(f.key, f.start); ok {
			b.stats.Forwarded.Add(1)
		}
	}
	return f.parent, !f.parent.IsEmpty()
}

// spanForward and logForward are its records of either signal.
type spanForward struct {
	*forward
	span ptrace.Span
}

type logForward struct {
	*forward
	record plog.LogRecord
}

// forwardKey is the context that the call brought to the process, or took from it.
func (c *call) forwardKey() (forwardKey, bool) {
	p := c.Conn.Process
	if !c.Conn.Live || p == nil || c.id.header.SpanID == [8]byte{} || c.id.within[c.side] != (pcommon.SpanID{}) {
		return forwardKey{}, false
	}
	return forwardKey{p.PID, p.StartTime, c.id.trace, c.id.header.SpanID}, true
}

// forward remembers a context that came with a call, or notes that the call took one with
// it.
func (b *Builder) forward(c *call) {
	c.forward = nil
	if b.set.Forwards == nil {
		return
	}
	key, ok := c.forwardKey()
	switch {
	case !ok:
	case c.side == dissect.ServerSide:
		b.set.Forwards.put(key, inbound{span: c.span, start: c.start(), end: c.end()})
	default:
		c.forward = &forward{key: key, start: c.start()}
	}
}

// nestForwards gives the spans of a batch that is handed over their parents.
func (b *Builder) nestForwards(forwards []spanForward) {
	for i := range forwards {
		f := &forwards[i]
		if parent, ok := b.within(f.forward); ok {
			f.span.SetParentSpanID(parent)
			f.span.SetFlags(f.span.Flags() | flagHasIsRemote)
		}
	}
	clear(forwards)
}

// nestForwardedLogs does the same for log records.
func (b *Builder) nestForwardedLogs(forwards []logForward) {
	for i := range forwards {
		f := &forwards[i]
		if parent, ok := b.within(f.forward); ok {
			f.record.Attributes().PutStr(semconv.SpanParentID, parent.String())
		}
	}
	clear(forwards)
}
