// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// trimmer notes what the capture is told.
type trimmer struct{ said []string }

func (r *trimmer) Trim(socket uint64, d capture.Direction, until uint32) {
	r.said = append(r.said, fmt.Sprintf("trim %d %d until %d", socket, d, until))
}

func (r *trimmer) Untrim(socket uint64, d capture.Direction) {
	r.said = append(r.said, fmt.Sprintf("untrim %d %d", socket, d))
}

// told are what was said since the last time.
func (r *trimmer) told() []string {
	said := r.said
	r.said = nil
	return said
}

var (
	out = fmt.Sprintf("%d %d", clientSocket, capture.Egress)
	in  = fmt.Sprintf("%d %d", clientSocket, capture.Ingress)
)

// skipping is a connection of which 1000 bytes each way are not needed after the
// first.
func skipping(t *testing.T) (*script, *trimmer, *Conn) {
	r := &trimmer{}
	s := newScript(t, Settings{Trimmer: r})
	s.run("c> S 99", "c< SA 199 100", "c> A 100 200", "c> PA 100 200 q", "c< PA 200 101 r")
	require.Len(t, s.sink.opened, 1)
	c := s.sink.opened[0]
	c.Spare(Out, 1001)
	c.Spare(In, 1001)
	assert.Equal(t, []string{"trim " + out + " until 1101", "trim " + in + " until 1201"}, r.told())
	s.sink.events = nil
	return s, r, c
}

func TestSpare(t *testing.T) {
	t.Run("what is left out is skipped, to the byte", func(t *testing.T) {
		s, r, _ := skipping(t)
		s.run("c< A 201 101 +400", "c< A 601 101 +600", "c< PA 1201 101 next")
		s.want("c} skip 400", "c} skip 600", "c} next")
		assert.Equal(t, []string{"untrim " + in}, r.told())
		assert.Zero(t, s.stats.GapBytes.Load())
	})
	t.Run("what was copied all the same is data", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c> A 101 201 abc", "c> A 104 201 +10")
		s.want("c> abc", "c> skip 10")
	})
	t.Run("beyond it is a gap", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c< A 201 101 +1010")
		s.want("c} skip 1000", "c} gap 10")
		assert.EqualValues(t, 10, s.stats.GapBytes.Load())
	})
	t.Run("out of order", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c< A 701 101 +500", "c< PA 1201 101 next", "c< A 201 101 +500")
		s.want("c} skip 500", "c} skip 500", "c} next")
	})
	t.Run("sent again", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c< A 201 101 +500", "c< A 201 101 +500", "c< A 401 101 +800", "c< PA 1201 101 next")
		s.want("c} skip 500", "c} skip 500", "c} next")
	})
	t.Run("lost by the capture within it", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c< A 701 101 +500", "c> A 101 1201", "c< PA 1201 101 next")
		s.want("c} skip 500", "c} skip 500", "c} next")
		assert.Zero(t, s.stats.GapBytes.Load())
	})
	t.Run("lost by the capture across its end", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c> A 101 1251", "c< PA 1251 101 next")
		s.want("c} skip 1000", "c} gap 50", "c} next")
	})
	t.Run("told now and then", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c< A 701 101 +100")
		s.want("c} skip 500", "c} skip 100")
		s.run("c< PA 1199 101 zznext")
		s.want("c} skip 500", "c} skip 100", "c} skip 398", "c} zznext")
		assert.Zero(t, s.stats.GapBytes.Load())
		assert.Zero(t, s.stats.OutOfOrder.Load())
	})
	t.Run("told now and then, and then lost beyond its end", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c< PA 1251 101 next")
		s.want("c} skip 1000")
		s.run("c> A 101 1255")
		s.want("c} skip 1000", "c} gap 50", "c} next")
	})
	t.Run("ends untold", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c< FA 901 101")
		s.want("c} skip 700", "c} end fin")
	})
	t.Run("is reset untold", func(t *testing.T) {
		s, _, _ := skipping(t)
		s.run("c< R 901 101", "reset c")
		s.want("c} skip 700", "c> end rst", "c} end rst", "cclose rst")
	})
	t.Run("ends with the direction", func(t *testing.T) {
		s, r, _ := skipping(t)
		s.run("c< A 201 101 +100", "c< FA 301 101")
		s.want("c} skip 100", "c} end fin")
		assert.Equal(t, []string{"untrim " + in}, r.told())
		s.run("shutdown")
		assert.Equal(t, []string{"untrim " + out}, r.told())
	})
	t.Run("taken back", func(t *testing.T) {
		s, r, c := skipping(t)
		c.Spare(In, 0)
		assert.Equal(t, []string{"untrim " + in}, r.told())
		s.run("c< A 201 101 +100")
		s.want("c} gap 100")
		c.Spare(In, 0)
		assert.Empty(t, r.told())
	})
	t.Run("not ahead", func(t *testing.T) {
		_, r, c := skipping(t)
		c.Spare(In, 1)
		assert.Equal(t, []string{"untrim " + in}, r.told())
	})
	t.Run("after the end", func(t *testing.T) {
		s, r, c := skipping(t)
		s.run("c< FA 201 101")
		r.told()
		c.Spare(In, 5000)
		assert.Empty(t, r.told())
	})
}

// What is more than a sequence number can tell is told in steps.
func TestSpareRenewed(t *testing.T) {
	s, r, c := skipping(t)
	c.Spare(In, math.MaxUint64)
	assert.Equal(t, []string{fmt.Sprintf("trim %s until %d", in, 201+maxTrim)}, r.told())
	const segment = 16 << 20
	renewed := 0
	for at := uint64(201); at < 6<<30; at += segment {
		s.run(fmt.Sprintf("c< A %d 101 +%d", uint32(at), segment))
		for _, said := range r.told() {
			renewed++
			assert.Equal(t, fmt.Sprintf("trim %s until %d", in, uint32(at+segment+maxTrim)), said)
		}
	}
	assert.Equal(t, 12, renewed)
	assert.Zero(t, s.stats.GapBytes.Load())
}

func TestSpareNeedsATrimmer(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> S 99", "c< SA 199 100", "c> PA 100 200 q")
	s.sink.opened[0].Spare(Out, 1000)
	s.run("c> A 101 200 +10")
	s.want("copen", "c> q", "c> gap 10")
}
