// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"
)

// phase is the part of a message that comes next in one direction.
type phase uint8

const (
	inHead      phase = iota // between messages, or in a start line or header section
	inBody                   // in a body of known length
	inChunkSize              // at a chunk-size line
	inChunk                  // in a chunk's data
	inChunkEnd               // at the CRLF after a chunk's data
	inTrailers               // in a trailer section
	inOpenBody               // in a body that ends with the connection
	handedOver               // not HTTP any more
)

// conversation is one connection: two directions that each read messages, and the
// requests between them that decide how responses are framed.
type conversation struct {
	applications *application.Set

	limits dissect.Limits
	sink   dissect.Sink
	halves [2]half
	queue  queue
	// lossy is set once messages may have been lost: which request a response answers,
	// and with it how it is framed, is not certain any more.
	lossy bool
	// talked is set once a request has begun, and simple while the response to a request
	// of HTTP/0.9 is to come.
	talked, simple bool
	teller         teller
	// offer is a request that asked to go on with HTTP/2, until its answer comes, and
	// then the answer that agrees. The call goes on in HTTP/2.
	offer []*dissect.Message
	// handshake is what is remembered of a request to go on with WebSocket, and of the
	// answer that agrees.
	handshake []*dissect.Message
	// connected is the target of CONNECT, when it has succeeded.
	connected string
}

// half is one direction.
type half struct {
	phase phase
	// unsure is set after a loss: what comes next is a message only if it looks
	// like one beyond its first line.
	unsure bool
	// stray is set where bytes between two messages belong to none: nothing was lost,
	// but what comes next has to look like a message as well.
	stray bool
	// sure is set where the message before ended at a place that is known.
	sure bool
	// partial is a header section that did not come in one piece.
	partial []byte
	held    int // granted by Sink.Keep for partial
	scanned int // how far partial, or an unused trailer section, was searched for its end
	first   conn.Mark
	last    conn.Mark

	// The rest belongs to the message whose body comes.
	msg      *dissect.Message
	flags    flagSet
	codings  []string
	body     body
	reserved int
	gapBytes uint64
	// answered is set on a request with Expect whose final response has come,
	// and guess on a response whose request is not known: both may have no body,
	// against what their header section says.
	expect, answered, guess bool
	// guessed is set on a response whose framing may be wrong.
	guessed bool
	// target is that of the request that a response answers, if it is known.
	target string
	// offered is set on a request that asks to go on with HTTP/2.
	offered bool
	// begun is set where the sink knows that the message has begun.
	begun bool
}

// Forewarn implements dissect.Forewarned.
func (c *conversation) Forewarn(d dissect.Direction) {
	c.lossy = true
	if h := &c.halves[d]; h.stray {
		c.abandon(d, h, dissect.ReasonGap)
	}
}

// Data takes the next bytes of one direction.
func (c *conversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	h := &c.halves[d]
	used, need, err = c.read(d, h, m, b)
	c.progress(h)
	return used, need, err
}

// read is Data for a direction's half.
func (c *conversation) read(d dissect.Direction, h *half, m dissect.Marks, b []byte) (used, need int, err error) {
	for used < len(b) {
		var n int
		n, need, err = c.step(d, h, m, used, b[used:])
		used += n
		if n == 0 && h.phase != inHead && h.phase != handedOver && len(b)-used >= c.limits.HeaderBytes {
			c.sink.Limit("header_bytes")
			err = dissect.ErrViolation
		}
		if err != nil {
			return used, 0, c.violation(d, h)
		}
		if n == 0 {
			return used, need, nil
		}
	}
	return used, 0, nil
}

// step consumes the next part of a message from b, which starts at index at of the
// data that m marks.
func (c *conversation) step(d dissect.Direction, h *half, m dissect.Marks, at int, b []byte) (n, need int, err error) {
	if h.guess || c.mayBeAnswered(h) {
		decided, absent := h.bodyAbsent(d, b)
		if !decided {
			return 0, len(b) + 1, nil
		}
		if absent {
			h.flags |= absentFlag[d]
			c.finish(h, "")
		}
		h.guess, h.answered = false, false
	}
	switch h.phase {
	case inHead:
		return c.head(d, h, m, at, b)
	case inBody, inChunk:
		n = int(min(uint64(len(b)), h.body.left))
		h.body.Read(b[:n], m, at)
		h.body.take(b[:n], c.limits.BodyBytes, c.sink)
		h.body.left -= uint64(n)
	case inOpenBody:
		n = len(b)
		h.body.Read(b, m, at)
		h.body.take(b, c.limits.BodyBytes, c.sink)
	case inChunkSize:
		n, err = h.chunkSize(b)
	case inChunkEnd:
		var f flagSet
		n, f = consumeLineEnd(b)
		h.flags |= f
		if n > 0 {
			h.phase = inChunkSize
		}
	case inTrailers:
		return c.trailers(h, m, at, b)
	case handedOver:
		return 0, 0, nil
	}
	if n < 0 || err != nil {
		return 0, 0, dissect.ErrViolation
	}
	if n > 0 {
		h.see(m.At(at + n - 1))
	}
	c.bodyEnd(h)
	return n, 0, nil
}

// bodyEnd goes on to what follows when all of a body or chunk is there.
func (c *conversation) bodyEnd(h *half) {
	if h.body.left > 0 {
		return
	}
	switch h.phase {
	case inBody:
		c.finish(h, "")
	case inChunk:
		h.phase = inChunkEnd
	}
}

func (h *half) chunkSize(b []byte) (n int, err error) {
	size, n, f := consumeChunkSize(b)
	h.flags |= f
	switch {
	case n < 0:
		return 0, dissect.ErrViolation
	case n == 0:
	case size == 0:
		h.phase, h.scanned = inTrailers, 0
	default:
		h.phase, h.body.left = inChunk, size
	}
	return n, nil
}

func (c *conversation) trailers(h *half, m dissect.Marks, at int, b []byte) (n, need int, err error) {
	if n, _ = consumeLineEnd(b); n <= 0 {
		n, h.scanned = sectionEnd(b, h.scanned)
	}
	if n < 0 {
		return 0, len(b) + 1, nil
	}
	if n > c.limits.HeaderBytes {
		c.sink.Limit("header_bytes")
		return 0, 0, dissect.ErrViolation
	}
	h.see(m.At(at + n - 1))
	if n > 2 && h.body.Cut != "memory" {
		c.keepTrailers(h, b[:n])
	}
	c.finish(h, "")
	return n, 0, nil
}

// mayBeAnswered reports whether the final response to a request with Expect has
// come, or may have been lost: the client may leave out the body.
func (c *conversation) mayBeAnswered(h *half) bool {
	return h.answered || h.expect && c.halves[dissect.ToClient].unsure
}

// absentFlag says why a message has no body although its header section announces
// one: Expect was refused, or the response must be one to HEAD.
var absentFlag = [...]flagSet{dissect.ToServer: flagBodyOmitted, dissect.ToClient: flagHeadAssumed}

// bodyAbsent looks at the bytes where a doubtful body would start. If a message
// starts there, there is no body.
func (h *half) bodyAbsent(d dissect.Direction, b []byte) (decided, absent bool) {
	if h.body.Size > 0 || h.phase == inHead {
		return true, false
	}
	// A request's body may well look like the beginning of a request line.
	whole := d == dissect.ToServer && h.phase == inBody && uint64(len(b)) >= h.body.left
	if whole {
		b = b[:h.body.left]
	}
	verdict := probeStart(d, b)
	return whole || verdict != dissect.NeedMore, verdict == dissect.Yes
}

// Gap says that n bytes are missing.
func (c *conversation) Gap(d dissect.Direction, m conn.Mark, n uint64) (resumed bool) {
	h := &c.halves[d]
	defer c.progress(h)
	switch h.phase {
	case handedOver:
		return false
	case inOpenBody:
		h.lose(m, n)
		return true
	case inBody, inChunk:
		if h.body.Size == 0 && c.mayBeAnswered(h) {
			break // it may be the next request that is lost
		}
		if n <= h.body.left {
			h.body.left -= n
			h.lose(m, n)
			c.bodyEnd(h)
			return true
		}
		h.lose(m, h.body.left)
	}
	c.abandon(d, h, dissect.ReasonGap)
	return false
}

// lose counts n > 0 bytes of the body as lost.
func (h *half) lose(m conn.Mark, n uint64) {
	h.body.Lose(n)
	h.gapBytes += n
	h.guess, h.answered = false, false
	m.Offset += n - 1
	m.Seq += uint32(n - 1)
	h.see(m)
}

// see moves the end of the message to m. Its time is when all up to there had come:
// a byte that was sent again may come later than those behind it.
func (h *half) see(m conn.Mark) {
	m.Time = max(m.Time, h.last.Time)
	h.last = m
}

// End says that no more bytes will come.
func (c *conversation) End(d dissect.Direction, _ int64, r conn.Reason) {
	h := &c.halves[d]
	if h.phase == handedOver {
		return
	}
	if h.phase == inOpenBody && r == conn.ReasonFIN {
		c.finish(h, "")
		return
	}
	c.interrupt(d, h, cmp.Or(r, conn.ReasonShutdown))
	c.withdrawOffer()
}

// violation ends what is in progress because bytes are not of the protocol. Between
// messages that takes nothing away: a body that is longer than its message says, or
// padding, is no message of its own.
func (c *conversation) violation(d dissect.Direction, h *half) error {
	if h.phase != inHead || !h.sure || len(h.partial) >= c.limits.HeaderBytes {
		c.abandon(d, h, dissect.ReasonViolation)
		return dissect.ErrViolation
	}
	h.stray = true
	c.dropPartial(h)
	return dissect.ErrStray
}

// abandon ends the message in progress after a loss or a violation. The requests
// that are outstanding are forgotten: which response comes next is not known.
func (c *conversation) abandon(d dissect.Direction, h *half, why conn.Reason) {
	c.interrupt(d, h, why)
	c.withdrawOffer()
	c.queue.clear()
	h.unsure, h.sure, h.stray = true, false, false
	c.lossy = true
}

// interrupt ends the message in progress, if there is one, before it is whole.
func (c *conversation) interrupt(d dissect.Direction, h *half, why conn.Reason) {
	switch {
	case h.phase != inHead:
		c.finish(h, why)
	case len(h.partial) > 0:
		// As far as there are whole lines.
		if lines := h.partial[:bytes.LastIndexByte(h.partial, '\n')+1]; len(lines) > 0 {
			_ = c.begin(d, h, lines, why)
		} else if why == dissect.ReasonGap {
			c.beginCut(d, h)
		}
	}
	c.dropPartial(h)
}
