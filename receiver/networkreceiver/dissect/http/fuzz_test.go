// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// FuzzConversation plays arbitrary bytes in both directions, whole and in pieces.
// The messages must be the same, and within the limits.
func FuzzConversation(f *testing.F) {
	for _, test := range conversations {
		var data [2]string
		for _, s := range test.steps {
			data[s.dir] += s.data
		}
		f.Add([]byte(data[toServer]), []byte(data[toClient]), uint8(3))
	}
	for _, c := range seed.Conversations(f) {
		there, back := c.Bytes()
		f.Add(there, back, uint8(7))
	}
	limits := dissect.Limits{HeaderBytes: 4 << 10, BodyBytes: 1 << 10, Outstanding: 4}
	f.Fuzz(func(t *testing.T, in, out []byte, size uint8) {
		var players [2]*player
		for i := range players {
			p := newPlayer(limits)
			players[i] = p
			for d, b := range [][]byte{in, out} {
				for piece := int(size); i == 1 && piece > 0 && len(b) > piece && len(b) < 4096; b = b[piece:] {
					p.play(step{dir: dissect.Direction(d), data: string(b[:piece])})
				}
				p.play(step{dir: dissect.Direction(d), data: string(b)})
			}
			if len(p.sink.upgrades) == 0 {
				p.play(ends(toServer, conn.ReasonFIN), ends(toClient, conn.ReasonRST))
			}
			p.check(t)
			for _, m := range p.sink.messages {
				require.LessOrEqual(t, len(m.Content.Body), limits.BodyBytes)
				require.GreaterOrEqual(t, m.Last.Offset, m.First.Offset)
				require.Equal(t, m.Last.Offset-m.First.Offset+1, m.Size)
				require.LessOrEqual(t, m.Content.BodySize, m.Size)
				var pair [2]*dissect.Message
				pair[m.Direction] = m
				for _, side := range []dissect.Side{dissect.ClientSide, dissect.ServerSide} {
					Dissector{}.Describe(side, pair[toServer], pair[toClient], attributes{t, map[string]any{}})
				}
			}
		}
		if players[0].violations == 0 {
			require.Equal(t, briefs(players[0].sink.messages), briefs(players[1].sink.messages))
		}
	})
}

// FuzzHoles loses a part of a direction. Nothing may break, and a call that comes
// afterwards must be found.
func FuzzHoles(f *testing.F) {
	for _, test := range conversations {
		var data [2]string
		for _, s := range test.steps {
			data[s.dir] += s.data
		}
		f.Add([]byte(data[toServer]), []byte(data[toClient]), uint16(40), uint16(10))
	}
	for _, c := range seed.Conversations(f) {
		there, back := c.Bytes()
		f.Add(there, back, uint16(40), uint16(10))
	}
	f.Fuzz(func(t *testing.T, in, out []byte, at, n uint16) {
		p := newPlayer(dissect.Limits{HeaderBytes: 4 << 10, BodyBytes: 1 << 10, Outstanding: 4})
		for d, b := range [][]byte{in, out} {
			from := min(int(at), len(b))
			to := min(from+int(n)+1, len(b))
			if from == to {
				continue
			}
			p.play(step{dir: dissect.Direction(d), data: string(b[:from])})
			p.play(lost(dissect.Direction(d), uint64(to-from)))
			p.play(step{dir: dissect.Direction(d), data: string(b[to:])})
		}
		p.check(t)
	})
}

// FuzzProbe sees to it that Probe takes anything and never says Yes to bytes that
// the conversation then refuses at once.
func FuzzProbe(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\n"), []byte("HTTP/1.1 200 OK\r\n"))
	f.Add([]byte("PRI * HTTP/2.0\r\n"), []byte(""))
	for _, c := range seed.Conversations(f) {
		there, back := c.Bytes()
		f.Add(there, back)
	}
	f.Fuzz(func(t *testing.T, in, out []byte) {
		straight, turned := probe(in, out), probe(out, in)
		switch {
		case straight == dissect.Reversed:
			require.Contains(t, []dissect.Verdict{dissect.Yes}, turned)
		case straight != dissect.Yes:
			require.Equal(t, straight, turned)
		}
	})
}
