// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// sealed13 is a record of TLS 1.3 that carries n bytes.
func sealed13(n int) []byte {
	size := n + 17
	return append([]byte{record.ApplicationData, 3, 3, byte(size >> 8), byte(size)}, bytes.Repeat([]byte{0xee}, size)...)
}

// TestSpare: what nobody can read is not needed, until somebody shows what it is.
func TestSpare(t *testing.T) {
	sink := &account{most: 1 << 20}
	c := newConversation(handshake.Limits, sink, nil)
	out := &noted{}
	c.Carry(out)
	offset := uint64(0)
	send := func(b []byte) {
		used, _, err := c.Data(toServer, dissect.MarksOf(conn.Mark{Time: int64(offset) * 10_000, Offset: offset, Seq: uint32(offset)}), b)
		require.NoError(t, err)
		require.LessOrEqual(t, len(b)-used, record.HeaderBytes)
		offset += uint64(len(b))
	}
	for range 3 {
		send(sealed13(16000))
		assert.Zero(t, c.Spare(toServer))
	}
	send(sealed13(30000 % 16384))
	send(sealed13(16000))
	assert.Equal(t, uint64(math.MaxUint64), c.Spare(toServer))
	assert.Equal(t, uint64(math.MaxUint64), c.Spare(toClient))

	c.Spared(toServer, conn.Mark{Offset: offset}, 100_000)
	offset += 100_000
	assert.Equal(t, uint64(math.MaxUint64), c.Spare(toServer))
	c.Plain(toServer, conn.Mark{Time: int64(offset) * 10_000, Offset: 0}, false, []byte("lost on the wire"))
	assert.Zero(t, c.Spare(toServer), "somebody shows it")

	// The wire begins again in the middle of a record.
	send(append(bytes.Repeat([]byte{0xee}, 500), sealed13(100)...))
	c.Plain(toServer, conn.Mark{Time: int64(offset) * 10_000, Offset: 16}, false, bytes.Repeat([]byte{'x'}, 100))
	require.NotEmpty(t, out.marks)
	last := out.marks[len(out.marks)-1]
	assert.Equal(t, uint32(offset)-117, last.Seq, "the place in the record that was found again")
	c.End(toServer, 1, conn.ReasonFIN)
	c.End(toClient, 1, conn.ReasonFIN)
	assert.Zero(t, sink.kept)
	assert.Equal(t, "lost on the wire"+string(bytes.Repeat([]byte{'x'}, 100)), string(out.bytes))
}

// account is a Sink with a limit.
type account struct{ kept, most int }

func (*account) Message(*dissect.Message) {}
func (*account) Started(*dissect.Message) {}
func (*account) Upgrade(string)           {}
func (*account) Limit(string)             {}
func (a *account) Release(n int)          { a.kept -= n }

func (a *account) Keep(n int) bool {
	if a.kept+n > a.most {
		return false
	}
	a.kept += n
	return true
}

// noted is a Channel that remembers.
type noted struct {
	marks   []conn.Mark
	bytes   []byte
	missing uint64
}

func (n *noted) Data(_ dissect.Direction, m conn.Mark, b []byte) {
	n.marks, n.bytes = append(n.marks, m), append(n.bytes, b...)
}
func (n *noted) Gap(_ dissect.Direction, _ conn.Mark, bytes uint64) { n.missing += bytes }

func (*noted) End(dissect.Direction, int64, conn.Reason) {}
