// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"fmt"
	"math/bits"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// TestContinuationFlood opens a header block and does not end it for long.
func TestContinuationFlood(t *testing.T) {
	for name, fragment := range map[string][]byte{
		"empty": nil, "indexed": []byte(strings.Repeat("\x82", 1000)), "large": make([]byte, 16000),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(dissect.Limits{}).start(t)
			c := p.ends[toServer]
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.block(":method", "GET", ":path", "/flood"), EndStream: true})
			p.flush(t, toServer)
			most := 0
			for range 1_000 {
				_ = c.WriteContinuation(1, false, fragment)
				p.flush(t, toServer)
				most = max(most, p.granted)
			}
			limits := Dissector{}.Info().Limits
			assert.Less(t, most, 3*limits.HeaderBytes)
			_ = c.WriteContinuation(1, true, nil)
			c.get(3)
			p.flush(t, toServer)
			assert.Equal(t, 1, p.count("continuations")+p.count("header_bytes"))
			require.Len(t, p.messages, 2)
			assert.Contains(t, p.messages[0].Flags, "http2.header_block_cut")
			assert.Equal(t, "/flood", p.messages[0].Protocol.(*RequestInfo).Path)
			p.finish(t)
		})
	}
}

// TestHeaderBomb sends few bytes that stand for very many.
func TestHeaderBomb(t *testing.T) {
	p := newPlayer(dissect.Limits{}).start(t)
	c := p.ends[toServer]
	block := c.block(":method", "GET", ":scheme", "http", ":path", "/", "x-large", strings.Repeat("x", 3900))
	for range 15_000 {
		block = append(block, 0x80|62)
	}
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndStream: true, EndHeaders: true})
	c.get(3, "x-large", strings.Repeat("x", 3900))
	p.flush(t, toServer)
	require.Len(t, p.messages, 2)
	assert.Equal(t, 1, p.count("header_list"))
	assert.Equal(t, []string{"http2.header_list_cut"}, p.messages[0].Flags)
	size := 0
	for _, h := range p.messages[0].Content.Headers {
		size += len(h.Name) + len(h.Value) + 32
	}
	assert.LessOrEqual(t, size, Dissector{}.Info().Limits.HeaderBytes)
	assert.Empty(t, p.messages[1].Flags, "the table is still known")
	assert.Len(t, p.messages[1].Content.Headers, 1)
	p.finish(t)
}

func TestFieldCount(t *testing.T) {
	p := newPlayer(dissect.Limits{}).start(t)
	block := p.ends[toServer].block(":method", "GET", ":scheme", "http", ":path", "/")
	_ = p.ends[toServer].WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: append(block, strings.Repeat("\x90", 3000)...), EndStream: true, EndHeaders: true,
	})
	p.flush(t, toServer)
	require.Len(t, p.messages, 1)
	assert.Len(t, p.messages[0].Content.Headers, maxFields-3)
	assert.Equal(t, 1, p.count("header_list"))
}

// TestResetFlood opens streams and resets them at once (CVE-2023-44487).
func TestResetFlood(t *testing.T) {
	p := newPlayer(dissect.Limits{}).start(t)
	c := p.ends[toServer]
	id := uint32(1)
	for range 10_000 {
		c.get(id)
		_ = c.WriteRSTStream(id, http2.ErrCodeCancel)
		p.flush(t, toServer)
		id += 2
	}
	assert.InDelta(t, 2*maxResets, len(p.messages), 10, "a request and what stands for its response")
	assert.InDelta(t, 10_000-maxResets, p.count("resets"), 10)
	assert.Empty(t, p.streams.byID)
	p.time += 1e9
	before := len(p.messages)
	c.get(id)
	p.flush(t, toServer)
	assert.Len(t, p.messages, before+1, "after a second it is listened to again")
	p.finish(t)
}

func TestStreams(t *testing.T) {
	p := newPlayer(dissect.Limits{Outstanding: 3, BodyBytes: 100}).start(t)
	for id := uint32(1); id < 2000; id += 2 {
		p.ends[toServer].headers(id, false, ":method", "POST", ":path", fmt.Sprint("/", id))
		p.flush(t, toServer)
		require.LessOrEqual(t, len(p.streams.byID), 3)
	}
	assert.Equal(t, 997, p.count("streams"))
	require.Len(t, p.messages, 997)
	assert.Equal(t, conn.ReasonEvicted, p.messages[0].Incomplete)
	p.finish(t)
}

// TestTableSize raises the tables beyond what is followed.
func TestTableSize(t *testing.T) {
	p := newPlayer(dissect.Limits{}).start(t)
	c := p.ends[toServer]
	c.coder.SetMaxDynamicTableSizeLimit(1 << 20)
	c.coder.SetMaxDynamicTableSize(1 << 20)
	for id := uint32(1); id < 200; id += 2 {
		c.get(id, fmt.Sprint("x-", id), strings.Repeat("x", 2000))
		p.flush(t, toServer)
	}
	assert.Equal(t, 1, p.count("table_size"))
	assert.LessOrEqual(t, p.halves[toServer].block.table.reserved, maxTable*tableCost)
	require.Len(t, p.messages, 100)
	// The oldest entry is known to the peers, but not here any more.
	c.get(201, "x-1", strings.Repeat("x", 2000))
	p.flush(t, toServer)
	m := p.messages[100]
	assert.Contains(t, m.Flags, "http2.unknown_fields")
	assert.NotContains(t, m.Content.Headers, dissect.Header{Name: "x-3", Value: strings.Repeat("x", 2000)})
	p.finish(t)
}

// TestMemory runs with every budget from nothing to enough: nothing may break, and
// the accounts must agree.
func TestMemory(t *testing.T) {
	for budget := 1; budget < 60_000; budget += 397 {
		p := newPlayer(dissect.Limits{})
		p.budget = budget
		p.start(t)
		c, s := p.ends[toServer], p.ends[toClient]
		for id := uint32(1); id < 6; id += 2 {
			c.headers(id, false, ":method", "POST", ":scheme", "http", ":path", "/"+strings.Repeat("p", 2000), "x-a", strings.Repeat("a", 500))
			_ = c.WriteData(id, false, make([]byte, 3000))
			c.headers(id, true, "x-trailer", "value")
			s.headers(id, false, ":status", "200")
			_ = s.WriteData(id, true, make([]byte, 5000))
		}
		block := c.block(":method", "GET", "x-b", strings.Repeat("b", 3000))
		_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 7, BlockFragment: block[:1000], EndStream: true})
		p.flush(t, toServer)
		p.flush(t, toClient)
		require.LessOrEqual(t, p.granted, budget)
		p.finish(t)
	}
}

// TestFlagsAreDocumented compares the flags with the table in README.md.
func TestFlagsAreDocumented(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, name := range flagNames {
		assert.Contains(t, string(readme), "| `"+name+"`")
	}
	assert.Equal(t, len(flagNames), strings.Count(string(readme), "\n| `http2."), "flags in README.md")
	assert.Equal(t, len(flagNames), bits.Len16(uint16(flagGoAway)), "names of flags")
}

// TestAnnouncedBody closes a connection when the announced bytes are there, as curl
// does: the server's END_STREAM, in a frame of its own, is no longer awaited.
func TestAnnouncedBody(t *testing.T) {
	for sent, incomplete := range map[int]conn.Reason{10: "", 9: "fin"} {
		p := newPlayer(dissect.Limits{}).start(t)
		p.ends[toServer].get(1)
		p.flush(t, toServer)
		p.ends[toClient].headers(1, false, ":status", "200", "content-length", "10")
		_ = p.ends[toClient].WriteData(1, false, make([]byte, sent))
		p.flush(t, toClient)
		p.finish(t)
		require.Len(t, p.messages, 2)
		assert.Equal(t, incomplete, p.messages[1].Incomplete, "%d bytes of 10", sent)
	}
}
