// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"github.com/miekg/dns"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// transfer is the response to a zone transfer, which is as many messages as the
// zone needs (RFC 5936, section 2.2). It is handed over as one: the first message,
// with what the others add to it.
type transfer struct {
	message   *dissect.Message
	info      *Info
	direction dissect.Direction
	soa       string // the record that it begins and ends with
}

// continues holds a message that belongs to a transfer under way, or begins one.
func (c *conversation) continues(d dissect.Direction, m *dissect.Message, p *parsed, info *Info) bool {
	if m.Kind != dissect.Response {
		return false
	}
	t := c.transfer
	switch {
	case t == nil && !p.beginsTransfer():
		return false
	case t == nil:
		c.transfer = &transfer{message: m, info: info, direction: d, soa: p.soa[0]}
		return true
	case t.direction != d || t.info.ID != info.ID:
		return false
	}
	c.join(t, m, info)
	if p.Code != dns.RcodeSuccess || p.soa[1] == t.soa {
		c.endTransfer(d, "")
	}
	return true
}

// beginsTransfer tells whether more messages will follow.
func (p *parsed) beginsTransfer() bool {
	transfers := p.Question.Type == dns.TypeAXFR || p.Question.Type == dns.TypeIXFR && p.Records[0] > 1
	whole := p.Records[0] > 1 && p.soa[0] == p.soa[1]
	return transfers && p.Code == dns.RcodeSuccess && p.soa[0] != "" && !whole
}

// join adds a message to a transfer.
func (c *conversation) join(t *transfer, m *dissect.Message, info *Info) {
	whole, part := t.message, m
	whole.Last = part.Last
	whole.Size += part.Size
	for i, n := range info.Records {
		t.info.Records[i] += n
	}
	t.info.Code = info.Code
	into, from := &whole.Content, &part.Content
	into.BodySize += from.BodySize
	room := c.limits.BodyBytes - max(len(into.Body), int(into.KeptSize))
	if into.Truncated == "" && from.Truncated == "" && len(from.Body) < room && int(from.KeptSize) <= room {
		into.Body = append(append(into.Body, '\n'), from.Body...)
		into.KeptSize += from.KeptSize
		whole.Reserved += part.Reserved
		return
	}
	if into.Truncated == "" {
		into.Truncated = "limit"
		if from.Truncated != "" {
			into.Truncated = from.Truncated
		}
	}
	c.sink.Release(part.Reserved)
}

// endTransfer hands over a transfer of a direction. why is empty where it is whole.
func (c *conversation) endTransfer(d dissect.Direction, why conn.Reason) {
	if t := c.transfer; t != nil && t.direction == d {
		c.transfer = nil
		t.message.Incomplete = why
		c.sink.Message(t.message)
	}
}
