// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	toServer = dissect.ToServer
	toClient = dissect.ToClient
)

// player does for one conversation what the engine does, and keeps what it gives.
type player struct {
	*conversation
	messages []*dissect.Message
	begun    []*dissect.Message
	origins  []*dissect.Message // of begun
	limited  []string
	granted  int
	budget   int // 0: none
	offset   [2]uint64
	time     int64
	ends     [2]*end
}

func newPlayer(limits dissect.Limits) *player {
	p := &player{}
	p.conversation = Dissector{}.New(limits, p).(*conversation)
	p.ends = [2]*end{newEnd(), newEnd()}
	return p
}

func (p *player) Message(m *dissect.Message) { p.messages = append(p.messages, m) }
func (*player) Upgrade(string)               {}
func (p *player) Limit(name string)          { p.limited = append(p.limited, name) }
func (p *player) Release(n int)              { p.granted -= n }

func (p *player) Started(m *dissect.Message) {
	p.begun, p.origins = append(p.begun, m), append(p.origins, m.Origin)
}

func (p *player) Keep(n int) bool {
	if p.budget > 0 && p.granted+n > p.budget {
		return false
	}
	p.granted += n
	return true
}

// count is how often a limit was met.
func (p *player) count(limit string) (n int) {
	for _, name := range p.limited {
		if name == limit {
			n++
		}
	}
	return n
}

// play delivers bytes, all of which must be used.
func (p *player) play(t *testing.T, d dissect.Direction, b []byte) {
	t.Helper()
	p.time += 1e3
	used, need, err := p.Data(d, dissect.MarksOf(conn.Mark{Time: p.time, Offset: p.offset[d]}), slices.Clone(b))
	require.NoError(t, err)
	require.Equal(t, len(b), used, "need %d", need)
	p.offset[d] += uint64(used)
}

// start is the beginning of a connection.
func (p *player) start(t *testing.T) *player {
	p.play(t, toServer, []byte(preface))
	for _, d := range []dissect.Direction{toServer, toClient} {
		_ = p.ends[d].WriteSettings()
		p.flush(t, d)
	}
	return p
}

// flush plays what an end has framed.
func (p *player) flush(t *testing.T, d dissect.Direction) {
	t.Helper()
	p.play(t, d, p.ends[d].out.Bytes())
	p.ends[d].out.Reset()
}

// finish ends both directions and compares the accounts.
func (p *player) finish(t *testing.T) {
	t.Helper()
	p.End(toServer, p.time, conn.ReasonFIN)
	p.End(toClient, p.time, conn.ReasonFIN)
	held := 0
	for _, m := range p.messages {
		held += m.Reserved
	}
	require.Equal(t, held, p.granted, "memory accounts")
	require.Empty(t, p.streams.byID)
	require.Nil(t, p.streams.first)
}

// end writes frames.
type end struct {
	*http2.Framer
	out   bytes.Buffer
	coded bytes.Buffer
	coder *hpack.Encoder
}

func newEnd() *end {
	e := &end{}
	e.Framer = http2.NewFramer(&e.out, nil)
	e.AllowIllegalWrites = true
	e.coder = hpack.NewEncoder(&e.coded)
	return e
}

func (e *end) block(list ...string) []byte {
	e.coded.Reset()
	for i := 0; i < len(list); i += 2 {
		_ = e.coder.WriteField(hpack.HeaderField{Name: list[i], Value: list[i+1]})
	}
	return slices.Clone(e.coded.Bytes())
}

func (e *end) headers(id uint32, last bool, list ...string) {
	_ = e.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: e.block(list...), EndStream: last, EndHeaders: true})
}

func (e *end) get(id uint32, more ...string) {
	e.headers(id, true, append([]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a.example"}, more...)...)
}
