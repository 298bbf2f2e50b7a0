// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/tracecontext"
)

// identity is what makes a call's records one trace. It is a pure function of
// what both ends can see, so that two collectors, one at each end, arrive at the
// same identity with no header, no coordination and no clock. docs/telemetry.md
// describes it for others to compute.
type identity struct {
	trace  pcommon.TraceID
	client pcommon.SpanID // of the CLIENT span
	server pcommon.SpanID // of the SERVER span
	// header is what the request's headers carry.
	header tracecontext.Context
	// answer is what the response's headers tell of the server's own trace, where the
	// request carries none.
	answer tracecontext.Context
	// shared is true where the other end arrives at the same span ids.
	shared bool
	// within is the span at each end of the call within which this one is made, if there
	// is one.
	within [2]pcommon.SpanID
}

// identify gives the identity of a call.
func identify(x *pair.Exchange) identity {
	a, shared := anchorOf(x)
	id := identity{shared: shared, client: a.spanID("client"), server: a.spanID("server")}
	if x.Request != nil {
		if x.Request.Origin != nil {
			id.join(x)
			return id
		}
		id.header = tracecontext.Extract(x.Request.Content.Headers)
	}
	if id.header.Format == tracecontext.None {
		id.answer = answerOf(x)
	}
	switch {
	case id.header.Format != tracecontext.None:
		id.trace = id.header.TraceID
	case id.answer.Format != tracecontext.None:
		id.trace = id.answer.TraceID
	default:
		id.trace = a.traceID()
	}
	return id
}

// answerOf is what the server tells of its trace. It comes too late for a call of which
// something was told while it ran, or within which others are made: those have the
// derived trace.
func answerOf(x *pair.Exchange) (none tracecontext.Context) {
	if x.Response == nil || x.Response.Events > 0 || x.Request != nil && x.Request.Events > 0 {
		return none
	}
	c := tracecontext.ExtractResponse(x.Response.Content.Headers)
	if c.Format == tracecontext.None || slices.ContainsFunc(x.Response.Content.Headers, isUpgrade) {
		return none
	}
	return c
}

func isUpgrade(h dissect.Header) bool { return strings.EqualFold(h.Name, "Upgrade") }

// parent is the parent of one end's span. The SERVER span's is the CLIENT span if
// somebody makes that.
func (id *identity) parent(side dissect.Side, peerCaptured bool) pcommon.SpanID {
	if side == dissect.ServerSide && peerCaptured && id.shared {
		return id.client
	}
	if id.within[side] != (pcommon.SpanID{}) {
		return id.within[side]
	}
	return id.header.SpanID
}

// join makes the call a part of the one within which it is made.
func (id *identity) join(x *pair.Exchange) {
	outer := identify(&pair.Exchange{Conn: x.Conn, Request: x.Request.Origin})
	id.trace, id.header = outer.trace, outer.header
	id.within = [2]pcommon.SpanID{dissect.ClientSide: outer.client, dissect.ServerSide: outer.server}
	if x.Request.Reversed { // the server asks
		id.within[0], id.within[1] = id.within[1], id.within[0]
	}
}

// flags are the W3C trace flags of the call. Without a header it counts as
// sampled: it was captured.
func (id *identity) flags() uint32 {
	switch {
	case id.header.Format != tracecontext.None:
		return uint32(id.header.Flags)
	case id.answer.Format != tracecontext.None:
		return uint32(id.answer.Flags)
	}
	return tracecontext.Sampled
}

// source names where the trace id comes from, empty where it was derived.
func (id *identity) source() string {
	if id.header.Format != tracecontext.None {
		return id.header.Format.String()
	}
	return id.answer.Format.String()
}

// anchor is what ids are derived from.
type anchor struct {
	bytes [64]byte
	n     int
}

// anchorOf is the anchor of a call: the sequence and acknowledgement numbers of
// the segment that carried the request's first byte. Where the request was not
// seen, those of the response's first byte, exchanged. Where there are no such
// numbers (UDP), what is unique at this end; then it is not shared.
func anchorOf(x *pair.Exchange) (a anchor, shared bool) {
	var mark conn.Mark
	var seq, ack uint32
	var key uint64
	switch {
	case x.Request != nil:
		mark, key = x.Request.First, x.Request.Key
		seq, ack = mark.Seq, mark.Ack
	case x.Response != nil:
		mark, key = x.Response.First, x.Response.Key
		seq, ack = mark.Ack, mark.Seq
	}
	a.uint32(seq)
	a.uint32(ack)
	if x.Conn.Transport == capture.TCP && (seq != 0 || ack != 0) {
		if keyed(x) {
			a.uint64(key)
		}
		return a, true
	}
	a.uint64(key)
	a.uint64(uint64(mark.Time))
	a.uint64(mark.Offset)
	a.addrPort(x.Conn.Local)
	a.addrPort(x.Conn.Remote)
	return a, false
}

// keyed reports whether the call has a key: then several calls can begin at the
// same byte, in one frame.
func keyed(x *pair.Exchange) bool {
	return x.Request != nil && x.Request.Keyed || x.Request == nil && x.Response != nil && x.Response.Keyed
}

func (a *anchor) uint32(v uint32) {
	binary.BigEndian.PutUint32(a.bytes[a.n:], v)
	a.n += 4
}

func (a *anchor) uint64(v uint64) {
	binary.BigEndian.PutUint64(a.bytes[a.n:], v)
	a.n += 8
}

// addrPort adds the last eight bytes of the address, and the port: enough to be
// unique together with a time.
func (a *anchor) addrPort(p netip.AddrPort) {
	ip := p.Addr().As16()
	a.n += copy(a.bytes[a.n:], ip[8:])
	binary.BigEndian.PutUint16(a.bytes[a.n:], p.Port())
	a.n += 2
}

// hash is SHA-256 of "wirespan/", the role, a zero byte and the anchor.
func (a *anchor) hash(role string) [sha256.Size]byte {
	var buf [96]byte
	in := append(buf[:0], "wirespan/"...)
	in = append(in, role...)
	in = append(in, 0)
	in = append(in, a.bytes[:a.n]...)
	return sha256.Sum256(in)
}

// traceID is never zero.
func (a *anchor) traceID() (id pcommon.TraceID) {
	h := a.hash("trace")
	copy(id[:], h[:])
	if id.IsEmpty() {
		id[len(id)-1] = 1
	}
	return id
}

// spanID is never zero.
func (a *anchor) spanID(role string) (id pcommon.SpanID) {
	h := a.hash(role)
	copy(id[:], h[:])
	if id.IsEmpty() {
		id[len(id)-1] = 1
	}
	return id
}
