// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// What is known of an upload and of the answer to it while both are on their way.
func TestProgress(t *testing.T) {
	p := newPlayer(dissect.Limits{BodyBytes: 6})
	const head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n"
	p.play(client(head[:30]))
	require.Empty(t, p.sink.begun, "its header section is not whole")
	p.play(client(head[30:]))
	require.Len(t, p.sink.begun, 1)
	request := p.sink.begun[0]
	assert.Equal(t, "/a", request.Protocol.(*RequestInfo).Target)
	p.play(client("12345"))
	assert.Equal(t, uint64(5), request.Content.BodySize)
	assert.Equal(t, uint64(len(head)+5), request.Size)
	assert.Equal(t, uint64(len(head)+4), request.Last.Offset)

	p.play(server("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"))
	require.Len(t, p.sink.begun, 2)
	response := p.sink.begun[1]
	assert.Same(t, request, p.sink.origins[1], "what it answers is not whole")
	assert.Nil(t, response.Origin)
	p.play(server("8\r\ndata: 1\n\r\n1\r\n\n\r\n"))
	assert.Equal(t, uint64(9), response.Content.BodySize)
	assert.Equal(t, uint64(1), response.Events)

	p.conversation.Spared(dissect.ToServer, request.Last, 5)
	assert.Equal(t, uint64(10), request.Content.BodySize)
	p.play(client("6"), lost(dissect.ToServer, 4))
	assert.Equal(t, uint64(15), request.Content.BodySize)
	p.play(client("12345"), server("0\r\n\r\n"))
	require.Len(t, p.sink.messages, 3)
	assert.Same(t, request, p.sink.messages[1])
	assert.Same(t, response, p.sink.messages[2])

	p.play(client("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	assert.Len(t, p.sink.begun, 2, "what comes at once is not told of before")
}

// A response in progress does not answer a request that follows the one it answers.
func TestProgressOfPipeline(t *testing.T) {
	p := newPlayer(dissect.Limits{})
	p.play(client("GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12"))
	p.play(server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12"))
	require.Len(t, p.sink.begun, 2)
	assert.Nil(t, p.sink.origins[1])
}

// Without memory for a message nothing is known of it that could be told.
func TestProgressWithoutMemory(t *testing.T) {
	p := newPlayer(dissect.Limits{})
	p.sink.budget = 100
	p.play(client("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12"))
	assert.Empty(t, p.sink.begun)
}
