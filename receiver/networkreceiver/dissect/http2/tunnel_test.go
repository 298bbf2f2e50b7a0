// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/websocket"
)

// webSocketCall opens a tunnel for WebSocket on stream 1, sends a masked text there and
// two frames back, and closes it. Each DATA frame has so many bytes.
func webSocketCall(t *testing.T, p *player, each int) {
	client, server := p.ends[toServer], p.ends[toClient]
	client.headers(1, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/chat", ":authority", "a.example",
		"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	p.flush(t, toServer)
	server.headers(1, false, ":status", "200")
	p.flush(t, toClient)
	send := func(d dissect.Direction, bytes string) {
		for len(bytes) > 0 {
			n := min(each, len(bytes))
			_ = p.ends[d].WriteData(1, false, []byte(bytes[:n]))
			bytes = bytes[n:]
		}
		p.flush(t, d)
	}
	send(toServer, "\x81\x85\x01\x02\x03\x04"+"igohn") // "hello", masked
	send(toClient, "\x81\x05hello\x82\x7e\x01\x00"+string(make([]byte, 256)))
	_ = client.WriteData(1, true, nil)
	p.flush(t, toServer)
	_ = server.WriteData(1, true, nil)
	p.flush(t, toClient)
}

// TestWebSocketTunnel finds messages in the frames of a stream, however DATA frames cut
// them, and tells them as events of the call that opened it (RFC 8441).
func TestWebSocketTunnel(t *testing.T) {
	for _, each := range []int{1, 2, 3, 7, 1000} {
		t.Run(fmt.Sprint(each), func(t *testing.T) {
			p := newPlayer(dissect.Limits{BodyBytes: 1 << 16}).start(t)
			webSocketCall(t, p, each)
			p.finish(t)
			require.Len(t, p.messages, 5)
			assert.Equal(t, dissect.Request, p.messages[0].Kind)
			assert.Equal(t, dissect.Response, p.messages[1].Kind)
			want := []struct {
				direction dissect.Direction
				opcode    string
				body      string
			}{{toServer, "text", "hello"}, {toClient, "text", "hello"}, {toClient, "binary", string(make([]byte, 256))}}
			for i, m := range p.messages[2:] {
				assert.Equal(t, dissect.Event, m.Kind)
				assert.Equal(t, want[i].direction, m.Direction)
				assert.Equal(t, want[i].opcode, m.Protocol.(*websocket.Info).Opcode)
				assert.Equal(t, want[i].body, string(m.Content.Body))
				assert.Empty(t, m.Incomplete)
				assert.Equal(t, uint64(1), m.Key)
				require.NotNil(t, m.Origin)
				assert.Equal(t, p.messages[0].First, m.Origin.First)
				assert.Equal(t, "traceparent", m.Origin.Content.Headers[0].Name)
			}
		})
	}
}

// TestTunnelReset breaks a tunnel off within a message, and opens one for a protocol that
// nobody knows.
func TestTunnelReset(t *testing.T) {
	p := newPlayer(dissect.Limits{BodyBytes: 1 << 16}).start(t)
	for i, protocol := range []string{"websocket", "other"} {
		id := uint32(2*i + 1)
		p.ends[toServer].headers(id, false, ":method", "CONNECT", ":protocol", protocol, ":scheme", "http", ":path", "/", ":authority", "a.example")
		p.flush(t, toServer)
		p.ends[toClient].headers(id, false, ":status", "200")
		_ = p.ends[toClient].WriteData(id, false, []byte("\x81\x05hel"))
		_ = p.ends[toClient].WriteRSTStream(id, 8)
		p.flush(t, toClient)
	}
	p.finish(t)
	var events []*dissect.Message
	for _, m := range p.messages {
		if m.Kind == dissect.Event {
			events = append(events, m)
		}
	}
	require.Len(t, events, 1)
	assert.Equal(t, conn.ReasonRST, events[0].Incomplete)
	assert.Equal(t, "hel", string(events[0].Content.Body))
}

// TestCallInTunnel finds a call that is spoken in the messages of a tunnel. It is a call
// of its own within the one that opened the tunnel.
func TestCallInTunnel(t *testing.T) {
	p := newPlayer(dissect.Limits{BodyBytes: 1 << 16}).start(t)
	p.ends[toServer].headers(1, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/rpc", ":authority", "a.example")
	p.flush(t, toServer)
	p.ends[toClient].headers(1, false, ":status", "200")
	p.flush(t, toClient)
	request := `{"jsonrpc":"2.0","id":1,"method":"add","params":[1,2]}`
	_ = p.ends[toServer].WriteData(1, false, append([]byte{0x81, 0x80 | byte(len(request)), 0, 0, 0, 0}, request...))
	p.flush(t, toServer)
	response := `{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}`
	_ = p.ends[toClient].WriteData(1, false, append([]byte{0x81, byte(len(response))}, response...))
	p.flush(t, toClient)
	p.finish(t)
	require.Len(t, p.messages, 4)
	asked, answered := p.messages[2], p.messages[3]
	assert.Equal(t, dissect.Request, asked.Kind)
	assert.Equal(t, dissect.Response, answered.Kind)
	assert.True(t, asked.Keyed && answered.Keyed)
	assert.Equal(t, asked.Key, answered.Key)
	assert.Greater(t, asked.Key, uint64(1<<62), "no stream's number")
	require.NotNil(t, asked.Origin)
	assert.Equal(t, p.messages[0].First, asked.Origin.First)
	s := Dissector{}.Describe(dissect.ClientSide, asked, answered, ignored{})
	assert.Equal(t, "add", s.Name)
	assert.Equal(t, "-32000", s.ErrorType)
}

// ignored takes attributes.
type ignored struct{}

func (ignored) Str(string, string)    {}
func (ignored) Strs(string, []string) {}
func (ignored) Int(string, int64)     {}
func (ignored) Float(string, float64) {}
func (ignored) Bool(string, bool)     {}

func (ignored) Payload(string, string, string) {}
