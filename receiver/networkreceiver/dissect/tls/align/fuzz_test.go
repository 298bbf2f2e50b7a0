// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// FuzzAlign shows plaintext beside records that need not fit, with losses of both. All
// plaintext has to come out, in its order, and nothing may be held in the end.
func FuzzAlign(f *testing.F) {
	// Three bytes each: what, and a length.
	f.Add(uint16(0x0304), []byte{0, 0, 117, 1, 0, 100, 0, 1, 17, 1, 0, 200, 1, 0, 56})
	f.Add(uint16(0x0303), []byte{1, 0, 100, 0, 0, 124, 3, 0, 0, 1, 0, 50, 0, 0, 99, 2, 0, 10, 1, 0, 1, 4, 0, 80})
	f.Add(uint16(0x0301), []byte{0, 0, 100, 1, 0, 70, 0, 1, 0, 0, 2, 0, 1, 0, 9, 5, 0, 0, 1, 0, 200})
	f.Add(uint16(0), []byte{1, 64, 0, 1, 64, 0, 1, 64, 0, 1, 64, 0, 1, 64, 0, 0, 64, 17, 0, 64, 17})
	f.Add(uint16(0x0304), []byte{6, 0, 117, 7, 0, 100, 1, 255, 0, 1, 255, 0, 4, 3, 0, 0, 64, 17, 6, 0, 117, 7, 0, 100, 1, 0, 50, 0, 0, 67})
	f.Add(uint16(0), []byte{6, 0, 117, 7, 0, 100, 0, 64, 17, 0, 64, 17, 0, 0, 90, 1, 64, 0, 1, 64, 0, 1, 0, 73, 6, 0, 117, 7, 0, 100, 0, 64, 17, 1, 64, 0})
	f.Fuzz(func(t *testing.T, version uint16, script []byte) {
		sink := &account{most: 1 << 20}
		out := &carried{t: t}
		c := newTest(sink, out)
		if version != 0 {
			c.SetCipher(cipherOf(version, script0(script)%4))
			if script0(script)&4 == 0 {
				c.SawBeginning()
			}
		}
		a := &c.sides[toClient]
		var now int64
		var offset, shown, asked uint64
		lossy := false
		for ; len(script) >= 3; script = script[3:] {
			n := int(binary.BigEndian.Uint16(script[1:]))
			now += 1e6
			m := conn.Mark{Time: now, Seq: uint32(now)}
			switch script[0] % 8 {
			case 0:
				a.record(n%(maxPlain+2048)+1, m)
			case 1:
				b := make([]byte, n)
				for i := range b {
					b[i] = byte(offset + uint64(i))
				}
				c.Plain(toClient, conn.Mark{Time: now, Offset: offset}, script0(script)&8 != 0, b)
				clear(b)
				offset += uint64(n)
				shown += uint64(n)
			case 2:
				offset += uint64(n)
				lossy = true
			case 3:
				a.hole()
				lossy = true
			case 4:
				now += int64(n) * 1e6
				c.Tick(now)
			case 5:
				out.replayed = true
				c.Plain(toClient, conn.Mark{Time: now}, script0(script)&8 != 0, make([]byte, n)) // what was there already
				offset = max(offset, uint64(n))
			case 6:
				c.sides[toServer].record(n%(maxPlain+2048)+1, m)
			case 7:
				c.Plain(toServer, conn.Mark{Time: now, Offset: asked}, script0(script)&8 == 0, make([]byte, n))
				asked += uint64(n)
			}
			require.LessOrEqual(t, a.held, maxWaiting)
			require.LessOrEqual(t, len(a.records), maxRecords+1)
		}
		c.End(toServer)
		c.End(toClient)
		require.Zero(t, sink.kept, "what is held in the end")
		require.False(t, a.holds())
		if !out.replayed {
			require.LessOrEqual(t, out.bytes, shown)
			require.True(t, lossy || out.bytes == shown, "%d of %d", out.bytes, shown)
		}
	})
}

// cipherOf returns the ciphers of suites 0 to 3: AES-GCM, ChaCha20-Poly1305, and AES-CBC with
// SHA-1 and with SHA-384.
func cipherOf(version uint16, suite int) Cipher {
	c := Cipher{Known: true, TLS13: version == 0x0304, Overhead: [...]int{24, 16, 20, 48}[suite], Pads: suite > 1}
	if c.TLS13 {
		c.Overhead, c.Pads = sealing, false
	} else if c.Pads && version >= 0x0302 {
		c.Overhead += blockBytes
	}
	return c
}

func script0(script []byte) int {
	if len(script) == 0 {
		return 0
	}
	return int(script[0])
}

// account is a Memory with a limit.
type account struct{ kept, most int }

func (a *account) Release(n int) { a.kept -= n }

func (a *account) Keep(n int) bool {
	if a.kept+n > a.most {
		return false
	}
	a.kept += n
	return true
}

// carried checks that what is carried comes in its order.
type carried struct {
	t        *testing.T
	next     uint64 // offset
	bytes    uint64
	started  bool
	value    byte
	replayed bool
}

func (c *carried) Data(d dissect.Direction, m conn.Mark, b []byte) {
	if d == toServer {
		return
	}
	require.Equal(c.t, c.next, m.Offset)
	c.next += uint64(len(b))
	c.bytes += uint64(len(b))
	for _, v := range b {
		if c.started && !c.replayed && v != c.value {
			c.t.Fatalf("byte %d is %d, not %d", c.next, v, c.value)
		}
		c.started, c.value = true, v+1
	}
}

func (c *carried) Gap(d dissect.Direction, m conn.Mark, n uint64) {
	if d == toServer {
		return
	}
	require.Equal(c.t, c.next, m.Offset)
	require.Positive(c.t, n)
	c.next += n
	c.started = false
}
