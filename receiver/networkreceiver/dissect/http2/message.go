// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"strings"
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

const (
	// maxStarved is how much of a pseudo-header field is kept without a grant.
	maxStarved  = 1 << 10
	messageSize = int(unsafe.Sizeof(requestMessage{}))*9/8 + dissect.WaitBytes
)

// requestMessage and responseMessage are one allocation each.
type requestMessage struct {
	dissect.Message
	info RequestInfo
}

type responseMessage struct {
	dissect.Message
	info ResponseInfo
}

// endBlock acts on a header block that is complete.
func (c *conversation) endBlock(d dissect.Direction, h *half) {
	b := &h.block
	defer b.clear()
	b.finish()
	if b.frame.kind == typePushPromise {
		c.promise(b)
		return
	}
	which, ok := roleOf(d, b.frame.stream)
	if !ok {
		return
	}
	s := c.streamOf(h, which, b)
	if s == nil {
		return
	}
	p := &s.parts[which]
	switch {
	case p.begun && which == response && p.status == 0 && p.msg != nil && p.body.Size == 0 && !b.isTrailers():
		// The status of the one before was not known: it was an interim one.
		p.msg.Kind = dissect.Interim
		c.finish(s, which, "")
		*p = part{}
		c.beginResponse(s, b)
	case p.begun:
		c.trailers(p, b)
	case b.isTrailers():
		c.beginMidway(s, which, d, b.first)
		c.trailers(p, b)
	case which == request:
		c.beginRequest(s, b)
	default:
		c.beginResponse(s, b)
	}
	if b.frame.has(flagEndStream) {
		c.endStream(d, s.id)
	}
}

// streamOf is the stream that a header block belongs to. A request begins a new one.
func (c *conversation) streamOf(h *half, which role, b *block) *stream {
	id := b.frame.stream
	if s := c.streams.byID[id]; s != nil {
		if which == request {
			c.newest = max(c.newest, id)
		}
		return s
	}
	switch {
	case which == request && id > c.newest:
		c.newest = id
		if !c.mayReset(b.first.Time) {
			c.sink.Limit("resets")
			c.ignored = id
			return nil
		}
	case which == response && id > c.newest && id%2 == 1 && id > c.ignored:
		// It comes before its request.
	case !c.mayBeUnknown(h, id) && !(which == response && c.mayBeUnknown(&c.halves[dissect.ToServer], id)):
		return nil // late, for a stream that has ended
	}
	return c.open(id)
}

// isTrailers reports whether a section has no pseudo-header fields. An unknown field
// at its beginning can be one.
func (b *block) isTrailers() bool {
	return len(b.fields) == 0 && !b.lost || len(b.fields) > 0 && b.fields[0].Name != unknownField && !isPseudo(b.fields[0].Name)
}

// open makes room for a stream. It is nil if there is no memory.
func (c *conversation) open(id uint32) *stream {
	if len(c.streams.byID) >= c.limits.Outstanding {
		c.sink.Limit("streams")
		oldest := c.streams.first
		c.finish(oldest, request, conn.ReasonEvicted)
		c.finish(oldest, response, conn.ReasonEvicted)
		c.close(oldest)
	}
	if !c.sink.Keep(streamSize) {
		c.sink.Limit("stream_memory")
		return nil
	}
	return c.streams.add(id)
}

// close ends a stream.
func (c *conversation) close(s *stream) {
	s.tunnel.end(dissect.ToServer, conn.ReasonRST)
	s.tunnel.end(dissect.ToClient, conn.ReasonRST)
	c.streams.remove(s)
	c.sink.Release(streamSize)
}

// settle closes a stream of which nothing more is to come.
func (c *conversation) settle(s *stream) {
	over := func(which role, d dissect.Direction) bool {
		p := &s.parts[which]
		// Where the request was not seen, nobody waits for its end.
		return p.ended || c.halves[d].over || which == request && !p.begun && s.parts[response].ended
	}
	if over(request, dissect.ToServer) && over(response, dissect.ToClient) {
		c.close(s)
	}
}

// endStream acts on END_STREAM.
func (c *conversation) endStream(d dissect.Direction, id uint32) {
	s := c.streams.byID[id]
	which, ok := roleOf(d, id)
	if s == nil || !ok {
		return
	}
	s.parts[which].ended = true
	c.finish(s, which, "")
	s.tunnel.end(d, "")
	c.settle(s)
}

func (c *conversation) beginRequest(s *stream, b *block) {
	m := &requestMessage{info: RequestInfo{Unknown: b.unknown, Pushed: b.frame.kind == typePushPromise}}
	m.Protocol = &m.info
	f, granted := c.begin(s, request, &m.Message, b)
	r := &m.info
	r.Method, r.Scheme, r.Authority, r.Path, r.Protocol = f.method, f.scheme, f.authority, f.path, f.protocol
	if r.Authority == "" {
		r.Authority = f.host
	}
	if !granted {
		for _, text := range [...]*string{&r.Method, &r.Scheme, &r.Authority, &r.Path, &r.Protocol} {
			*text = strings.Clone(dissect.Clip(*text, maxStarved))
		}
	}
	switch r.Method {
	case methodConnect:
		s.connect = true
	case methodHead:
		s.head = true
	}
	if granted && !b.frame.has(flagEndStream) {
		c.attachReader(s, request)
	}
}

func (c *conversation) beginResponse(s *stream, b *block) {
	m := &responseMessage{info: ResponseInfo{Unknown: b.unknown}}
	m.Protocol, m.Direction, m.Kind = &m.info, dissect.ToClient, dissect.Response
	p := &s.parts[response]
	f, _ := c.begin(s, response, &m.Message, b)
	m.info.Status, p.status = f.status, f.status
	switch {
	case f.status >= 100 && f.status < 200 && !b.frame.has(flagEndStream):
		m.Kind = dissect.Interim
		c.finish(s, response, "")
		*p = part{}
	case s.connect && f.status >= 200 && f.status < 300 && !b.frame.has(flagEndStream):
		// What follows is a tunnel (RFC 9113, section 8.5; RFC 8441).
		c.accept(s)
	case !b.frame.has(flagEndStream):
		c.attachReader(s, response)
	}
}

// begin makes the part of a message that its header section decides.
func (c *conversation) begin(s *stream, which role, m *dissect.Message, b *block) (f fields, granted bool) {
	p := &s.parts[which]
	*p = part{msg: m, begun: true, first: b.first, last: b.last, size: b.size, flags: b.flags}
	p.identify(s)
	f = readFields(b.fields)
	p.flags |= f.flags
	p.length, p.hasLength = f.length, f.hasLength
	size := messageSize + b.list + fieldSize*(len(b.fields)-f.pseudo)
	if granted = c.sink.Keep(size); !granted {
		p.body.Cut = "memory"
		return f, false
	}
	p.reserved = size
	p.codings = f.codings
	c.remember(s, p)
	content := &m.Content
	content.Headers = make([]dissect.Header, 0, len(b.fields)-f.pseudo)
	for _, h := range b.fields {
		if !isPseudo(h.Name) {
			content.Headers = append(content.Headers, h)
		}
	}
	content.MediaType, content.Charset = f.mediaType, f.charset
	return f, true
}

// beginMidway begins a message whose header section was not seen.
func (c *conversation) beginMidway(s *stream, which role, d dissect.Direction, first conn.Mark) {
	p := &s.parts[which]
	*p = part{begun: true, first: first, last: first}
	if which == request {
		m := &requestMessage{}
		m.Protocol, p.msg = &m.info, &m.Message
	} else {
		m := &responseMessage{}
		m.Protocol, m.Kind, p.msg = &m.info, dissect.Response, &m.Message
	}
	p.msg.Direction, p.msg.Midway = d, true
	p.msg.Content.SizeUnknown = true
	p.identify(s)
	if c.sink.Keep(messageSize) {
		p.reserved = messageSize
		c.remember(s, p)
	} else {
		p.body.Cut = "memory"
	}
}

// trailers adds a trailer section (RFC 9113, section 8.1).
func (c *conversation) trailers(p *part, b *block) {
	if p.msg == nil {
		return
	}
	p.size += b.size
	p.last = b.last
	p.flags |= b.flags
	size := b.list + fieldSize*len(b.fields)
	if p.body.Cut == "memory" || len(b.fields) == 0 {
		return
	}
	if !c.sink.Keep(size) {
		p.body.Truncate("memory")
		return
	}
	p.reserved += size
	p.msg.Content.Trailers = append(p.msg.Content.Trailers, b.fields...)
}

// promise takes a PUSH_PROMISE: the request of a stream that the server opens
// (RFC 9113, section 8.4).
func (c *conversation) promise(b *block) {
	if b.promised%2 == 1 || c.streams.byID[b.promised] != nil {
		return
	}
	s := c.open(b.promised)
	if s == nil {
		return
	}
	c.beginRequest(s, b)
	s.parts[request].ended = true
	c.finish(s, request, "")
}

// finish hands a message over, if one is open. why is empty if it is whole.
func (c *conversation) finish(s *stream, which role, why conn.Reason) {
	p := &s.parts[which]
	m := p.msg
	if m == nil {
		return
	}
	if p.doubt != "" && why != "" {
		why = p.doubt
	}
	whole := p.hasLength && p.length == p.body.Size
	if whole && p.doubt == "" {
		// Whoever has the bytes that were announced need not wait for END_STREAM.
		why = ""
	}
	if why == "" {
		m.Ended = 0
	}
	m.Keyed, m.Key = true, uint64(s.id)
	m.First, m.Last, m.Size, m.GapBytes, m.Incomplete = p.first, p.last, p.size, p.gap, why
	switch {
	case why != "":
		p.body.Truncate("incomplete")
	case p.doubt != "" && !whole:
		p.body.Truncate("gap")
	case p.hasLength && !whole && p.gap == 0 && !s.head && p.status != 304 && m.Kind != dissect.Interim:
		p.flags |= flagLengthMismatch
	}
	if p.body.Finish(&m.Content, p.codings, c.limits.BodyBytes, c.sink) {
		p.flags |= flagCodingError
	}
	m.Events = p.body.EndStream(&m.Content, p.last, why)
	m.Flags = p.flags.names()
	m.Reserved = p.reserved + p.body.Reserved
	p.msg, p.reserved, p.body = nil, 0, httpmessage.Body{}
	c.sink.Message(m)
}
