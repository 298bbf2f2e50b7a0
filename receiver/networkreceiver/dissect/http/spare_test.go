// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestSpare(t *testing.T) {
	const (
		get  = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
		kept = 4
		n    = 1 << 20
	)
	for _, c := range []struct {
		name, head string
		spare      uint64
	}{
		{"of known length", fmt.Sprintf("Content-Length: %d\r\n\r\n123456", n+6), n},
		{"in a chunk", fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n123456", n+6), n},
		{"to the end of the connection", "\r\n123456", math.MaxUint64},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlayer(dissect.Limits{HeaderBytes: 1 << 10, BodyBytes: kept, Outstanding: 10})
			head := "HTTP/1.1 200 OK\r\n" + c.head
			p.play(client(get), server(head[:len(head)-3]))
			assert.Zero(t, p.conversation.Spare(dissect.ToClient), "the rest may be kept")
			p.play(server(head[len(head)-3:]))
			assert.Equal(t, c.spare, p.conversation.Spare(dissect.ToClient))
			assert.Zero(t, p.conversation.Spare(dissect.ToServer))

			at := uint64(len(head))
			p.conversation.Spared(dissect.ToClient, conn.Mark{Time: 50, Offset: at, Seq: uint32(at)}, n-100)
			p.conversation.Spared(dissect.ToClient, conn.Mark{Time: 60, Offset: at + n - 100, Seq: uint32(at) + n - 100}, 100)
			p.offset[dissect.ToClient] += n
			size := at + n
			if c.name == "in a chunk" {
				p.play(server("\r\n0\r\n\r\n"))
				size += 7
			}
			p.play(ends(dissect.ToClient, conn.ReasonFIN))

			require.Len(t, p.sink.messages, 2)
			m := p.sink.messages[1]
			assert.Equal(t, "1234", string(m.Content.Body))
			assert.EqualValues(t, n+6, m.Content.BodySize)
			assert.EqualValues(t, kept, m.Content.KeptSize)
			assert.Equal(t, "limit", m.Content.Truncated)
			assert.Equal(t, size, m.Size)
			assert.Zero(t, m.GapBytes)
			assert.Empty(t, m.Incomplete)
		})
	}
}

// What may be missing is known better after the next bytes.
func TestSpareNothingInDoubt(t *testing.T) {
	p := newPlayer(dissect.Limits{HeaderBytes: 1 << 10, BodyBytes: 0, Outstanding: 10})
	p.play(server("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"))
	assert.Zero(t, p.conversation.Spare(dissect.ToClient), "it may answer a HEAD request")
	p.play(server("body"))
	assert.EqualValues(t, 1000000-4, p.conversation.Spare(dissect.ToClient))
}
