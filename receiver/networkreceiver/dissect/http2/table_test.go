// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// TestJoinedAnywhere joins a connection at every request, with tables of several
// sizes, which change on the way. What is known must be right, what is not must be
// marked, and it becomes known as entries are replaced.
func TestJoinedAnywhere(t *testing.T) {
	const requests = 300
	for _, size := range []uint32{0, 100, 1000, usualTable, 20_000, maxTable} {
		for join := 0; join < requests/2; join += 21 {
			p := newPlayer(dissect.Limits{})
			c := p.ends[toServer]
			c.coder.SetMaxDynamicTableSizeLimit(1 << 20)
			c.coder.SetMaxDynamicTableSize(size)
			random := rand.New(rand.NewPCG(uint64(size), 1))
			var want [][]dissect.Header
			unknown := 0
			for i := range requests {
				if i%97 == 96 { // as after new SETTINGS, up and down
					c.coder.SetMaxDynamicTableSize(size / uint32(1+random.IntN(3)))
				}
				list := randomFields(random)
				var pairs []string
				for _, h := range list {
					pairs = append(pairs, h.Name, h.Value)
				}
				c.headers(uint32(2*i+1), true, append([]string{":method", "GET", ":scheme", "http", ":path", "/"}, pairs...)...)
				if i < join {
					c.out.Reset()
					continue
				}
				want = append(want, list)
				p.flush(t, toServer)
			}
			require.Len(t, p.messages, len(want))
			for i, m := range p.messages {
				got := m.Content.Headers
				require.Len(t, got, len(want[i]), "size %d, joined at %d, request %d", size, join, i)
				for k, h := range got {
					if h.Name == unknownField {
						unknown++
						continue
					}
					require.Equal(t, want[i][k], h, "size %d, joined at %d, request %d", size, join, i)
				}
			}
			if size == 0 {
				assert.Zero(t, unknown)
			}
			if join > 60 && size >= 1000 {
				assert.Positive(t, unknown, "this proves nothing: size %d, joined at %d", size, join)
			}
			// In larger tables a name may stay unknown for as long as each new entry
			// takes it from an entry before.
			if size <= 100 {
				assert.NotContains(t, p.messages[len(want)-1].Flags, "http2.unknown_fields", "it is well again")
			}
			p.finish(t)
		}
	}
}

func randomFields(random *rand.Rand) (list []dissect.Header) {
	for range 1 + random.IntN(6) {
		n := random.IntN(40)
		list = append(list, dissect.Header{Name: fmt.Sprint("x-", n%11), Value: strings.Repeat("v", n) + fmt.Sprint(random.IntN(4))})
	}
	return list
}

func TestReadInteger(t *testing.T) {
	for _, test := range []struct {
		b      []byte
		prefix int
		value  uint64
		n      int
	}{
		{[]byte{10}, 5, 10, 1},
		{[]byte{31, 154, 10}, 5, 1337, 3}, // RFC 7541, C.1.2
		{[]byte{42}, 8, 42, 1},
		{[]byte{31}, 5, 0, 0},
		{[]byte{31, 0x80}, 5, 0, 0},
		{[]byte{127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 7, 0, -1},
	} {
		value, n := readInteger(test.b, test.prefix)
		assert.Equal(t, test.value, value, "%x", test.b)
		assert.Equal(t, test.n, n, "%x", test.b)
	}
}
