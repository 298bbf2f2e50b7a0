// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// ears is a Sink with room for so many bytes.
type ears struct {
	dissect.Sink
	room     int
	messages []*dissect.Message
	limits   []string
}

func (e *ears) Message(m *dissect.Message) { e.messages = append(e.messages, m) }
func (e *ears) Limit(name string)          { e.limits = append(e.limits, name) }
func (e *ears) Release(n int)              { e.room += n }
func (e *ears) Keep(n int) bool {
	if n > e.room {
		return false
	}
	e.room -= n
	return true
}

// talker is a connection whose messages are written as texts.
type talker struct {
	ears
	readers [2]*Reader
}

const room = 1 << 20

func newTalker(most int, subprotocol string) *talker {
	t := &talker{ears: ears{room: room}}
	t.readers = NewReaders(dissect.Limits{BodyBytes: 1 << 16, Outstanding: most}, &t.ears, nil)
	answer := &dissect.Message{}
	if subprotocol != "" {
		answer.Content.Headers = []dissect.Header{{Name: "sec-websocket-protocol", Value: subprotocol}}
	}
	for _, r := range t.readers {
		r.Answer(answer)
	}
	return t
}

// say sends a text and gives the message that it becomes.
func (t *talker) say(d dissect.Direction, text string) *dissect.Message {
	frame := []byte{0x81, 126, byte(len(text) >> 8), byte(len(text))}
	if d == dissect.ToServer {
		frame[1] |= 0x80
		frame = append(frame, 0, 0, 0, 0)
	}
	_, _, _ = t.readers[d].Data(dissect.Marks{}, append(frame, text...))
	return t.messages[len(t.messages)-1]
}

// end ends the connection and tells what was not given back.
func (t *talker) end() int {
	held := 0
	for _, r := range t.readers {
		r.End("fin")
	}
	for _, m := range t.messages {
		held += m.Reserved
	}
	return room - t.room - held
}

func TestBothEndsAsk(t *testing.T) {
	c := newTalker(10, "")
	for d := range dissect.Direction(2) {
		asked := c.say(d, `{"jsonrpc":"2.0","id":1,"method":"who"}`)
		assert.Equal(t, dissect.Request, asked.Kind)
		assert.Equal(t, dissect.ToServer, asked.Direction)
		assert.Equal(t, d == dissect.ToClient, asked.Reversed)
	}
	for d := range dissect.Direction(2) {
		answered := c.say(d, `{"jsonrpc":"2.0","id":1,"result":"me"}`)
		assert.Equal(t, dissect.Response, answered.Kind)
		assert.Equal(t, dissect.ToClient, answered.Direction)
		assert.Equal(t, d == dissect.ToServer, answered.Reversed)
		assert.Equal(t, c.messages[1-d].Key, answered.Key)
	}
	assert.NotEqual(t, c.messages[0].Key, c.messages[1].Key)
	assert.Equal(t, dissect.Event, c.say(dissect.ToClient, `{"jsonrpc":"2.0","id":1,"result":"again"}`).Kind, "nobody has asked")
	assert.Zero(t, c.end())
}

func TestOpenCallsAreBounded(t *testing.T) {
	c := newTalker(3, "mcp")
	for i := range 5 {
		c.say(dissect.ToServer, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call"}`, i))
	}
	assert.Equal(t, []string{"operations", "operations"}, c.limits)
	assert.Equal(t, dissect.Event, c.messages[4].Kind)
	c.room = 2000 // for messages, not for calls
	assert.Equal(t, dissect.Response, c.say(dissect.ToClient, `{"jsonrpc":"2.0","id":0,"result":{}}`).Kind)
	c.room = 2000
	assert.Equal(t, dissect.Event, c.say(dissect.ToServer, `{"jsonrpc":"2.0","id":9,"method":"ping"}`).Kind)
}

func TestMemoryOfCallsIsGivenBack(t *testing.T) {
	c := newTalker(10, "graphql-transport-ws")
	for _, id := range []string{"a", "b", "a"} {
		require.Equal(t, dissect.Request, c.say(dissect.ToServer, `{"type":"subscribe","id":"`+id+`","payload":{"query":"subscription { x }"}}`).Kind)
	}
	c.say(dissect.ToClient, `{"type":"next","id":"a","payload":{"data":{"x":1}}}`)
	assert.Positive(t, room-c.room)
	assert.Zero(t, c.end())
}

// What only looks like GraphQL is none, unless the ends have agreed on it.
func TestUnnamedProtocol(t *testing.T) {
	for text, want := range map[string]dissect.Kind{
		`{"type":"subscribe","id":"1","payload":{"query":"subscription { x }"}}`: dissect.Request,
		`{"type":"subscribe","id":"1","payload":{"query":"all of it"}}`:          dissect.Event,
		`{"type":"start","id":7,"payload":{"query":"{ x }"}}`:                    dissect.Request,
		`{"type":"subscribe","channel":"trades"}`:                                dissect.Event,
		`{"type":"ping"}`:              dissect.Event,
		`{"type":"complete","id":"1"}`: dissect.Event,
	} {
		c := newTalker(10, "")
		m := c.say(dissect.ToServer, text)
		assert.Equal(t, want, m.Kind, text)
		assert.Equal(t, want == dissect.Request, m.Protocol.(*Info).said != nil, text)
	}
	c := newTalker(10, "graphql-ws")
	assert.Equal(t, dissect.Event, c.say(dissect.ToServer, `{"jsonrpc":"2.0","id":1,"method":"who"}`).Kind)
	assert.Equal(t, dissect.Event, c.say(dissect.ToClient, `{"type":"ka"}`).Kind)
	assert.NotNil(t, c.messages[1].Protocol.(*Info).said)
}

// After a while nobody looks any more for protocols that do not show themselves.
func TestLookingEnds(t *testing.T) {
	c := newTalker(10, "")
	for range maxTries {
		c.say(dissect.ToServer, `{"op":"hello"}`)
	}
	assert.Equal(t, dissect.Event, c.say(dissect.ToServer, `{"jsonrpc":"2.0","id":1,"method":"who"}`).Kind)
}
