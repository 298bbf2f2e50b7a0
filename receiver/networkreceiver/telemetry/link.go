// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"encoding/hex"
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/lookup"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/tracecontext"
)

// maxSought is how many calls of a connection look for the server's name. The lookup
// may have been captured by another worker and come a little later than the first call.
const maxSought = 4

// remember remembers what the call has looked up, if it has. It is for its CLIENT span:
// that is what others link to.
func (b *Builder) remember(c *call) {
	resolver, ok := c.Dissector.(dissect.Resolver)
	if !ok || b.set.Lookups == nil || c.side != dissect.ClientSide {
		return
	}
	r, ok := resolver.Resolve(c.Request, c.Response)
	if !ok {
		return
	}
	l := &lookup.Lookup{
		Span: lookup.Span{Trace: c.id.trace, ID: c.span, Start: c.start()},
		Name: r.Name, Kind: r.Kind, Answered: r.Answered, End: c.end(),
	}
	for _, text := range r.Addresses {
		if addr, err := netip.ParseAddr(text); err == nil {
			l.Addresses = append(l.Addresses, addr.Unmap())
		}
	}
	out := b.set.Lookups.Put(lookup.OwnerOf(c.Conn, c.local.Addr()), l)
	b.stats.Lookups.Add(1)
	b.stats.LookupsDropped.Add(uint64(out.Dropped))
	if out.Late {
		b.stats.LookupsLate.Add(1)
	}
}

// connects reports whether the call's side is a client whose lookups can be known.
func (b *Builder) connects(c *call) bool {
	return b.set.Lookups != nil && c.side == dissect.ClientSide && c.Conn.Transport == capture.TCP
}

// serverName is the name by which the client has looked up the server, or empty.
func (b *Builder) serverName(c *call) string {
	if !b.connects(c) {
		return ""
	}
	known := connectionOf(c.Conn)
	if known.seeksName() {
		known.nameSought++
		l := c.link()
		if r, ok := l.resolution(b.set.Lookups); ok {
			known.serverName = r.Name
		}
	}
	return known.serverName
}

// link is a record of one of a connection's first calls, which waits in its batch for
// the lookups that the connection was opened with.
type link struct {
	owner  lookup.Owner
	server netip.Addr
	opened int64 // capture time, Unix ns
	// first is set for the first call, the one that is linked. The others only wait for
	// the name.
	first bool
	// nameless is set where server.address is only an address.
	nameless bool
}

// spanLink and logLink are links of either signal.
type spanLink struct {
	link
	span ptrace.Span
}

type logLink struct {
	link
	record plog.LogRecord
}

func (c *call) link() link {
	return link{lookup.OwnerOf(c.Conn, c.local.Addr()), c.remote.Addr(), c.Conn.Started, c.First, c.nameless}
}

// waits reports whether records of the call have to wait for a lookup.
func (b *Builder) waits(c *call) bool {
	return b.connects(c) && (c.First || connectionOf(c.Conn).seeksName())
}

// resolve finds what a record has waited for. Of a span and a log record of the same
// call one is counted.
func (b *Builder) resolve(l *link, count bool) (lookup.Resolution, bool) {
	r, ok := l.resolution(b.set.Lookups)
	switch {
	case !count:
	case ok:
		b.stats.LookupsLinked.Add(1)
	default:
		b.set.Lookups.Miss(l.owner, l.server, l.opened)
	}
	return r, ok
}

func (l *link) resolution(t *lookup.Table) (lookup.Resolution, bool) {
	return t.Find(l.owner, l.server, l.opened)
}

// linkSpans links the spans of a batch that is handed over, and gives the size as OTLP
// of what it adds. That is as late as can be: workers read their rings independently,
// and the lookup may have been in another one.
func (b *Builder) linkSpans(links []spanLink) (bytes int) {
	for i := range links {
		l := &links[i]
		r, ok := b.resolve(&l.link, l.first)
		if !ok {
			continue
		}
		bytes += l.describe(l.span.Attributes(), &r)
		if !l.first {
			continue
		}
		for _, s := range r.Spans {
			to := l.span.Links().AppendEmpty()
			to.SetTraceID(s.Trace)
			to.SetSpanID(s.ID)
			to.SetFlags(tracecontext.Sampled)
		}
		bytes += spanLinkSize * len(r.Spans)
	}
	clear(links)
	return bytes
}

// linkLogs does so with log records, which name the spans in an attribute.
func (b *Builder) linkLogs(links []logLink) (bytes int) {
	for i := range links {
		l := &links[i]
		r, ok := b.resolve(&l.link, l.first && !b.set.Traces)
		if !ok {
			continue
		}
		bytes += l.describe(l.record.Attributes(), &r)
		if !l.first {
			continue
		}
		ids := l.record.Attributes().PutEmptySlice(semconv.LookupSpans)
		ids.EnsureCapacity(len(r.Spans))
		for _, s := range r.Spans {
			ids.AppendEmpty().SetStr(hex.EncodeToString(s.Trace[:]) + "-" + hex.EncodeToString(s.ID[:]))
		}
		bytes += logLinkSize * (1 + len(r.Spans))
	}
	clear(links)
	return bytes
}

// What one span takes as OTLP in the links of a span and in a log record's attribute.
const (
	spanLinkSize = 40
	logLinkSize  = 56
)

// describe adds what a resolution says of a call, and gives its size as OTLP.
func (l *link) describe(m pcommon.Map, r *lookup.Resolution) (bytes int) {
	if l.first && r.Took > 0 {
		m.PutInt(semconv.TimeLookup, r.Took)
	}
	name := valid(r.Name)
	m.PutStr(semconv.PeerDNSName, name)
	if l.nameless {
		m.PutStr(semconv.ServerAddress, name)
	}
	return 3*attributeSize + len(semconv.TimeLookup) + len(semconv.PeerDNSName) + 2*len(name)
}
