// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// traffic is a direction of a connection under loss: what happens on the wire and in the
// library, and what of it is heard.
type traffic struct {
	random *rand.Rand
	// sizes are the lengths of a message's records, the same for each message.
	sizes []int
	// calls are the lengths of the calls of the library for a message.
	calls []int
	read  bool
	// late is how long after the wire the library tells of a message, early if negative.
	late   time.Duration
	jitter time.Duration // of both
	period time.Duration

	events []lossEvent
	places []place // of records
	wire   uint64
	plain  uint64
}

const sealing = 17 // what TLS 1.3 adds to a record's plaintext

type lossEvent struct {
	at     time.Duration
	record bool
	size   int
	offset uint64 // on the wire, or of plaintext
	tells  time.Duration
}

// place is where plaintext is on the wire.
type place struct{ position, offset uint64 }

// happen lets so many messages happen.
func (f *traffic) happen(messages int) {
	for i := range messages {
		at := time.Duration(i+1) * f.period
		for _, n := range f.sizes {
			f.places = append(f.places, place{f.plain, f.wire + headerBytes})
			f.events = append(f.events, lossEvent{at: at, record: true, size: n + sealing, offset: f.wire + headerBytes})
			f.wire += uint64(headerBytes + n + sealing)
			f.plain += uint64(n)
		}
		position := f.plain
		for _, n := range f.calls {
			position -= uint64(n)
		}
		called := at + f.late + time.Duration(f.random.Int64N(int64(f.jitter)+1))
		for _, n := range f.calls {
			f.events = append(f.events, lossEvent{at: called, size: n, offset: position})
			position += uint64(n)
			called += 20 * time.Microsecond
		}
	}
	sort.SliceStable(f.events, func(i, j int) bool { return f.events[i].at < f.events[j].at })
}

// lose loses what happens between two times. At both ends of that some get through.
func (f *traffic) lose(from, to time.Duration) {
	edge := (to - from) / 8
	kept := f.events[:0]
	for _, e := range f.events {
		inside := e.at >= from && e.at < to
		near := e.at < from+edge || e.at >= to-edge
		if !inside || near && f.random.IntN(2) == 0 {
			kept = append(kept, e)
		}
	}
	f.events = kept
}

// tell tells a conversation of what is left. Records after a loss come late: others might
// still have come before them.
func (f *traffic) tell(c *Connection) {
	const wait = 60 * time.Millisecond
	next, late := uint64(headerBytes), time.Duration(0)
	for i := range f.events {
		e := &f.events[i]
		e.tells = e.at
		if e.record {
			if e.offset != next {
				late = e.at + wait
			}
			e.tells = max(e.at, late)
			next = e.offset + uint64(e.size) + headerBytes
		}
	}
	sort.SliceStable(f.events, func(i, j int) bool { return f.events[i].tells < f.events[j].tells })
	next = headerBytes
	ticked := time.Duration(0)
	a := &c.sides[toClient]
	for _, e := range f.events {
		for ; ticked < e.tells; ticked += 50 * time.Millisecond {
			c.Tick(int64(ticked))
		}
		if !e.record {
			b := make([]byte, e.size)
			for i := range b {
				b[i] = byte((e.offset + uint64(i)) % 251)
			}
			c.Plain(toClient, conn.Mark{Time: int64(e.at), Offset: e.offset}, f.read, b)
			continue
		}
		if e.offset != next {
			a.hole()
		}
		a.record(e.size, conn.Mark{Time: int64(e.at), Offset: e.offset, Seq: uint32(e.offset), Ack: 1})
		next = e.offset + uint64(e.size) + headerBytes
	}
	for range 20 {
		ticked += 50 * time.Millisecond
		c.Tick(int64(ticked))
	}
}

// heard is what is carried, checked against the truth.
type heard struct {
	t     *testing.T
	of    *traffic
	exact map[uint64]int // bytes with a place, by the position at which they begin
	wrong []string
}

func (h *heard) Data(_ dissect.Direction, m conn.Mark, b []byte) {
	for i, v := range b {
		if at := m.Offset + uint64(i); byte(at%251) != v {
			require.Fail(h.t, "another byte", "%d", at)
		}
	}
	if m.Ack == 0 {
		return
	}
	h.exact[m.Offset] += len(b)
	if want := h.of.place(m.Offset); uint64(m.Seq) != want {
		h.wrong = append(h.wrong, fmt.Sprintf("%d is at %d, not %d", m.Offset, m.Seq, want))
	}
}

func (*heard) Gap(dissect.Direction, conn.Mark, uint64) {}

func (f *traffic) place(position uint64) uint64 {
	i := sort.Search(len(f.places), func(i int) bool { return f.places[i].position > position }) - 1
	return f.places[i].offset + position - f.places[i].position
}

// TestLossOfBoth loses records and plaintext at the same time, again and again. No byte may
// get a place that is not its own, and after the last loss all have theirs soon.
func TestLossOfBoth(t *testing.T) {
	const (
		messages = 400
		halts    = 5
		more     = 12
	)
	shapes := map[string]traffic{
		"read":                      {sizes: []int{657}, calls: []int{657}, read: true, late: 50 * time.Microsecond},
		"read, twice a record":      {sizes: []int{8122}, calls: []int{4096, 4026}, read: true, late: 50 * time.Microsecond},
		"read, head and body":       {sizes: []int{196, 1000}, calls: []int{196, 1000}, read: true, late: 50 * time.Microsecond},
		"read, what records add":    {sizes: []int{22 * 30}, calls: []int{22 * 30}, read: true, late: 50 * time.Microsecond},
		"written":                   {sizes: []int{657}, calls: []int{657}, late: 50 * time.Microsecond},
		"written, several records":  {sizes: []int{1186, 1186, 800}, calls: []int{3172}, late: 80 * time.Microsecond},
		"written, several calls":    {sizes: []int{196, 1000}, calls: []int{196, 1000}, late: 50 * time.Microsecond},
		"written into memory":       {sizes: []int{8122}, calls: []int{8122}, late: -30 * time.Microsecond},
		"written, what records add": {sizes: []int{22 * 30}, calls: []int{22 * 30}, late: 50 * time.Microsecond},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(8) {
				f := shape
				f.random = rand.New(rand.NewPCG(seed, 5))
				f.period = time.Duration(2+f.random.IntN(20)) * time.Millisecond
				f.jitter = time.Duration(f.random.IntN(4)) * f.period / 8
				end := messages * f.period
				recovered := int((end + 1500*time.Millisecond) / f.period) // from then on
				f.happen(recovered + more)
				for i := range time.Duration(halts) {
					from := end * (2*i + 1) / (2*halts + 3)
					f.lose(from, from+time.Duration(f.random.Int64N(int64(end)/(2*halts+3))))
				}
				h := &heard{t: t, of: &f, exact: map[uint64]int{}}
				c := newTest(&account{most: 8 << 20}, h)
				begin13(c)
				f.tell(c)
				assert.Empty(t, h.wrong, "seed %d", seed)
				exact, size := 0, int(f.plain)/(recovered+more)
				for at, n := range h.exact {
					if at >= uint64(recovered*size) {
						exact += n
					}
				}
				assert.Equal(t, more*size, exact, "bytes that have a place in the end, seed %d", seed)
			}
		})
	}
}

// TestAnchor: what is between two places is plaintext, and what whole records add.
func TestAnchor(t *testing.T) {
	c := newTest(&account{most: 1 << 20}, nowhere{})
	c.SetCipher(gcm13)
	a := &c.sides[toClient]
	assert.Equal(t, unknown, a.check(0, 0))
	a.anchor = anchor{known: true, position: 1000, offset: 5000}
	for _, v := range []struct {
		position, offset uint64
		want             verdict
	}{
		{1000, 5000, agrees},
		{1100, 5000 + 100 + 22, agrees},
		{1100, 5000 + 100 + 5*22, agrees},
		{1100, 5000 + 100 + 23, contradicts},
		{1100, 5000 + 100, contradicts}, // in no record
		{1100, 5000 + 99, contradicts},
		{1100, 5000 + 100 + 101*22, contradicts}, // in more records than bytes
		{1000 + 40000, 5000 + 40000 + 2*22, contradicts},
		{1000 + 40000, 5000 + 40000 + 3*22, agrees},
		{900, 6000, contradicts},
		{1100, 4000, contradicts},
	} {
		assert.Equal(t, v.want, a.check(v.position, v.offset), "%+v", v)
	}
	c.SetCipher(cbc12)
	assert.Equal(t, unknown, a.check(1100, 5123), "the cipher pads")
}

// TestTimeJumps: after a halt, the clock is ahead of what is still to be taken from the
// capture.
func TestTimeJumps(t *testing.T) {
	k := newTalk(t, 0)
	k.say(1, true, true)
	k.say(2, false, true)
	k.c.Tick(int64(time.Hour))
	assert.Len(t, k.out.marks, 1)
	k.next -= joinSize
	k.say(2, true, false)
	assert.Equal(t, []int{1, 2}, k.check())
}

// TestPlacesDiffer: from its place a call gets its identity, also where that is not known.
func TestPlacesDiffer(t *testing.T) {
	k := newTalk(t, 0)
	k.say(1, true, true)
	for i := 2; i < 6; i++ {
		k.say(i, false, true)
	}
	k.wait()
	places := map[uint32]bool{}
	for _, m := range k.out.marks {
		places[m.Seq] = true
	}
	assert.Len(t, places, 5)
}

// TestLateBeginning: of a library that is heard late something is missing, though no more
// than a handshake has on the wire.
func TestLateBeginning(t *testing.T) {
	k := newTalk(t, time.Millisecond)
	k.c.SawBeginning()
	for i := 1; i < 6; i++ {
		if i == 2 {
			k.next = seenLate
		}
		k.say(i, true, i > 1)
	}
	k.wait()
	assert.Equal(t, count(2, 6), k.check())
	assert.Equal(t, uint64(1), k.out.missing)
}
