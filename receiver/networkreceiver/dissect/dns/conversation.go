// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/binary"
	"fmt"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// conversation is what two ends say to each other over one transport.
type conversation struct {
	stream  bool
	limits  dissect.Limits
	sink    dissect.Sink
	queries queries
	// short is a datagram that ends before its message does. If the capture has
	// cut it, a gap follows at once.
	short *dissect.Message
	// transfer is a zone transfer under way.
	transfer *transfer
	// gaps are how often bytes of each direction were lost.
	gaps  [2]int
	ended [2]bool
}

// Data takes datagrams, or messages after their length.
func (c *conversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	c.flush()
	if !c.stream {
		return len(b), 0, c.message(d, m, b, 0)
	}
	if len(b) < lengthBytes+headerBytes {
		return 0, lengthBytes + headerBytes, nil
	}
	end := lengthBytes + int(binary.BigEndian.Uint16(b))
	if end < lengthBytes+headerBytes || !possible(b[lengthBytes:], end-lengthBytes) {
		c.endTransfer(d, dissect.ReasonViolation)
		return 0, 0, fmt.Errorf("header: %w", dissect.ErrViolation)
	}
	// The question comes first, so that no time is lost with what is no message.
	if most := lengthBytes + headerBytes + maxName + questionBytes; len(b) < min(end, most) {
		return 0, min(end, most), nil
	}
	if len(b) < end {
		return 0, end, nil
	}
	if err = c.message(d, m, b[:end], lengthBytes); err != nil {
		c.endTransfer(d, dissect.ReasonViolation)
		return 0, 0, err
	}
	return end, 0, nil
}

// Gap counts what is missing of a datagram. In a stream, a new start has to be
// found.
func (c *conversation) Gap(d dissect.Direction, _ conn.Mark, n uint64) (resumed bool) {
	if c.stream {
		c.gaps[d]++
		c.endTransfer(d, dissect.ReasonGap)
		return false
	}
	if m := c.short; m != nil {
		m.GapBytes, m.Size, m.Incomplete = n, m.Size+n, dissect.ReasonGap
		m.Last.Offset += n
		m.Content.BodySize += n
		m.Content.Truncated = "gap"
		m.Flags = nil
	}
	c.flush()
	return true
}

// End hands over what is held.
func (c *conversation) End(d dissect.Direction, _ int64, r conn.Reason) {
	c.flush()
	c.endTransfer(d, r)
	if c.ended[d] = true; c.ended[d.Other()] {
		c.queries.clear(c.sink)
	}
}

func (c *conversation) flush() {
	if c.short != nil {
		c.sink.Message(c.short)
		c.short = nil
	}
}

// message dissects one message, which stands in b after prefix bytes.
func (c *conversation) message(d dissect.Direction, m dissect.Marks, b []byte, prefix int) error {
	p, err := parse(b[prefix:], c.limits.BodyBytes)
	if err != nil {
		return fmt.Errorf("%w: %w", err, dissect.ErrViolation)
	}
	first := m.At(0)
	role := dissect.ToServer
	if p.response() {
		role = dissect.ToClient
	}
	out := &dissect.Message{
		Kind: dissect.Request, Direction: role, Reversed: role != d, Keyed: true,
		First: first, Last: m.At(len(b) - 1), Size: uint64(len(b)),
		Flags: p.flags,
	}
	out.Key = p.keyOf(out.Reversed)
	info := p.Info
	out.Protocol = &info
	if p.response() {
		c.response(out, &p)
	} else if c.isRetry(out, &info) {
		return nil
	}
	c.keep(out, &p, &info, uint64(len(b)-prefix))
	switch {
	case c.stream && c.continues(d, out, &p, &info):
	case p.cut && !c.stream:
		c.short = out
	default:
		c.sink.Message(out)
	}
	return nil
}

// keyOf is the id and the question. Both ends of a connection can ask.
func (p *parsed) keyOf(reversed bool) uint64 {
	h := mix(mix(p.key, byte(p.ID>>8)), byte(p.ID))
	if reversed {
		h = mix(h, 1)
	}
	return h
}

// isRetry tells whether a datagram is a query that was sent before, and counts it.
// Other queries are remembered.
func (c *conversation) isRetry(m *dissect.Message, info *Info) bool {
	now := m.First.Time
	if known := c.queries.find(m.Key, now); known != nil && !known.answered && !c.stream {
		known.info.Retries++
		return true
	}
	c.queries.limit, c.queries.age = c.limits.Outstanding, c.limits.Age
	c.queries.add(&query{key: m.Key, id: info.ID, reversed: m.Reversed, since: now, gaps: c.gaps, info: info}, c.sink)
	return false
}

// response finds the query of a response.
func (c *conversation) response(m *dissect.Message, p *parsed) {
	m.Kind = dissect.Response
	known := c.queries.find(m.Key, m.First.Time)
	if p.Questions == 0 {
		if !c.stream && p.ID == 0 && p.Bits&bitAA != 0 {
			m.Kind = dissect.OneWay // multicast DNS tells without being asked
			return
		}
		known = c.queries.findID(p.ID, m.Reversed, m.First.Time)
	}
	if known == nil || c.stream && (known.answered || known.doubtful(c.gaps)) {
		// It must not be taken for the response to another query that asks the same.
		m.Key = (m.Key ^ m.First.Offset) + 1
		return
	}
	m.Key = known.key
	if known.answered {
		m.Kind = dissect.OneWay
		m.Flags = append(m.Flags, flagRepeat)
	}
	known.answered = true
}

// messageBytes is about what a message takes besides its text.
const messageBytes = 1 << 10

// keep asks for the memory of what a message keeps: its question at any rate.
func (c *conversation) keep(m *dissect.Message, p *parsed, info *Info, size uint64) {
	content := &m.Content
	content.BodySize = size
	content.MediaType, content.Charset = "text/plain", "us-ascii"
	need := messageBytes + p.text.len()
	for _, answer := range info.Answers {
		need += 2 * len(answer)
	}
	if !c.sink.Keep(need) {
		info.Answers, info.Addresses, info.EDNS.ExtendedErrors = nil, nil, nil
		content.Truncated = "memory"
		return
	}
	m.Reserved = need
	content.Body = p.text.bytes()
	content.KeptSize = uint64(p.kept)
	if p.text.cut {
		c.sink.Limit("body_bytes")
		content.Truncated = "limit"
	}
}
