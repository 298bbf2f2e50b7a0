// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// What is known of both messages of a stream while they are on their way.
func TestProgress(t *testing.T) {
	p := newPlayer(dissect.Limits{}).start(t)
	p.ends[toServer].headers(3, false, ":method", "POST", ":scheme", "http", ":path", "/a.B/C", "content-type", "application/grpc")
	p.flush(t, toServer)
	require.Len(t, p.begun, 1)
	request := p.begun[0]
	assert.Equal(t, "/a.B/C", request.Protocol.(*RequestInfo).Path)
	assert.True(t, request.Keyed)
	assert.Equal(t, uint64(3), request.Key)
	assert.Equal(t, p.time, request.First.Time)
	message := []byte{0, 0, 0, 0, 1, 'x'}
	_ = p.ends[toServer].WriteData(3, false, message)
	p.flush(t, toServer)
	assert.Equal(t, uint64(len(message)), request.Content.BodySize)
	assert.Equal(t, p.offset[toServer]-1, request.Last.Offset)

	p.ends[toClient].headers(3, false, ":status", "200", "content-type", "application/grpc")
	_ = p.ends[toClient].WriteData(3, false, message)
	p.flush(t, toClient)
	require.Len(t, p.begun, 2)
	response := p.begun[1]
	assert.Same(t, request, p.origins[1], "what it answers is not whole")
	assert.Nil(t, response.Origin)
	assert.Equal(t, uint64(len(message)), response.Content.BodySize)
	assert.Equal(t, uint64(1), response.Events)
	assert.Equal(t, uint64(1), request.Events)

	_ = p.ends[toServer].WriteData(3, true, nil)
	p.flush(t, toServer)
	p.ends[toClient].headers(3, true, "grpc-status", "0")
	p.flush(t, toClient)
	n := len(p.messages)
	assert.Same(t, request, p.messages[n-2])
	assert.Same(t, response, p.messages[n-1])
	p.finish(t)
}

// A response is read as its request says where its own media type is not known: on a
// connection that was joined in the middle. After a loss, the next frame that is just
// one message is where its messages go on.
func TestResponseReadAsItsRequestSays(t *testing.T) {
	p := newPlayer(dissect.Limits{BodyBytes: 1 << 16}).start(t)
	message := []byte{0, 0, 0, 0, 2, 8, 1}
	p.ends[toServer].headers(3, false, ":method", "POST", ":scheme", "http", ":path", "/a.B/C", "content-type", "application/grpc")
	_ = p.ends[toServer].WriteData(3, true, message)
	p.flush(t, toServer)
	p.ends[toClient].headers(3, false, ":status", "200")
	for range 2 {
		_ = p.ends[toClient].WriteData(3, false, message)
	}
	p.flush(t, toClient)
	_ = p.ends[toClient].WriteData(3, false, message)
	p.ends[toClient].out.Reset() // it is lost
	lost := uint64(headerSize + len(message))
	p.Gap(toClient, conn.Mark{Time: p.time, Offset: p.offset[toClient]}, lost)
	p.offset[toClient] += lost
	_ = p.ends[toClient].WriteData(3, false, message)
	p.ends[toClient].headers(3, true, "grpc-status", "0")
	p.flush(t, toClient)
	p.finish(t)
	events := 0
	for _, m := range p.messages {
		if m.Kind == dissect.Event {
			events++
		}
	}
	assert.Equal(t, 3, events)
}

// Calls that come at once are not told of before. Their streams may become others.
func TestProgressOfWholeCalls(t *testing.T) {
	p := newPlayer(dissect.Limits{}).start(t)
	for id := uint32(1); id < 99; id += 2 {
		p.ends[toServer].headers(id, false, ":method", "POST", ":scheme", "http", ":path", "/")
		_ = p.ends[toServer].WriteData(id, true, []byte("x"))
	}
	p.flush(t, toServer)
	for id := uint32(1); id < 97; id += 2 {
		p.ends[toClient].headers(id, false, ":status", "200")
		_ = p.ends[toClient].WriteData(id, true, []byte("x"))
	}
	p.ends[toClient].headers(97, false, ":status", "200")
	p.flush(t, toClient)
	require.Len(t, p.begun, 1)
	assert.Equal(t, uint64(97), p.begun[0].Key)
	assert.Nil(t, p.origins[0], "its request is whole")
	p.finish(t)
}
