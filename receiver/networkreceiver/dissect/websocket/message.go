// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"unicode/utf8"
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/dialogue"
)

// Info is Message.Protocol.
type Info struct {
	Opcode      string // text, binary, close, ping or pong
	Fragments   int    // frames that the message came in
	CloseCode   int    // of close; 0 if there is none
	CloseReason string

	said dialogue.Said // what it says in a protocol that is known
}

// String leaves out what it says: that is described, not shown.
func (i *Info) String() string {
	return fmt.Sprintf("{Opcode:%s Fragments:%d CloseCode:%d CloseReason:%s}", i.Opcode, i.Fragments, i.CloseCode, i.CloseReason)
}

// event is one allocation.
type event struct {
	dissect.Message
	info Info
}

const eventSize = int(unsafe.Sizeof(event{}))

// message is one that is under way.
type message struct {
	begun      bool
	opcode     opcode
	compressed bool
	fragments  int
	first      conn.Mark
	last       conn.Mark
	wire       uint64 // bytes on the wire, frame headers included
	size       uint64 // of the payload, before decompression
	gap        uint64
	kept       []byte
	reserved   int
	cut        string // why no more is kept
	flag       string // an oddity of its frames
}

func (m *message) see(n uint64, at conn.Mark) {
	m.wire += n
	at.Time = max(at.Time, m.last.Time)
	m.last = at
}

// take keeps what fits of a part of the payload, and returns where it lies.
func (m *message) take(b []byte, limit int, sink dissect.Sink) (kept []byte) {
	m.size += uint64(len(b))
	if m.cut != "" {
		return nil
	}
	fits := b[:min(len(b), limit-len(m.kept))]
	if need := len(m.kept) + len(fits); need > cap(m.kept) {
		want := min(max(need, 2*cap(m.kept)), max(limit, need))
		if !sink.Keep(want - cap(m.kept)) {
			m.cut = "memory"
			return nil
		}
		m.reserved += want - cap(m.kept)
		m.kept = append(make([]byte, 0, want), m.kept...)
	}
	if len(fits) < len(b) {
		m.cut = "limit"
		sink.Limit("body_bytes")
	}
	at := len(m.kept)
	m.kept = append(m.kept, fits...)
	return m.kept[at:]
}

// lose notes n bytes of the payload that were lost.
func (m *message) lose(n uint64) {
	m.size += n
	m.gap += n
	if m.cut == "" {
		m.cut = "gap"
	}
}

// finish makes the event of a message. why is empty if it is whole.
func (r *Reader) finish(m *message, why conn.Reason) {
	e := &event{info: Info{Opcode: m.opcode.String(), Fragments: m.fragments}}
	e.Kind, e.Direction, e.Protocol = dissect.Event, r.direction, &e.info
	e.Keyed, e.Key, e.Origin = r.Keyed, r.Key, r.Origin
	e.First, e.Last, e.Size, e.GapBytes, e.Incomplete = m.first, m.last, m.wire, m.gap, why
	if m.flag != "" {
		e.Flags = []string{m.flag}
	}
	c := &e.Content
	c.BodySize, c.KeptSize = m.size, uint64(len(m.kept))
	if why != "" && m.cut == "" {
		m.cut = "incomplete"
	}
	if m.compressed {
		r.inflate(m, c)
	}
	c.Body, c.Truncated = m.kept, m.cut
	if m.opcode == opClose {
		e.info.CloseCode, e.info.CloseReason = closing(c.Body)
		c.Body = nil
	}
	c.MediaType = mediaType(m.opcode, c)
	if r.sink.Keep(eventSize) {
		m.reserved += eventSize
	}
	e.Reserved = m.reserved
	*m = message{}
	r.talk.take(r, e)
	r.sink.Message(&e.Message)
}

// closing reads the payload of a close frame (RFC 6455, section 5.5.1).
func closing(b []byte) (code int, reason string) {
	if len(b) < 2 {
		return 0, ""
	}
	return int(binary.BigEndian.Uint16(b)), string(b[2:])
}

// mediaType tells what a payload looks like: the protocol has no header for it.
func mediaType(o opcode, c *dissect.Content) string {
	text := bytes.TrimLeft(c.Body, " \t\r\n")
	switch {
	case c.DecodeError || o == opBinary && !utf8.Valid(c.Body):
		return "application/octet-stream"
	case len(text) > 0 && (text[0] == '{' || text[0] == '[') && (c.Truncated != "" || json.Valid(c.Body)):
		return "application/json"
	case o == opBinary:
		return "application/octet-stream"
	}
	return "text/plain"
}
