// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// A dialogue is a connection on which requests and responses take turns. Many responses have
// the same length, so that their records are like those of any other.
type dialogue struct {
	responses []int         // bytes of each, in turns
	writes    bool          // the process sends the responses, and encrypts each at once; else it gets them
	pace      time.Duration // from one record to the next, or from one read to the next
	stall     time.Duration // after some records of a response
	heard     int           // the library is heard from this exchange on
	halfHeard bool          // but not the request of that
	late      time.Duration // the head of the first response is written by itself, and shown so long after the wire
}

const (
	exchanges   = 6
	requestSize = 100
	headSize    = 200
	readSize    = 8192
	ringPiece   = 64 << 10 // bytes that come at once
)

// event is something that a capture shows.
type event struct {
	at      int64
	library bool // it is plaintext
	do      func()
}

// TestSlowPeers: who reads slowly keeps what was written in a buffer, of its own kernel or
// of the writer. Wire and library are far apart in time then.
func TestSlowPeers(t *testing.T) {
	for name, d := range map[string]dialogue{
		"written, read slowly":            {responses: []int{500_000}, writes: true, pace: 20 * time.Millisecond},
		"written, then nobody reads":      {responses: []int{500_000}, writes: true, pace: time.Millisecond, stall: 3 * time.Second},
		"more than may wait":              {responses: []int{6_000_000, 1000}, writes: true, pace: time.Millisecond, stall: time.Second},
		"read slowly":                     {responses: []int{500_000}, pace: 10 * time.Millisecond},
		"written, joined":                 {responses: []int{500_000}, writes: true, pace: 10 * time.Millisecond, heard: 2},
		"written, joined, read fast":      {responses: []int{500_000}, writes: true, pace: 10 * time.Microsecond, heard: 2},
		"read slowly, joined":             {responses: []int{500_000}, pace: 10 * time.Millisecond, heard: 2},
		"read fast, joined":               {responses: []int{500_000}, pace: 10 * time.Microsecond, heard: 2},
		"written, joined by a response":   {responses: []int{500_000}, writes: true, pace: 10 * time.Millisecond, heard: 2, halfHeard: true},
		"read, joined by a response":      {responses: []int{500_000}, pace: 10 * time.Millisecond, heard: 2, halfHeard: true},
		"one record each, written":        {responses: []int{1000}, writes: true, heard: 2},
		"one record each, read":           {responses: []int{1000}, heard: 2},
		"records of one length, joined":   {responses: []int{10 * maxPlain}, writes: true, pace: 10 * time.Millisecond, heard: 2},
		"reads of one length, joined":     {responses: []int{10 * maxPlain}, pace: 10 * time.Millisecond, heard: 2},
		"head shown late, joined":         {responses: []int{500_000}, writes: true, late: 5 * time.Millisecond, heard: 2, halfHeard: true},
		"more than may wait, then joined": {responses: []int{6_000_000, 1000}, writes: true, pace: time.Millisecond, heard: 2},
	} {
		t.Run(name, func(t *testing.T) {
			d.play(t)
		})
	}
}

func (d *dialogue) play(t *testing.T) {
	out := &responses{}
	c := newTest(&account{most: 32 << 20}, out)
	if d.heard == 0 {
		begin13(c)
	}
	events := d.events(c)
	slices.SortStableFunc(events, func(a, b event) int { return int(a.at - b.at) })
	now := events[0].at
	for _, e := range events {
		for ; now < e.at; now += second / 10 {
			c.Tick(now)
		}
		e.do()
	}
	for range 20 {
		now += second / 10
		c.Tick(now)
	}
	at := 0
	for i := d.heard; i < exchanges; i++ {
		size := d.size(i)
		require.GreaterOrEqual(t, len(out.bytes), at+size)
		assert.True(t, bytes.Equal(bytes.Repeat([]byte{byte(i)}, size), out.bytes[at:at+size]), "response %d", i)
		if size <= maxWaiting {
			assert.Equal(t, firstSeq(i), out.seq(t, at), "place of response %d", i)
		}
		at += size
	}
	assert.Len(t, out.bytes, at)
}

// size is the length of a response.
func (d *dialogue) size(i int) int { return d.responses[i%len(d.responses)] }

// firstSeq is where response i begins on the wire.
func firstSeq(i int) uint32 { return uint32(i+1) * 10_000_000 }

// events are those of all exchanges.
func (d *dialogue) events(c *Connection) (all []event) {
	long := second + int64(d.stall) + int64(d.pace)*int64(slices.Max(d.responses)/readSize+1)
	if d.late > 0 {
		long = second / 20 // there is another call while the first one waits
	}
	unclaimed := &unclaimed{}
	position := [2]uint64{seenLate, seenLate}
	if d.heard == 0 {
		position = [2]uint64{}
	}
	show := func(at int64, i int, to dissect.Direction, read bool, b []byte) {
		if i < d.heard {
			return
		}
		for piece := range slices.Chunk(b, ringPiece) {
			m := conn.Mark{Time: at, Offset: position[to]}
			position[to] += uint64(len(piece))
			all = append(all, event{at, true, func() {
				unclaimed.giveUp(c, at)
				c.Plain(to, m, read, piece)
			}})
		}
	}
	record := func(at int64, to dissect.Direction, size int, seq, ack uint32) {
		all = append(all, event{at, false, func() {
			m := conn.Mark{Time: at, Seq: seq, Ack: ack}
			c.Record(to, m, size+17, true)
			unclaimed.record(c, size+17, at)
		}})
	}
	for i := range exchanges {
		at := int64(i+1) * long
		asked := uint32(i) * requestSize
		record(at, toServer, requestSize, asked, 0)
		if i != d.heard || !d.halfHeard {
			show(at+1e5, i, toServer, d.writes, make([]byte, requestSize))
		}
		body := bytes.Repeat([]byte{byte(i)}, d.size(i))
		wire, shown, records, head := at+3e5, at+2e5, 0, 0
		if d.late > 0 {
			record(wire, toClient, headSize, firstSeq(i), asked+requestSize)
			if wire += 5e4; i == d.heard {
				wire += int64(d.late)
			}
			show(wire, i, toClient, false, body[:headSize])
			wire, shown, head = wire+1e5, wire+45e4, headSize
		}
		for sent := head; sent < len(body); sent += maxPlain {
			record(wire, toClient, min(maxPlain, len(body)-sent), firstSeq(i)+uint32(sent), asked+requestSize)
			if records++; records == 3 {
				wire += int64(d.stall)
			}
			if wire += 1e4; d.writes {
				wire += int64(d.pace)
			}
		}
		if d.writes {
			show(shown, i, toClient, false, body[head:])
			continue
		}
		read := at + 1e6
		for part := range slices.Chunk(body, maxPlain) {
			for piece := range slices.Chunk(part, readSize) { // a read gives what is in one record
				show(read, i, toClient, true, piece)
				read += int64(d.pace)
			}
		}
	}
	return all
}

// responses are what came of one direction, in pieces that begin at these bytes of it.
type responses struct {
	bytes  []byte
	starts []int
	marks  []conn.Mark
}

// seq is the place of a piece that begins at a byte.
func (r *responses) seq(t *testing.T, at int) uint32 {
	t.Helper()
	i, found := slices.BinarySearch(r.starts, at)
	require.True(t, found, "a piece begins at %d", at)
	return r.marks[i].Seq
}

func (r *responses) Data(d dissect.Direction, m conn.Mark, b []byte) {
	if d == toClient {
		r.starts, r.marks = append(r.starts, len(r.bytes)), append(r.marks, m)
		r.bytes = append(r.bytes, b...)
	}
}

func (*responses) Gap(dissect.Direction, conn.Mark, uint64) {}
