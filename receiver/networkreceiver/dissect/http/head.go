// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// head consumes a start line and header section, or a part of them.
func (c *conversation) head(d dissect.Direction, h *half, m dissect.Marks, at int, b []byte) (n, need int, err error) {
	if len(h.partial) > 0 {
		return c.moreHead(d, h, m, at, b)
	}
	if c.simple && d == dissect.ToClient {
		begun, need := c.simpleAnswer(h, m, at, b)
		if begun {
			return c.step(d, h, m, at, b)
		}
		if need > 0 {
			return 0, need, nil
		}
	}
	if n = consumeEmptyLines(b); n > 0 {
		return n, 0, nil
	}
	if !plausible(d, b) {
		if d == dissect.ToClient && isAlert(b) {
			return c.alert(m, at, b)
		}
		if c.mayHandOver(d) {
			return 0, 0, nil
		}
		return 0, 0, dissect.ErrViolation
	}
	if c.mayHandOver(d) && probeRequest(b) != dissect.Yes {
		return 0, 0, nil
	}
	if h.unsure || h.stray {
		switch startsMessage(d, b) {
		case dissect.No:
			return 0, 0, dissect.ErrViolation
		case dissect.NeedMore:
			return 0, len(b) + 1, nil
		}
		c.found(d, h)
	}
	return c.firstHead(d, h, m, at, b[:min(len(b), c.limits.HeaderBytes)])
}

// found is for the start of a message after a loss.
func (c *conversation) found(d dissect.Direction, h *half) {
	if h.unsure && d == dissect.ToClient {
		c.queue.lostResponses()
	}
	h.unsure = false
}

// firstHead consumes a header section from its first byte.
func (c *conversation) firstHead(d dissect.Direction, h *half, m dissect.Marks, at int, b []byte) (n, need int, err error) {
	h.first = m.At(at)
	h.last = h.first
	n, resume := sectionEnd(b, 0)
	if n >= 0 {
		h.see(m.At(at + n - 1))
		if err = c.begin(d, h, b[:n], ""); err != nil {
			return 0, 0, err // a message may begin in it
		}
		return n, 0, nil
	}
	if c.mayBeSimple(d) && isSimpleRequest(b) {
		h.see(m.At(at + len(b) - 1))
		c.beginSimple(h, b)
		return len(b), 0, nil
	}
	if !c.hold(h, b) {
		return 0, 0, dissect.ErrViolation
	}
	h.see(m.At(at + len(b) - 1))
	h.scanned = resume
	return len(b), 0, nil
}

// moreHead continues a header section that did not come in one piece.
func (c *conversation) moreHead(d dissect.Direction, h *half, m dissect.Marks, at int, b []byte) (n, need int, err error) {
	before := len(h.partial)
	if before == c.limits.HeaderBytes {
		c.sink.Limit("header_bytes")
		return 0, 0, dissect.ErrViolation
	}
	b = b[:min(len(b), c.limits.HeaderBytes-before)]
	if d == dissect.ToServer && h.sure && h.strayBefore(b) {
		c.dropPartial(h)
		h.stray = true
		return c.firstHead(d, h, m, at, b)
	}
	if !c.hold(h, b) || !plausible(d, h.partial) {
		return 0, 0, dissect.ErrViolation
	}
	end, resume := sectionEnd(h.partial, h.scanned)
	if end < 0 {
		h.see(m.At(at + len(b) - 1))
		h.scanned = resume
		if c.mayBeSimple(d) && isSimpleRequest(h.partial) {
			c.beginSimple(h, h.partial)
			c.dropPartial(h)
		}
		return len(b), 0, nil
	}
	n = end - before
	h.see(m.At(at + n - 1))
	section := h.partial[:end]
	err = c.begin(d, h, section, "")
	c.dropPartial(h)
	if err != nil {
		return 0, 0, err
	}
	return n, 0, nil
}

// strayBefore reports whether what is held of a start line are stray bytes, and b begins a
// request: together they make no method that is registered. Only that the client has sent
// them apart tells, so this is the one place where it matters where a segment ends.
func (h *half) strayBefore(b []byte) bool {
	if !isToken(string(h.partial)) || !startsKnown(b) || startsMessage(dissect.ToServer, b) != dissect.Yes {
		return false
	}
	return !known(append(h.partial[:len(h.partial):len(h.partial)], b[:methodEnd(b)]...))
}

// hold appends b to the partial header section, within the memory budget.
func (c *conversation) hold(h *half, b []byte) bool {
	if need := len(h.partial) + len(b); need > cap(h.partial) {
		want := max(need, 2*cap(h.partial), 1<<10)
		if !c.sink.Keep(want - h.held) {
			return false
		}
		h.held = want
		h.partial = append(make([]byte, 0, want), h.partial...)
	}
	h.partial = append(h.partial, b...)
	return true
}

func (c *conversation) dropPartial(h *half) {
	c.sink.Release(h.held)
	h.partial, h.held, h.scanned = nil, 0, 0
}

// mayHandOver reports whether the next bytes of the client may be another
// protocol's: it asked to change the protocol and has no answer yet.
func (c *conversation) mayHandOver(d dissect.Direction) bool {
	return d == dissect.ToServer && c.queue.last()&(isCONNECT|isUpgrade) != 0
}

// plausible is a cheap check of the first bytes of a start line.
func plausible(d dissect.Direction, b []byte) bool {
	if d == dissect.ToServer {
		return methodEnd(b) >= 0
	}
	const form = "HTTP/1."
	n := min(len(b), len(form))
	return string(b[:n]) == form[:n]
}
