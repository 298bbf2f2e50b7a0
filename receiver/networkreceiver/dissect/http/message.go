// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"strings"
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

const (
	// maxStarved is how much of a start line's text is kept without a grant.
	maxStarved = 1 << 10
	// What a message holds besides its text: itself, and each field.
	messageSize = int(unsafe.Sizeof(requestMessage{}))*9/8 + dissect.WaitBytes
	headerSize  = int(unsafe.Sizeof(dissect.Header{}))
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

// begin makes a message from a section: a start line and what there is of the
// field lines. If why is set, nothing follows.
func (c *conversation) begin(d dissect.Direction, h *half, section []byte, why conn.Reason) error {
	// One copy holds all names and values.
	text := string(section)
	line, n, flags := consumeLine(text)
	if d == dissect.ToServer {
		info, f, ok := parseRequestLine(line)
		if !ok {
			return dissect.ErrViolation
		}
		m := &requestMessage{info: info}
		m.Protocol = &m.info
		c.talked = true
		h.msg, h.flags = &m.Message, flags|f|h.strayFlag()
		c.beginRequest(h, &m.info, text[n:], why)
		return nil
	}
	info, f, ok := parseStatusLine(line)
	if !ok {
		return dissect.ErrViolation
	}
	m := &responseMessage{info: info}
	m.Protocol, m.Kind = &m.info, kindOfResponse(info.Status)
	h.msg, h.flags = &m.Message, flags|f|h.strayFlag()
	c.beginResponse(h, &m.info, text[n:], why)
	return nil
}

// strayFlag tells of bytes before the message that belong to none.
func (h *half) strayFlag() flagSet {
	if !h.stray {
		return 0
	}
	h.stray = false
	return flagStrayBytes
}

func (c *conversation) beginRequest(h *half, r *RequestInfo, fieldLines string, why conn.Reason) {
	f, granted := c.readFields(dissect.ToServer, h, fieldLines)
	r.Host = f.host
	if why == "" {
		f.flagTarget(r)
	}
	how := f.requestFraming(r.Version)
	if !granted {
		r.starve()
	}
	if c.queue.push(asked{kindOf(r.Method, f.upgrade), r.Target}, c.limits.Outstanding) {
		c.sink.Limit("outstanding")
	}
	h.flags |= f.flags
	h.expect = f.expect
	h.offered = f.upgrade == "h2c" && why == ""
	if f.upgrade == "websocket" && why == "" {
		c.noteHandshake(h)
	}
	c.follow(h, how, f.length, why)
}

func (c *conversation) beginResponse(h *half, r *ResponseInfo, fieldLines string, why conn.Reason) {
	f, granted := c.readFields(dissect.ToClient, h, fieldLines)
	q, queued := c.queue.first()
	how := f.responseFraming(r.Version, r.Status, q.kind)
	h.guess = !queued || c.queue.doubtful
	h.guessed = h.guess || c.lossy
	if !h.guess {
		h.target = q.target
	}
	if h.msg.Kind == dissect.Response {
		c.answer(queued)
	}
	if !granted {
		r.starve()
	}
	h.flags |= f.flags
	if how == tunnel && why == "" {
		if f.upgrade == "websocket" {
			c.noteHandshake(h)
		}
		if q.kind&isCONNECT != 0 {
			c.connected = h.target
		}
		c.handOver(h, strings.Clone(f.upgrade))
		return
	}
	c.follow(h, how, f.length, why)
}

// readFields reads the field lines of the message of h. If there is no memory for
// them, only what they decide is kept.
func (c *conversation) readFields(d dissect.Direction, h *half, fieldLines string) (f fields, granted bool) {
	lines := min(strings.Count(fieldLines, "\n"), maxFields)
	headers, flags := appendFields(make([]dissect.Header, 0, lines), fieldLines)
	if flags&flagHeaderCount != 0 {
		c.sink.Limit("header_count")
	}
	f = scanFields(headers)
	f.flags |= flags | rareBytes(fieldLines)
	h.codings = f.codings

	h.msg.Direction, h.msg.First = d, h.first
	content := &h.msg.Content
	size := messageSize + len(fieldLines) + headerSize*lines
	if granted = c.sink.Keep(size); granted {
		h.reserved = size
		content.Headers, content.MediaType, content.Charset = headers, f.mediaType, f.charset
	} else {
		h.body.Cut = "memory"
		h.codings = nil
	}
	return f, granted
}

// handOver ends HTTP on this connection: the response of h has switched protocols.
func (c *conversation) handOver(h *half, protocol string) {
	h.offered = protocol == "h2c" && len(c.offer) > 0
	c.finish(h, "")
	if other := &c.halves[dissect.ToServer]; other.phase != inHead {
		c.finish(other, dissect.ReasonUpgrade)
	}
	for i := range c.halves {
		c.halves[i].phase = handedOver
		c.dropPartial(&c.halves[i])
	}
	c.sink.Upgrade(protocol)
}

// answer takes the request that a final response belongs to out of the queue.
func (c *conversation) answer(queued bool) {
	h := &c.halves[dissect.ToServer]
	switch {
	case queued:
		c.queue.pop()
		h.answered = h.phase != inHead && h.expect && c.queue.len() == 0
	case len(h.partial) > 0:
		c.queue.answered = 1
	}
}

// follow sets what comes after the header section.
func (c *conversation) follow(h *half, how framing, length uint64, why conn.Reason) {
	if why != "" {
		h.msg.Content.SizeUnknown = why == dissect.ReasonGap || why == dissect.ReasonViolation
		c.finish(h, why)
		return
	}
	switch how {
	case byLength:
		h.phase, h.body.left, h.body.exact = inBody, length, true
	case byChunks:
		h.phase = inChunkSize
	case untilClose:
		h.phase = inOpenBody
	default:
		c.finish(h, "")
		return
	}
	c.attachReader(h)
}

// finish hands over the message of h. why is empty if it is whole.
func (c *conversation) finish(h *half, why conn.Reason) {
	m := h.msg
	m.Last, m.Incomplete, m.GapBytes = h.last, why, h.gapBytes
	m.Size = m.Last.Offset - m.First.Offset + 1
	c.finishBody(h, &m.Content, why)
	m.Flags = h.flags.names()
	m.Reserved = h.reserved
	offered := h.offered && why == ""
	// What belongs to the direction stays, what belongs to the message goes.
	*h = half{partial: h.partial, held: h.held, unsure: h.unsure, sure: why == "" && !h.guessed}
	c.handOn(m, offered)
}

// finishBody gives the kept body its final form.
func (c *conversation) finishBody(h *half, content *dissect.Content, why conn.Reason) {
	b := &h.body
	if why != "" {
		b.Truncate("incomplete")
	}
	if b.Finish(content, h.codings, c.limits.BodyBytes, c.sink) {
		h.flags |= flagCodingError
	}
	h.msg.Events = b.EndStream(content, h.last, why)
	h.reserved += b.Reserved
}

// keepTrailers reads a trailer section (RFC 9112, section 7.1.2).
func (c *conversation) keepTrailers(h *half, section []byte) {
	lines := min(bytes.Count(section, []byte{'\n'}), maxFields)
	size := len(section) + headerSize*lines
	if !c.sink.Keep(size) {
		h.body.Truncate("memory")
		return
	}
	h.reserved += size
	text := string(section)
	trailers, f := appendFields(make([]dissect.Header, 0, lines), text)
	h.msg.Content.Trailers = trailers
	h.flags |= f | rareBytes(text)
}

// flagTarget applies RFC 9112, section 3.2: a target in one of its forms, and exactly one
// Host field, the same as in an absolute-form target.
func (f *fields) flagTarget(r *RequestInfo) {
	switch {
	case f.hosts > 1:
		f.flags |= flagDuplicateHost
	case f.hosts == 0 && r.Version != "1.0":
		f.flags |= flagMissingHost
	}
	t := httpmessage.ParseTarget(r.Method, r.Target)
	if t.Scheme == "" && t.Path != "" && t.Path[0] != '/' {
		f.flags |= flagRelativeTarget
	}
	if t.Scheme != "" && f.hosts > 0 && !strings.EqualFold(t.Host(), f.host) {
		f.flags |= flagHostMismatch
	}
}

// starve keeps only what has a place without a grant.
func (r *RequestInfo) starve() {
	r.Method, r.Version = strings.Clone(r.Method), strings.Clone(r.Version)
	r.Target = strings.Clone(dissect.Clip(r.Target, maxStarved))
	r.Host = strings.Clone(dissect.Clip(r.Host, maxStarved))
}

func (r *ResponseInfo) starve() {
	r.Version = strings.Clone(r.Version)
	r.Reason = strings.Clone(dissect.Clip(r.Reason, maxStarved))
}

// kindOfResponse tells interim responses (RFC 9110, section 15.2) from final ones.
// After 101 no other response follows.
func kindOfResponse(status int) dissect.Kind {
	if status < 200 && status != 101 {
		return dissect.Interim
	}
	return dissect.Response
}
