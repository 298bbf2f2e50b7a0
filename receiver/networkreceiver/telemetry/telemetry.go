// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package telemetry is stage 5 of 5: it takes exchanges and gives spans and log
// records in batches. It bounds the payload on a record, the fields of a message,
// and a batch by number, size and age.
//
// Everything that leaves here is redacted (package redact). What a record says is
// what was seen: status, duration and peer are never made up, and what is missing
// is said in attributes below wirespan. (docs/telemetry.md).
package telemetry // import "github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"

import (
	"net/netip"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

const (
	// ScopeName is the name of the instrumentation scope.
	ScopeName  = "github.com/wirespan/wirespan/receiver/networkreceiver"
	distroName = "wirespan"
)

// Sink takes finished batches, each with its size as OTLP. It owns them. Calls
// come from the Builder's goroutine.
type Sink interface {
	Traces(class Class, td ptrace.Traces, bytes int)
	Logs(class Class, ld plog.Logs, bytes int)
}

// Builder turns exchanges into spans and log records. There is one per shard; all
// calls come from one goroutine.
type Builder struct {
	set    Settings
	budget *budget.Budget
	sink   Sink
	stats  *Stats
	now    func() int64
	step   func() int64
	// abandoned reports whether the time to build records is over.
	abandoned func() bool

	redactor   *redact.Redactor
	protocols  map[string]*protocol
	addresses  addressCache
	names      spanNames
	attributes attributes // of the record being built: first its side, then what the records of a call share
	few        attributes // of the lean log record being built
	shapes     shapes
	fields     []field     // of the call's messages
	section    []attribute // of a section of fields
	call       call        // the one being built
	traces     [Classes]traceBatch
	logs       [Classes]logBatch
}

var _ pair.Sink = (*Builder)(nil)

// New makes a Builder. What a message has reserved goes back to budget, which
// may be nil. s must be valid.
func New(s Settings, b *budget.Budget, sink Sink, stats *Stats) *Builder {
	builder := &Builder{
		set:       s,
		budget:    b,
		sink:      sink,
		stats:     stats,
		now:       s.Now,
		step:      s.ClockStep,
		abandoned: s.Abandoned,
		redactor:  redact.New(s.Redaction),
		protocols: make(map[string]*protocol),
		addresses: make(addressCache),
		names:     make(spanNames),
	}
	if builder.now == nil {
		builder.now = func() int64 { return time.Now().UnixNano() }
	}
	if builder.step == nil {
		builder.step = func() int64 { return 0 }
	}
	if builder.abandoned == nil {
		builder.abandoned = func() bool { return false }
	}
	res := newResources(&builder.set, builder.redactor)
	for class := range Classes {
		builder.traces[class] = newTraceBatch(res, s.Version)
		builder.logs[class] = newLogBatch(res, s.Version)
	}
	builder.shapes.kinds = slabs()
	builder.attributes.redactor = builder.redactor
	return builder
}

// Exchange builds the records of one call and lets go of its messages.
func (b *Builder) Exchange(x *pair.Exchange) {
	b.stats.Exchanges.Add(1)
	switch {
	case b.abandoned():
		b.stats.Abandoned.Add(1)
	case x.Request != nil || x.Response != nil:
		b.build(x)
	}
	b.release(x)
}

// Tick hands over what has waited long enough, by the system's clock, and forgets what
// is old by the capture's.
func (b *Builder) Tick(captured int64) {
	b.set.Lookups.Expire(captured)
	b.set.Routes.Expire(captured)
	now := b.now()
	for class := range Classes {
		if b.due(b.traces[class].since, now) {
			b.flushTraces(class)
		}
		if b.due(b.logs[class].since, now) {
			b.flushLogs(class)
		}
	}
}

// Flush hands over everything. Call it when nothing more comes.
func (b *Builder) Flush() {
	for class := range Classes {
		b.flushTraces(class)
		b.flushLogs(class)
	}
}

func (b *Builder) build(x *pair.Exchange) {
	before := b.redactor.Applied()
	c := &b.call
	*c = call{
		Exchange: x,
		protocol: b.protocolOf(x.Dissector),
		id:       identify(x),
		naming:   b.set.ServiceName,
		now:      b.now(),
		step:     b.step(),
	}
	b.countIdentity(&c.id)
	b.translate(x.Conn)
	c.request = b.partsOf(c.protocol, x.Request, dissect.ToServer)
	c.response = b.partsOf(c.protocol, x.Response, dissect.ToClient)
	if incomplete(x) {
		b.stats.Incomplete.Add(1)
	}
	for _, side := range b.sides(x) {
		c.view(side, b.peerCaptured(x.Conn))
		b.describe(c)
		b.remember(c)
		b.forward(c)
		if b.set.Traces {
			b.addSpan(c)
		}
		if b.set.Logs {
			b.addLog(c)
		}
	}
	b.stats.Redactions.Add(b.redactor.Applied() - before)
	// Hold on to nothing.
	*c = call{}
	b.attributes.reset()
	b.few.reset()
	clear(b.fields)
	b.fields = b.fields[:0]
}

// partsOf redacts what records may carry of a message, once for all of them.
func (b *Builder) partsOf(p *protocol, m *dissect.Message, d dissect.Direction) (out parts) {
	if m == nil {
		return out
	}
	out.payload = b.payloadOf(p, m)
	if p.payload.Enabled && (b.set.Logs || p.payload.SpanHeaders) {
		names := &p.names[d]
		out.headers = b.fieldsOf(m.Content.Headers, &names.headers)
		if b.set.Logs {
			out.trailers = b.fieldsOf(m.Content.Trailers, &names.trailers)
		}
	}
	return out
}

// describe works out what the records of the call's side have in common.
func (b *Builder) describe(c *call) {
	m := &b.attributes
	m.reset()
	m.payload = c.protocol.payload.Enabled
	m.str(semconv.Side, c.sideName())
	c.summary = c.Dissector.Describe(c.side, c.Request, c.Response, m)
	if c.Carrier != nil {
		c.Carrier.DescribeCarrier(c.First, m)
	}
	c.describePrefaces(m)
	var errorType string
	c.failed, errorType = c.outcome(&c.summary)
	c.class = b.classOf(c, errorType)
	m.strIfAny(semconv.ErrorType, errorType)
	b.addNetwork(c, m)
	b.addRoute(c, m)
	c.addTimes(m)
	m.strIfAny(semconv.TraceSource, c.id.source())
}

var (
	clientOnly = []dissect.Side{dissect.ClientSide}
	serverOnly = []dissect.Side{dissect.ServerSide}
	bothSides  = []dissect.Side{dissect.ClientSide, dissect.ServerSide}
)

// sides are the ends of the call that get records: live the one that is here, and
// from a capture file those of the settings.
func (b *Builder) sides(x *pair.Exchange) []dissect.Side {
	if x.Conn.Live {
		if x.ClientIsLocal {
			return clientOnly
		}
		return serverOnly
	}
	switch b.set.FileSpans {
	case EndsServer:
		return serverOnly
	case EndsBoth:
		return bothSides
	}
	return clientOnly
}

// peerCaptured reports whether the other end gets records as well.
func (b *Builder) peerCaptured(c *conn.Conn) bool {
	if !c.Live {
		return b.set.FileSpans == EndsBoth
	}
	return c.PeerCaptured || contains(b.set.CapturedPeers, c.Remote.Addr()) || contains(b.set.CapturedPeers, c.RemoteNAT.Addr())
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// release gives back the memory that the messages of an exchange hold.
func (b *Builder) release(x *pair.Exchange) {
	n := 0
	if x.Request != nil {
		n += x.Request.Reserved
	}
	for _, m := range x.Interim {
		n += m.Reserved
	}
	if x.Response != nil {
		n += x.Response.Reserved
	}
	if n > 0 {
		x.Conn.Memory.Give(n)
	}
}

func (b *Builder) countIdentity(id *identity) {
	switch {
	case id.source() != "":
		b.stats.TraceExtracted.Add(1)
	case id.shared:
		b.stats.TraceDerived.Add(1)
	default:
		b.stats.TraceLocal.Add(1)
	}
}
