// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package reassembly

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/internal/testkit/seed"
)

// checker is a Receiver that compares what it gets with what was sent.
type checker struct {
	t     testing.TB
	sent  []byte
	start uint32
	next  uint64
	gaps  uint64
}

func (c *checker) at(p Position) {
	require.Equal(c.t, c.next, p.Offset, "not contiguous")
	require.Equal(c.t, c.start+uint32(p.Offset), p.Seq)
}

func (c *checker) Data(p Position, b []byte) {
	c.at(p)
	require.NotEmpty(c.t, b)
	require.LessOrEqual(c.t, int(c.next)+len(b), len(c.sent))
	require.True(c.t, bytes.Equal(c.sent[c.next:][:len(b)], b), "other bytes at %d", c.next)
	c.next += uint64(len(b))
}

func (c *checker) Gap(p Position, n uint64) {
	c.at(p)
	require.NotZero(c.t, n)
	c.next += n
	c.gaps += n
}

// TestAnyOrderGivesTheBytesSent cuts a stream at random, and repeats, overlaps,
// truncates, loses and reorders the pieces. Whatever is delivered must be what was
// sent, and gaps must have the size of what is missing.
func TestAnyOrderGivesTheBytesSent(t *testing.T) {
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { shuffle(t, seed) })
	}
}

func shuffle(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	sent := make([]byte, 1+r.IntN(20_000))
	for i := range sent {
		sent[i] = byte(r.Uint32())
	}
	start := -uint32(r.IntN(2 * len(sent))) // mostly wraps around
	lossless := seed%4 == 0

	var pieces []Segment
	for at := 0; at < len(sent); {
		n := min(1+r.IntN(1500), len(sent)-at)
		pieces = append(pieces, piece(sent, start, at, n))
		at += n
	}
	for range len(pieces) / 3 {
		at := r.IntN(len(sent))
		pieces = append(pieces, piece(sent, start, at, min(1+r.IntN(4000), len(sent)-at)))
	}
	distance := 1 + r.IntN(len(pieces))
	for i := range pieces {
		j := min(i+r.IntN(distance), len(pieces)-1)
		pieces[i], pieces[j] = pieces[j], pieces[i]
	}

	const maxBytes, maxSegments = 8 << 10, 12
	mem := budget.New(1 << 20)
	a := NewAssembler(maxBytes, maxSegments, mem)
	if lossless {
		a = NewAssembler(1<<20, 1<<10, mem)
	}
	c := &checker{t: t, sent: sent, start: start}
	var s Stream
	s.Start(start)
	for _, p := range pieces {
		if !lossless && r.IntN(8) == 0 {
			continue
		}
		if !lossless && r.IntN(8) == 0 {
			p.Payload = p.Payload[:r.IntN(len(p.Payload)+1)]
		}
		borrowed := bytes.Clone(p.Payload)
		p.Payload = borrowed
		o := a.Insert(&s, p, c)
		clear(borrowed)
		require.False(t, o.Differs)
		require.False(t, o.AfterFIN)
		if !lossless && r.IntN(16) == 0 {
			a.GiveUpTo(&s, start+uint32(r.IntN(len(sent)+1)), 1, c)
		}
		held, count := s.Held()
		require.LessOrEqual(t, count, a.maxSegments)
		require.LessOrEqual(t, held, a.maxBytes)
	}
	require.True(t, s.FIN(start+uint32(len(sent))))
	holes := a.Flush(&s, 1, c)
	assert.Equal(t, uint64(len(sent)), c.next)
	if lossless {
		assert.Zero(t, c.gaps)
		assert.Zero(t, holes)
	}
	assert.True(t, s.Done())
	assert.Zero(t, mem.Used())
}

func piece(sent []byte, start uint32, at, n int) Segment {
	return Segment{Time: int64(at), Seq: start + uint32(at), Payload: sent[at:][:n], WireLen: n}
}

func TestBudgetIsALimit(t *testing.T) {
	sent := bytes.Repeat([]byte("abc"), 1000)
	mem := budget.New(int64(2 * cost(classes[0])))
	a := NewAssembler(1<<20, 1<<10, mem)
	c := &checker{t: t, sent: sent}
	var s Stream
	s.Start(0)
	for at := 100; at < 1000; at += 100 {
		o := a.Insert(&s, piece(sent, 0, at, 10), c)
		if at == 300 {
			assert.Equal(t, 1, o.Limited)
		}
		assert.LessOrEqual(t, mem.Used(), mem.Limit())
	}
	a.Flush(&s, 0, c)
	assert.Equal(t, uint64(910), c.next)
	assert.Equal(t, uint64(820), c.gaps)
	assert.Zero(t, mem.Used())
}

func TestFloatingStart(t *testing.T) {
	sent := []byte("0123456789")
	a := NewAssembler(1<<20, 1<<10, nil)
	c := &checker{t: t, sent: sent, start: 50}
	var s Stream
	s.StartFloating(54)
	a.Insert(&s, piece(sent, 50, 4, 3), c)
	a.Insert(&s, piece(sent, 50, 0, 4), c)
	assert.Zero(t, c.next)
	assert.True(t, s.Floating())
	a.Settle(&s, c)
	assert.Equal(t, uint64(7), c.next)

	o := a.Insert(&s, piece(sent, 50, 0, 4), c)
	assert.True(t, o.Duplicate)
}

func TestFINThatContradicts(t *testing.T) {
	a := NewAssembler(1<<20, 1<<10, nil)
	sent := []byte("0123456789")
	c := &checker{t: t, sent: sent}
	var s Stream
	s.Start(0)
	a.Insert(&s, piece(sent, 0, 0, 3), c)
	a.Insert(&s, piece(sent, 0, 6, 2), c)
	assert.False(t, s.FIN(2), "before what was delivered")
	assert.False(t, s.FIN(7), "before what is held")
	assert.False(t, s.FINSeen())
	assert.True(t, s.FIN(8))
	assert.True(t, s.FIN(8))
	assert.False(t, s.FIN(9))
	assert.False(t, a.Insert(&s, piece(sent, 0, 3, 5), c).Refuted)
	assert.Equal(t, uint64(8), c.next)
	assert.True(t, s.Done())
	assert.True(t, a.Insert(&s, piece(sent, 0, 7, 3), c).AfterFIN)
	s.ForgetFIN()
	assert.True(t, s.Done(), "it was reached")
}

// What goes on past a FIN before its time, as Linux drops it then.
func TestFINThatIsPassed(t *testing.T) {
	a := NewAssembler(1<<20, 1<<10, nil)
	sent := []byte("0123456789")
	c := &checker{t: t, sent: sent}
	var s Stream
	s.Start(0)
	assert.True(t, s.FIN(8))
	assert.True(t, a.Insert(&s, piece(sent, 0, 8, 2), c).AfterFIN)
	assert.True(t, a.Insert(&s, piece(sent, 0, 3, 7), c).Refuted)
	assert.False(t, s.FINSeen())
	a.Insert(&s, piece(sent, 0, 0, 3), c)
	assert.Equal(t, uint64(10), c.next)
	assert.True(t, s.FIN(10))
	assert.True(t, s.Done())
}

func TestContradictionsAreSeen(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first Segment
		again Segment
		want  bool
	}{
		{"same", Segment{Seq: 5, Payload: []byte("abc"), WireLen: 3}, Segment{Seq: 3, Payload: []byte("xxabc"), WireLen: 5}, false},
		{"other", Segment{Seq: 5, Payload: []byte("abc"), WireLen: 3}, Segment{Seq: 3, Payload: []byte("xxaBc"), WireLen: 5}, true},
		{"other, later", Segment{Seq: 5, Payload: []byte("abc"), WireLen: 3}, Segment{Seq: 6, Payload: []byte("Bc"), WireLen: 2}, true},
		{"cut off where they differ", Segment{Seq: 5, Payload: []byte("a"), WireLen: 3}, Segment{Seq: 5, Payload: []byte("aBC"), WireLen: 3}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := NewAssembler(1<<20, 1<<10, nil)
			var s Stream
			s.Start(0)
			a.Insert(&s, tt.first, nil)
			assert.Equal(t, tt.want, a.Insert(&s, tt.again, nil).Differs)
			assert.Equal(t, tt.want, tt.again.differs(&tt.first))
		})
	}
}

func TestPoolIsBounded(t *testing.T) {
	p := pool{budget: budget.New(64 << 20)}
	for _, size := range []int{0, 1, 256, 257, 3000, 60_000, 200_000} {
		var taken []*chunk
		for range 100 {
			c := p.get(&Stream{}, &Segment{Payload: make([]byte, size), WireLen: size})
			require.Len(t, c.seg.Payload, size)
			taken = append(taken, c)
		}
		for _, c := range taken {
			p.put(&Stream{}, c)
		}
	}
	assert.Zero(t, p.budget.Used())
	for class, n := range p.idle {
		assert.LessOrEqual(t, n*classes[class], maxIdle)
		assert.NotZero(t, n)
	}
}

func TestDistance(t *testing.T) {
	assert.Equal(t, 2, Distance(0xffffffff, 1))
	assert.Equal(t, -2, Distance(1, 0xffffffff))
	assert.Equal(t, 0, Distance(7, 7))
	assert.Equal(t, 1<<31-1, Distance(0, 1<<31-1))
}

// FuzzStream feeds anything. The first byte seen for a number must win, and limits
// must hold.
func FuzzStream(f *testing.F) {
	f.Add([]byte{0, 10, 5, 0, 0, 10, 1, 3, 20, 2, 30, 4})
	f.Add([]byte{0, 0, 200, 0, 100, 200, 3, 90, 0, 4, 0, 0})
	for _, segments := range seed.Segments(f) {
		f.Add(scriptOf(segments))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		mem := budget.New(64 << 10)
		a := NewAssembler(300, 6, mem)
		base := uint32(0xffffff80)
		r := &contiguous{t: t, base: base}
		var s Stream
		s.Start(base)
		if len(script)%2 == 0 {
			s = Stream{}
			s.StartFloating(base)
			r.floats = true
		}
		for len(script) >= 4 {
			op, at, n, cut := script[0], int(script[1])-32, int(script[2]), int(script[3])
			script = script[4:]
			seq := base + uint32(at)
			switch op % 8 {
			case 0:
				s.FIN(seq)
			case 1:
				a.GiveUp(&s, r)
			case 2:
				a.GiveUpTo(&s, seq, 1, r)
			case 3:
				a.Settle(&s, r)
			default:
				b := bytes.Repeat([]byte{op}, max(0, n-cut))
				a.Insert(&s, Segment{Seq: seq, Payload: b, WireLen: n}, r)
				clear(b)
			}
			held, count := s.Held()
			if count > 6 || held > 300 || (count == 0) != (s.head == nil) {
				t.Fatalf("holds %d bytes in %d segments", held, count)
			}
			for c := s.head; c != nil && c.next != nil; c = c.next {
				if Distance(c.seg.end(), c.next.seg.Seq) < 0 || c.next.prev != c {
					t.Fatal("held segments overlap")
				}
			}
			if s.head != nil && !s.floating && Distance(s.next, s.head.seg.Seq) <= 0 {
				t.Fatal("held though in order")
			}
		}
		a.Flush(&s, 0, r)
		if s.finSeen && !s.Done() {
			t.Fatal("the FIN is not due after Flush")
		}
		if mem.Used() != 0 {
			t.Fatal("memory was not given back")
		}
	})
}

// scriptOf makes steps of one direction of captured segments. What does not fit
// into a byte becomes other segments of the same shape.
func scriptOf(segments []seed.Segment) (script []byte) {
	for _, s := range segments {
		if s.Back {
			continue
		}
		script = append(script, 4, byte(s.Seq+32), byte(min(s.Len, 255)), 0)
		if s.Flags&1 != 0 {
			script = append(script, 0, byte(int(s.Seq)+s.Len+32), 0, 0)
		}
	}
	return script
}

type contiguous struct {
	t      *testing.T
	base   uint32
	next   uint64
	floats bool
}

func (c *contiguous) take(p Position, n uint64) {
	if c.next == 0 && c.floats {
		c.base = p.Seq
	}
	if p.Offset != c.next || p.Seq != c.base+uint32(p.Offset) || n == 0 {
		c.t.Fatalf("not contiguous: %+v, want offset %d", p, c.next)
	}
	c.next += n
}

func (c *contiguous) Data(p Position, b []byte) {
	c.take(p, uint64(len(b)))
	if len(b) == 0 || b[0] == 0 {
		c.t.Fatal("bytes that were borrowed")
	}
}

func (c *contiguous) Gap(p Position, n uint64) { c.take(p, n) }
