// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

const joinPeriod = 10 * time.Millisecond

// talk is a direction of a connection in which each message is one record and one call of
// the library, all of the same length, so that nothing but times tells them apart.
type talk struct {
	t    *testing.T
	c    *Connection
	a    *aligner
	out  noted
	next uint64 // position of plaintext
	// delay is by how much the library tells of a message later than the wire.
	delay time.Duration
}

const joinSize = 100

func newTalk(t *testing.T, delay time.Duration) *talk {
	k := &talk{t: t, delay: delay}
	k.c = newTest(&account{most: 1 << 20}, &k.out)
	k.a = &k.c.sides[toClient]
	return k
}

// say tells of message i: on the wire, by the library, or both, in the order of their
// times.
func (k *talk) say(i int, wire, library bool) {
	at := int64(i) * int64(joinPeriod)
	record := func() {
		if wire {
			k.a.record(joinSize+17, conn.Mark{Time: at, Seq: uint32(1000 * i)})
		}
	}
	if k.delay >= 0 {
		record()
	}
	if library {
		k.c.Plain(toClient, conn.Mark{Time: at + int64(k.delay), Offset: k.next}, k.delay >= 0, bytes.Repeat([]byte{byte(i)}, joinSize))
	}
	k.next += joinSize
	if k.delay < 0 {
		record()
	}
}

// wait lets time pass until nothing is expected any more.
func (k *talk) wait() {
	for t := range 20 {
		k.c.Tick(int64(time.Hour) + int64(t)*int64(100*time.Millisecond))
	}
}

// check that each byte that came is at the place of its message, and gives the messages.
func (k *talk) check() (messages []int) {
	k.t.Helper()
	require.Len(k.t, k.out.bytes, joinSize*len(k.out.marks))
	for n, m := range k.out.marks {
		i := int(k.out.bytes[n*joinSize])
		assert.Equal(k.t, uint32(1000*i), m.Seq, "place of message %d", i)
		messages = append(messages, i)
	}
	return messages
}

func count(from, to int) (all []int) {
	for ; from < to; from++ {
		all = append(all, from)
	}
	return all
}

// A library that reads tells of it later than the wire, one that writes into memory
// earlier.
var joinDelays = []time.Duration{time.Millisecond, 50 * time.Microsecond, -50 * time.Microsecond, -time.Millisecond}

// The library is heard from some message on.
func TestJoinMidway(t *testing.T) {
	for _, delay := range joinDelays {
		for _, position := range []uint64{seenLate, 5000} {
			t.Run(fmt.Sprint(delay, position), func(t *testing.T) {
				k := newTalk(t, delay)
				for i := 1; i < 20; i++ {
					if i == 8 {
						k.next = position
					}
					k.say(i, true, i >= 8)
				}
				k.wait()
				assert.Equal(t, count(8, 20), k.check())
			})
		}
	}
}

// The wire and the library lose different messages at the same time.
func TestJoinAfterLoss(t *testing.T) {
	for _, delay := range joinDelays {
		for _, lost := range []struct{ wireFrom, wireTo, libraryFrom, libraryTo int }{
			{10, 20, 10, 20}, {10, 20, 11, 19}, {10, 22, 8, 20}, {10, 20, 8, 22}, {10, 60, 13, 55}, {10, 11, 9, 12},
		} {
			t.Run(fmt.Sprint(delay, lost), func(t *testing.T) {
				k := newTalk(t, delay)
				var want []int
				for i := 1; i < 80; i++ {
					if i == lost.wireTo {
						k.a.hole()
					}
					wire := i < lost.wireFrom || i >= lost.wireTo
					library := i < lost.libraryFrom || i >= lost.libraryTo
					k.say(i, wire, library)
					if wire && library {
						want = append(want, i)
					}
				}
				k.wait()
				got := k.exact()
				assert.GreaterOrEqual(t, len(got), len(want)-2, "want %v, have %v", want, got)
				assert.Equal(t, want[len(want)-15:], got[len(got)-15:])
			})
		}
	}
}

// exact gives the messages whose place is told, and checks that it is right. Others have
// no acknowledgement, which says that their place is not known.
func (k *talk) exact() (messages []int) {
	k.t.Helper()
	require.Len(k.t, k.out.bytes, joinSize*len(k.out.marks))
	for n, m := range k.out.marks {
		i := int(k.out.bytes[n*joinSize])
		if m.Time != int64(i)*int64(joinPeriod) {
			continue // when the library told it
		}
		assert.Equal(k.t, uint32(1000*i), m.Seq, "place of message %d", i)
		messages = append(messages, i)
	}
	return messages
}

// A library's object that is forgotten and found again begins anew.
func TestJoinAgain(t *testing.T) {
	k := newTalk(t, time.Millisecond)
	for i := 1; i < 40; i++ {
		if i == 20 {
			k.next = seenLate
		}
		k.say(i, true, i < 15 || i >= 20)
	}
	k.wait()
	assert.Equal(t, append(count(1, 15), count(20, 40)...), k.check())
}

// A process that reads single bytes does not tell where records end. A key update is found
// by what is left in the end.
func TestKeyUpdateReadByteByByte(t *testing.T) {
	k := newTalk(t, time.Millisecond)
	begin13(k.c)
	for i := 1; i < 20; i++ {
		at := int64(i) * int64(joinPeriod)
		if i%5 == 0 {
			k.a.record(updateBytes+17, conn.Mark{Time: at, Seq: uint32(1000*i - 100)})
		}
		k.a.record(joinSize+17, conn.Mark{Time: at, Seq: uint32(1000 * i), Ack: 1})
		for n := range joinSize {
			at := at + int64(k.delay) + int64(n)*1000
			k.c.Plain(toClient, conn.Mark{Time: at, Offset: k.next}, true, []byte{byte(i)})
			k.next++
		}
	}
	k.wait()
	require.Len(t, k.out.bytes, 19*joinSize)
	for i := 1; i < 20; i++ {
		if i%5 != 0 { // those after an update begin at that
			assert.Equal(t, uint32(1000*i), k.out.marks[(i-1)*joinSize].Seq, "message %d", i)
		}
	}
}
