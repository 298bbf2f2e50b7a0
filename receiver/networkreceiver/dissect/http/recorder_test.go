// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// recorder is a sink that keeps what it gets and checks the accounts.
type recorder struct {
	messages []*dissect.Message
	begun    []*dissect.Message
	origins  []*dissect.Message // of begun
	upgrades []string
	limits   []string
	granted  int
	budget   int // 0: none
}

func (r *recorder) Message(m *dissect.Message) { r.messages = append(r.messages, m) }
func (r *recorder) Upgrade(name string)        { r.upgrades = append(r.upgrades, name) }
func (r *recorder) Limit(name string)          { r.limits = append(r.limits, name) }
func (r *recorder) Release(n int)              { r.granted -= n }

func (r *recorder) Started(m *dissect.Message) {
	r.begun, r.origins = append(r.begun, m), append(r.origins, m.Origin)
}

func (r *recorder) Keep(n int) bool {
	if r.budget > 0 && r.granted+n > r.budget {
		return false
	}
	r.granted += n
	return true
}

// step is one event of a connection: bytes, a gap or an end.
type step struct {
	dir  dissect.Direction
	data string
	gap  uint64
	end  conn.Reason
}

func client(s string) step                    { return step{dir: dissect.ToServer, data: s} }
func server(s string) step                    { return step{dir: dissect.ToClient, data: s} }
func lost(d dissect.Direction, n uint64) step { return step{dir: d, gap: n} }
func ends(d dissect.Direction, r conn.Reason) step {
	return step{dir: d, end: r}
}

// player does for one conversation what the engine does.
type player struct {
	conversation *conversation
	sink         *recorder
	pending      [2]string
	offset       [2]uint64 // of pending
	time         int64
	violations   int
	searching    [2]bool
}

func newPlayer(limits dissect.Limits) *player {
	sink := &recorder{}
	return &player{sink: sink, conversation: Dissector{}.New(limits, sink).(*conversation)}
}

func (p *player) play(steps ...step) {
	for _, s := range steps {
		p.time++
		switch {
		case s.data != "":
			p.data(s.dir, s.data)
		case s.gap > 0:
			n := s.gap + uint64(len(p.pending[s.dir]))
			mark := conn.Mark{Time: p.time, Offset: p.offset[s.dir], Seq: uint32(p.offset[s.dir])}
			p.pending[s.dir] = ""
			p.offset[s.dir] += n
			if !p.searching[s.dir] {
				p.searching[s.dir] = !p.conversation.Gap(s.dir, mark, n)
			}
		default:
			p.conversation.End(s.dir, p.time, s.end)
		}
	}
}

func (p *player) data(d dissect.Direction, s string) {
	p.pending[d] += s
	for p.pending[d] != "" && len(p.sink.upgrades) == 0 {
		if p.searching[d] {
			i := p.conversation.FindStart(d, []byte(p.pending[d]))
			if i < 0 {
				return
			}
			p.drop(d, i)
			p.searching[d] = false
		}
		// The slice is exact and poisoned afterwards, so that keeping it shows.
		b := []byte(p.pending[d])
		b = b[:len(b):len(b)]
		mark := conn.Mark{Time: p.time, Offset: p.offset[d], Seq: uint32(p.offset[d])}
		used, _, err := p.conversation.Data(d, dissect.MarksOf(mark), b)
		for i := range b {
			b[i] = 0xAA
		}
		p.drop(d, used)
		if err != nil {
			p.violations++
			p.searching[d] = true
			if p.pending[d] != "" {
				p.drop(d, 1)
			}
			continue
		}
		return
	}
}

func (p *player) drop(d dissect.Direction, n int) {
	p.pending[d] = p.pending[d][n:]
	p.offset[d] += uint64(n)
}

// check compares the memory that is granted with what messages and partial header
// sections hold.
func (p *player) check(t *testing.T) {
	t.Helper()
	held := 0
	for _, m := range p.sink.messages {
		held += m.Reserved
	}
	for _, m := range p.conversation.offer {
		held += m.Reserved
	}
	for i := range p.conversation.halves {
		h := &p.conversation.halves[i]
		held += h.held + h.reserved + h.body.Reserved
	}
	require.Equal(t, held, p.sink.granted, "memory accounts")
}

// brief is one line about a message.
func brief(m *dissect.Message) string {
	var b strings.Builder
	switch info := m.Protocol.(type) {
	case *RequestInfo:
		fmt.Fprintf(&b, "> %s %s %s", info.Method, info.Target, info.Version)
	case *ResponseInfo:
		fmt.Fprintf(&b, "< %d %s %s", info.Status, info.Reason, info.Version)
	}
	c := &m.Content
	fmt.Fprintf(&b, " body=%q", c.Body)
	if c.BodySize != uint64(len(c.Body)) {
		fmt.Fprintf(&b, " size=%d", c.BodySize)
	}
	if m.Kind == dissect.Interim {
		b.WriteString(" interim")
	}
	if c.Truncated != "" {
		b.WriteString(" truncated=" + c.Truncated)
	}
	if m.Incomplete != "" {
		b.WriteString(" incomplete=" + string(m.Incomplete))
	}
	if m.GapBytes > 0 {
		fmt.Fprintf(&b, " gap=%d", m.GapBytes)
	}
	for _, h := range c.Trailers {
		fmt.Fprintf(&b, " trailer(%s: %s)", h.Name, h.Value)
	}
	for _, f := range m.Flags {
		b.WriteString(" " + f)
	}
	return b.String()
}

func briefs(messages []*dissect.Message) (lines []string) {
	for _, m := range messages {
		lines = append(lines, brief(m))
	}
	return lines
}
