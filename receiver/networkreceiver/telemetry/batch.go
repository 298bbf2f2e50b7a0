// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// traceBatch collects spans, each under the resource of its process.
type traceBatch struct {
	td        ptrace.Traces
	resources *resources
	version   string
	scopes    map[resourceKey]ptrace.ScopeSpans
	links     []spanLink
	forwards  []spanForward

	n     int   // spans
	bytes int   // their size as OTLP
	held  int   // taken from the budget
	since int64 // when the first one came
}

func newTraceBatch(r *resources, version string) traceBatch {
	return traceBatch{td: ptrace.NewTraces(), resources: r, version: version, scopes: make(map[resourceKey]ptrace.ScopeSpans)}
}

// scope is where spans of a resource go.
func (b *traceBatch) scope(k resourceKey) ptrace.ScopeSpans {
	if s, ok := b.scopes[k]; ok {
		return s
	}
	rs := b.td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl(SchemaURL)
	b.resources.of(k).CopyTo(rs.Resource())
	b.bytes += resourceSize(rs.Resource())
	ss := rs.ScopeSpans().AppendEmpty()
	ss.SetSchemaUrl(SchemaURL)
	nameScope(ss.Scope(), b.version)
	b.scopes[k] = ss
	return ss
}

// take is what was collected. The batch is empty afterwards.
func (b *traceBatch) take() (td ptrace.Traces, bytes int) {
	td, bytes = b.td, b.bytes
	b.td = ptrace.NewTraces()
	clear(b.scopes)
	b.n, b.bytes = 0, 0
	return td, bytes
}

// logBatch collects log records, each under the resource of its process.
type logBatch struct {
	ld        plog.Logs
	resources *resources
	version   string
	scopes    map[resourceKey]plog.ScopeLogs
	links     []logLink
	forwards  []logForward

	n     int
	bytes int
	held  int
	since int64
}

func newLogBatch(r *resources, version string) logBatch {
	return logBatch{ld: plog.NewLogs(), resources: r, version: version, scopes: make(map[resourceKey]plog.ScopeLogs)}
}

func (b *logBatch) scope(k resourceKey) plog.ScopeLogs {
	if s, ok := b.scopes[k]; ok {
		return s
	}
	rl := b.ld.ResourceLogs().AppendEmpty()
	rl.SetSchemaUrl(SchemaURL)
	b.resources.of(k).CopyTo(rl.Resource())
	b.bytes += resourceSize(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.SetSchemaUrl(SchemaURL)
	nameScope(sl.Scope(), b.version)
	b.scopes[k] = sl
	return sl
}

func (b *logBatch) take() (ld plog.Logs, bytes int) {
	ld, bytes = b.ld, b.bytes
	b.ld = plog.NewLogs()
	clear(b.scopes)
	b.n, b.bytes = 0, 0
	return ld, bytes
}

func nameScope(s pcommon.InstrumentationScope, version string) {
	s.SetName(ScopeName)
	s.SetVersion(version)
}

// resourceSize is about the size of a resource, with its scope, as OTLP.
func resourceSize(r pcommon.Resource) int {
	size := 2*len(SchemaURL) + len(ScopeName) + 64
	for k, v := range r.Attributes().All() {
		size += len(k) + 16
		switch v.Type() {
		case pcommon.ValueTypeStr:
			size += len(v.Str())
		case pcommon.ValueTypeSlice:
			for _, e := range v.Slice().All() {
				size += len(e.Str()) + 8
			}
		}
	}
	return size
}

const (
	// attributeSize is what an attribute takes as OTLP besides its key and its
	// text: tags, lengths, a number.
	attributeSize = 14
	// recordRoom is for what each record has besides: ids, times, sizes.
	recordRoom = 320
)

// roomForSpan gives the batch for a span of about size bytes. It hands the batch
// over first where the span would make it too large, and starts its clock where
// it is empty.
func (b *Builder) roomForSpan(class Class, size int, now int64) *traceBatch {
	batch := &b.traces[class]
	if batch.n > 0 && batch.bytes+size > b.set.Batch.Bytes {
		b.flushTraces(class)
	}
	if batch.n == 0 {
		batch.since = now
	}
	return batch
}

func (b *Builder) roomForLog(class Class, size int, now int64) *logBatch {
	batch := &b.logs[class]
	if batch.n > 0 && batch.bytes+size > b.set.Batch.Bytes {
		b.flushLogs(class)
	}
	if batch.n == 0 {
		batch.since = now
	}
	return batch
}

// addedSpan counts a span that was built, and hands the batch over when full.
func (b *Builder) addedSpan(class Class, size int) {
	b.stats.Spans.Add(1)
	batch := &b.traces[class]
	batch.n++
	batch.bytes += size
	if !b.hold(&batch.held, size) || batch.n >= b.set.Batch.Records || batch.bytes >= b.set.Batch.Bytes {
		b.flushTraces(class)
	}
}

func (b *Builder) addedLog(class Class, size int) {
	b.stats.LogRecords.Add(1)
	batch := &b.logs[class]
	batch.n++
	batch.bytes += size
	if !b.hold(&batch.held, size) || batch.n >= b.set.Batch.Records || batch.bytes >= b.set.Batch.Bytes {
		b.flushLogs(class)
	}
}

// treeBytes is how much more memory a record takes at most than its size as OTLP: each of
// its values is a small object of its own. Bodies are not.
const treeBytes = 16 << 10

// Memory is about how much memory records of a size as OTLP take. That it is twice their
// size was measured.
func Memory(records, bytes int) int { return bytes + min(bytes, records*treeBytes) }

// hold takes the memory of one more record of a batch. It reports false if there is none:
// the batch is handed over then, for the next component or the queue to take.
func (b *Builder) hold(held *int, size int) bool {
	n := Memory(1, size)
	if !b.budget.Take(n) {
		return false
	}
	*held += n
	return true
}

// unhold gives back what a batch has taken, before its new owner takes the same.
func (b *Builder) unhold(held *int) {
	b.budget.Give(*held)
	*held = 0
}

func (b *Builder) flushTraces(class Class) {
	if batch := &b.traces[class]; batch.n > 0 {
		b.stats.Batches.Add(1)
		batch.bytes += b.linkSpans(batch.links)
		batch.links = batch.links[:0]
		b.nestForwards(batch.forwards)
		batch.forwards = batch.forwards[:0]
		td, bytes := batch.take()
		b.unhold(&batch.held)
		b.sink.Traces(class, td, bytes)
	}
}

func (b *Builder) flushLogs(class Class) {
	if batch := &b.logs[class]; batch.n > 0 {
		b.stats.Batches.Add(1)
		batch.bytes += b.linkLogs(batch.links)
		batch.links = batch.links[:0]
		b.nestForwardedLogs(batch.forwards)
		batch.forwards = batch.forwards[:0]
		ld, bytes := batch.take()
		b.unhold(&batch.held)
		b.sink.Logs(class, ld, bytes)
	}
}

// due reports whether a batch has waited long enough. The system's clock can be
// set back: then it is handed over at once.
func (b *Builder) due(since, now int64) bool {
	waited := now - since
	return waited < 0 || waited >= int64(b.set.Batch.Age)
}
