// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const second = 1_000_000_000

var someAddress = Address(netip.MustParseAddr("10.1.2.3"))

func named(pod string) *Peer { return &Peer{Pod: pod, Who: Nobody} }

// who gives the name of the pod at a time in seconds.
func who(x *Index, k Key, at int64) string {
	p, _ := x.Find(k, at*second)
	if p == nil {
		return ""
	}
	return p.Pod
}

func TestAddressIsLookedUpAsOfATime(t *testing.T) {
	x := New(8, 100)
	a, b := named("a"), named("b")
	x.Set(someAddress, Pod, a, 100*second)
	x.End(someAddress, a, 200*second)
	x.Set(someAddress, Pod, b, 300*second)
	for at, want := range map[int64]string{
		95: "", 96: "a", 100: "a", 199: "a", 200: "a", 204: "a", 205: "", 295: "", 296: "b", 300: "b", 1e6: "b",
	} {
		assert.Equal(t, want, who(x, someAddress, at), "at %d", at)
	}
	p, kind := x.FindExactly(someAddress, 200*second)
	assert.Nil(t, p)
	assert.Equal(t, Unknown, kind)
}

func TestBetweenTwoOwnersTheNextOneIsLikelier(t *testing.T) {
	x := New(8, 100)
	a, b := named("a"), named("b")
	x.Set(someAddress, Pod, a, 100*second)
	x.End(someAddress, a, 200*second)
	x.Set(someAddress, Pod, b, 204*second)
	assert.Equal(t, "a", who(x, someAddress, 198))
	assert.Equal(t, "b", who(x, someAddress, 201))
}

// A pod may get its address before the one that had it is gone from the API.
func TestNewOwnerEndsTheOldOne(t *testing.T) {
	x := New(8, 100)
	a, b := named("a"), named("b")
	x.Set(someAddress, Pod, a, 100*second)
	x.Set(someAddress, Pod, b, 200*second)
	x.End(someAddress, a, 210*second)
	assert.Equal(t, "a", who(x, someAddress, 199))
	assert.Equal(t, "b", who(x, someAddress, 200))
	assert.Equal(t, "b", who(x, someAddress, 1000))
}

func TestOlderOwnerMayBecomeKnownLater(t *testing.T) {
	x := New(8, 100)
	b, a := named("b"), named("a")
	x.Set(someAddress, Pod, b, 200*second)
	x.Set(someAddress, Pod, a, 100*second)
	assert.Equal(t, "a", who(x, someAddress, 150))
	assert.Equal(t, "b", who(x, someAddress, 250))
	_, past := x.Sizes()
	assert.Equal(t, 1, past)
}

func TestReplaceKeepsTheTime(t *testing.T) {
	x := New(8, 100)
	a, again := named("a"), named("a2")
	x.Set(someAddress, Pod, a, 100*second)
	x.Replace(someAddress, a, again)
	x.Replace(someAddress, a, named("nobody"))
	assert.Equal(t, "a2", who(x, someAddress, 100))
}

func TestHistoryIsBounded(t *testing.T) {
	x := New(4, 10)
	for i := range int64(100) {
		x.Set(someAddress, Pod, named(fmt.Sprint(i)), i*100*second)
	}
	_, past := x.Sizes()
	assert.Equal(t, 3, past, "of one address")
	assert.Equal(t, "96", who(x, someAddress, 9650))
	assert.Empty(t, who(x, someAddress, 9550))

	for i := range 100 {
		k := NodePort(uint16(30000+i), TCP)
		p := named("x")
		x.Set(k, NodePortKind, p, 0)
		x.End(k, p, int64(i)*second)
	}
	keys, past := x.Sizes()
	assert.Equal(t, 10, past, "of all")
	assert.Equal(t, 11, keys)
}

func TestForget(t *testing.T) {
	x := New(8, 100)
	a := named("a")
	x.Set(someAddress, Pod, a, 100*second)
	x.End(someAddress, a, 200*second)
	x.Forget(200 * second)
	assert.Equal(t, "a", who(x, someAddress, 150))
	x.Forget(200*second + 1)
	assert.Empty(t, who(x, someAddress, 150))
	keys, past := x.Sizes()
	assert.Zero(t, keys)
	assert.Zero(t, past)
}

func TestKeysDiffer(t *testing.T) {
	a := netip.MustParseAddr("10.0.0.1")
	id, ok := Container("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
	require.True(t, ok)
	keys := []Key{
		Address(a), Address(netip.MustParseAddr("10.0.0.2")), Address(netip.MustParseAddr("fd00::1")), Port(a, 80, TCP),
		Port(a, 80, UDP), Port(a, 81, TCP), NodePort(80, TCP), NodePort(80, SCTP), id,
		ServiceName("production", "pay"), ServiceName("production", "stock"), ServiceName("staging", "pay"),
	}
	seen := map[Key]bool{}
	for _, k := range keys {
		assert.False(t, seen[k])
		seen[k] = true
		text, err := k.MarshalText()
		require.NoError(t, err)
		var again Key
		require.NoError(t, again.UnmarshalText(text))
		assert.Equal(t, k, again)
	}
	for _, bad := range []string{"", "00", strings.Repeat("g", 38)} {
		require.Error(t, new(Key).UnmarshalText([]byte(bad)))
	}
	for _, bad := range []string{"", "0123", "z123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"} {
		_, ok := Container(bad)
		assert.False(t, ok, bad)
	}
}

// The table holds what a map would.
func TestTableIsAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var tab table
	want := map[Key]*claim{}
	for range 20_000 {
		k := NodePort(uint16(r.IntN(5000)), TCP)
		if r.IntN(3) == 0 {
			tab.put(k, nil)
			delete(want, k)
		} else {
			c := &claim{from: r.Int64()}
			tab.put(k, c)
			want[k] = c
		}
	}
	require.Equal(t, len(want), tab.len)
	for port := range 5000 {
		k := NodePort(uint16(port), TCP)
		got := tab.claims(k)
		if want[k] == nil {
			assert.Nil(t, got)
		} else if assert.NotNil(t, got) {
			assert.Equal(t, want[k].from, got.from)
		}
	}
}

// Whatever is set and ended in whatever order: claims never overlap, and are in
// the order of time.
func TestClaimsNeverOverlap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		x := New(6, 1000)
		peers := []*Peer{named("a"), named("b"), named("c")}
		for range 40 {
			p := peers[r.IntN(len(peers))]
			switch at := r.Int64N(1000); r.IntN(3) {
			case 0:
				x.End(someAddress, p, at)
			default:
				x.Set(someAddress, Pod, p, at)
			}
		}
		n, past := 0, 0
		for c := x.table.claims(someAddress); c != nil; c = c.older {
			n++
			assert.LessOrEqual(t, c.from, c.until)
			if c.until != open {
				past++
			}
			if c.older != nil {
				assert.LessOrEqual(t, c.older.until, c.from)
			}
		}
		assert.LessOrEqual(t, n, 6)
		_, counted := x.Sizes()
		assert.Equal(t, past, counted)
	}
}

// A reader sees one owner or the other, whatever the writer does meanwhile.
func TestReadersNeedNoLock(t *testing.T) {
	x := New(4, 1000)
	a, b := named("a"), named("b")
	x.Set(someAddress, Pod, a, 0)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				p, kind := x.Find(someAddress, 1)
				if p == nil || kind != Pod {
					t.Error("nobody is found")
					return
				}
			}
		})
	}
	for i := range uint16(5000) { // the table grows meanwhile
		x.Replace(someAddress, a, b)
		x.Replace(someAddress, b, a)
		x.Set(NodePort(i, TCP), NodePortKind, a, 0)
	}
	close(stop)
	readers.Wait()
}

func TestNetworks(t *testing.T) {
	var n Networks
	assert.Equal(t, Untold, n.Of(netip.MustParseAddr("10.0.0.1")))
	n.Set([]netip.Prefix{netip.MustParsePrefix("10.1.0.7/16"), netip.MustParsePrefix("10.2.3.0/24"), netip.MustParsePrefix("fd00::/64")})
	for text, want := range map[string]Membership{
		"10.1.255.255": Inside, "10.2.3.4": Inside, "10.2.4.4": Outside, "11.1.0.1": Outside, "fd00::5": Inside, "fd01::5": Outside,
	} {
		assert.Equal(t, want, n.Of(netip.MustParseAddr(text)), text)
	}
}

func TestKindsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for k := range Kinds {
		assert.NotEmpty(t, k.String())
		assert.False(t, seen[k.String()])
		seen[k.String()] = true
	}
}
