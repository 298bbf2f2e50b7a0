// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package line is the dissector of a tiny protocol that exists for tests only. It
// shows what a dissector consists of, and has one of everything: bodies, interim
// responses, messages of one way, an upgrade, resynchronisation.
//
//	client                      server
//	GET key LF                  OK size LF body
//	PUT key size LF body        ERR text LF
//	NOTE text LF (one way)      WAIT LF (interim)
//	SWITCH name LF              SWITCHED name LF (what follows is another protocol)
package line // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest/line"

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Dissector is the dissector of the line protocol. Name is "line" by default.
type Dissector struct{ Name string }

// Line is Message.Protocol.
type Line struct{ Verb, Argument string }

var (
	_ dissect.Dissector    = Dissector{}
	_ dissect.Conversation = (*conversation)(nil)
	_ dissect.Resyncer     = (*conversation)(nil)
)

// Info implements dissect.Dissector.
func (d Dissector) Info() dissect.Info {
	if d.Name == "" {
		d.Name = "line"
	}
	return dissect.Info{
		Name:       d.Name,
		Transport:  capture.TCP,
		Ports:      []uint16{7000},
		ProbeBytes: 64,
		Limits:     dissect.Limits{HeaderBytes: 64, BodyBytes: 32, Outstanding: 8, Age: 10e9},
	}
}

var verbs = [2][]string{
	dissect.ToServer: {"GET ", "PUT ", "NOTE ", "SWITCH "},
	dissect.ToClient: {"OK ", "ERR ", "WAIT\n", "SWITCHED "},
}

// Probe implements dissect.Dissector.
func (Dissector) Probe(client, server []byte) dissect.Verdict {
	forward := max(starts(dissect.ToServer, client), starts(dissect.ToClient, server))
	backward := max(starts(dissect.ToServer, server), starts(dissect.ToClient, client))
	switch {
	case forward == dissect.Yes:
		return dissect.Yes
	case backward == dissect.Yes:
		return dissect.Reversed
	}
	return max(forward, backward)
}

// starts tells whether b begins with a verb of a direction.
func starts(d dissect.Direction, b []byte) dissect.Verdict {
	if len(b) == 0 {
		return dissect.No
	}
	for _, verb := range verbs[d] {
		n := min(len(b), len(verb))
		if string(b[:n]) == verb[:n] {
			if n == len(verb) {
				return dissect.Yes
			}
			return dissect.NeedMore
		}
	}
	return dissect.No
}

// New implements dissect.Dissector.
func (Dissector) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	return &conversation{limits: limits, sink: sink}
}

// Describe implements dissect.Dissector.
func (Dissector) Describe(_ dissect.Side, req, resp *dissect.Message, out dissect.Attributes) dissect.Summary {
	var s dissect.Summary
	if req != nil {
		l := req.Protocol.(Line)
		out.Str("line.verb", l.Verb)
		s.Name = l.Verb
	}
	if resp != nil {
		l := resp.Protocol.(Line)
		s.Status, s.Error = l.Verb, l.Verb == "ERR"
	}
	return s
}

// conversation parses both directions.
type conversation struct {
	limits dissect.Limits
	sink   dissect.Sink
	ways   [2]way
}

// way is one direction: between messages, or in the body of one.
type way struct {
	message *dissect.Message
	left    uint64 // of the body
}

// Data implements dissect.Conversation.
func (c *conversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	for used < len(b) {
		if w := &c.ways[d]; w.message != nil {
			n := int(min(w.left, uint64(len(b)-used)))
			c.body(w, b[used:used+n])
			used += n
			c.passed(d, m.At(used-1), uint64(n))
			continue
		}
		lf := bytes.IndexByte(b[used:], '\n')
		if lf < 0 {
			return used, 0, nil
		}
		if !c.line(d, m, used, string(b[used:used+lf])) {
			return used, 0, dissect.ErrViolation
		}
		used += lf + 1
		if strings.HasPrefix(string(b[:used][used-lf-1:]), "SWITCHED") {
			return used, 0, nil
		}
	}
	return used, 0, nil
}

// line begins a message at index i.
func (c *conversation) line(d dissect.Direction, m dissect.Marks, i int, text string) bool {
	verb, argument, _ := strings.Cut(text, " ")
	message := &dissect.Message{
		Direction: d, First: m.At(i), Last: m.At(i + len(text)), Size: uint64(len(text) + 1),
		Protocol: Line{verb, argument},
	}
	size := uint64(0)
	var err error
	switch {
	case starts(d, []byte(text+"\n")) != dissect.Yes:
		return false
	case verb == "PUT":
		_, digits, _ := strings.Cut(argument, " ")
		size, err = strconv.ParseUint(digits, 10, 32)
	case verb == "OK":
		size, err = strconv.ParseUint(argument, 10, 32)
	}
	if err != nil {
		return false
	}
	switch verb {
	case "NOTE":
		message.Kind = dissect.OneWay
	case "WAIT":
		message.Kind = dissect.Interim
	case "OK", "ERR", "SWITCHED":
		message.Kind = dissect.Response
	}
	if size > 0 {
		message.Content.BodySize = size
		c.ways[d] = way{message, size}
		return true
	}
	c.sink.Message(message)
	if verb == "SWITCHED" {
		c.sink.Upgrade(argument)
	}
	return true
}

// body keeps what the limit allows.
func (c *conversation) body(w *way, b []byte) {
	content := &w.message.Content
	room := c.limits.BodyBytes - len(content.Body)
	if len(b) > room {
		b = b[:max(0, room)]
		content.Truncated = "limit"
		c.sink.Limit("body_bytes")
	}
	if len(b) == 0 || content.Truncated == "memory" {
		return
	}
	if !c.sink.Keep(len(b)) {
		content.Truncated = "memory"
		return
	}
	w.message.Reserved += len(b)
	content.Body = append(content.Body, b...)
	content.KeptSize = uint64(len(content.Body))
}

// passed notes n bytes of the body, up to the mark last.
func (c *conversation) passed(d dissect.Direction, last conn.Mark, n uint64) {
	w := &c.ways[d]
	w.left -= n
	w.message.Size += n
	w.message.Last = last
	if w.left == 0 {
		c.emit(d)
	}
}

func (c *conversation) emit(d dissect.Direction) {
	message := c.ways[d].message
	c.ways[d] = way{}
	c.sink.Message(message)
}

// Gap implements dissect.Conversation.
func (c *conversation) Gap(d dissect.Direction, m conn.Mark, n uint64) (resumed bool) {
	w := &c.ways[d]
	if w.message == nil {
		return false
	}
	if n > w.left {
		w.message.Incomplete = dissect.ReasonGap
		c.emit(d)
		return false
	}
	w.message.GapBytes += n
	w.message.Content.Truncated = "gap"
	m.Offset += n - 1
	m.Seq += uint32(n - 1)
	c.passed(d, m, n)
	return true
}

// End implements dissect.Conversation.
func (c *conversation) End(d dissect.Direction, _ int64, r conn.Reason) {
	if w := &c.ways[d]; w.message != nil {
		w.message.Incomplete = r
		c.emit(d)
	}
}

// FindStart implements dissect.Resyncer: a line that begins with a verb.
func (c *conversation) FindStart(d dissect.Direction, b []byte) int {
	for i := range b {
		if (i == 0 || b[i-1] == '\n') && starts(d, b[i:]) == dissect.Yes {
			return i
		}
	}
	return -1
}
