// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

const (
	typeA    = 1
	typeAAAA = 28
	ms       = int64(time.Millisecond)
)

var (
	app   = Owner{pid: 1}
	other = Owner{pid: 2}
	v4    = netip.MustParseAddr("192.0.2.1")
	v6    = netip.MustParseAddr("2001:db8::1")
)

// asked is a lookup that was answered, from and to a time in ms. Its span has the
// number n.
func asked(n byte, name string, kind uint16, from, to int64, addrs ...netip.Addr) *Lookup {
	return &Lookup{
		Span: Span{ID: [8]byte{n}, Start: from * ms}, Name: name, Kind: kind, Addresses: addrs, Answered: true, End: to * ms,
	}
}

func failed(n byte, name string, kind uint16, from, to int64) *Lookup {
	l := asked(n, name, kind, from, to)
	l.Answered = false
	return l
}

func table(t *testing.T, lookups ...*Lookup) *Table {
	t.Helper()
	table := New(Settings{Age: time.Minute, Max: 100}, nil)
	for _, l := range lookups {
		require.Equal(t, Outcome{}, table.Put(app, l))
	}
	return table
}

func numbers(r Resolution) (n []byte) {
	for _, s := range r.Spans {
		n = append(n, s.ID[0])
	}
	return n
}

func TestResolution(t *testing.T) {
	for name, c := range map[string]struct {
		lookups []*Lookup
		addr    netip.Addr
		at      int64 // ms
		want    []byte
		took    int64 // ms
	}{
		"one":             {[]*Lookup{asked(1, "a.example", typeA, 10, 12, v4)}, v4, 13, []byte{1}, 2},
		"mapped address":  {[]*Lookup{asked(1, "a.example", typeA, 10, 12, v4)}, netip.AddrFrom16(v4.As16()), 13, []byte{1}, 2},
		"another address": {[]*Lookup{asked(1, "a.example", typeA, 10, 12, v4)}, v6, 13, nil, 0},
		"too late":        {[]*Lookup{asked(1, "a.example", typeA, 10, 12, v4)}, v4, 11, nil, 0},
		"too old":         {[]*Lookup{asked(1, "a.example", typeA, 10, 12, v4)}, v4, 60_013, nil, 0},
		"nobody waited":   {[]*Lookup{asked(1, "a.example", typeA, 10, 12, v4)}, v4, 60_012, []byte{1}, 0},
		"both families": {
			[]*Lookup{asked(1, "a.example", typeA, 10, 12, v4), asked(2, "A.example", typeAAAA, 10, 14, v6)}, v4, 15, []byte{1, 2}, 4,
		},
		"one family after the other": {
			[]*Lookup{asked(1, "a.example", typeAAAA, 10, 12), asked(2, "a.example", typeA, 12, 14, v4)}, v4, 15, []byte{1, 2}, 4,
		},
		"the other family came when it was connected": {
			[]*Lookup{asked(1, "a.example", typeA, 10, 12, v4), asked(2, "a.example", typeAAAA, 10, 20, v6)}, v4, 15, []byte{1}, 2,
		},
		"truncated first": {
			[]*Lookup{failed(1, "a.example", typeA, 10, 12), asked(2, "a.example", typeA, 13, 16, v4)}, v4, 17, []byte{1, 2}, 6,
		},
		"failures of long ago": {
			[]*Lookup{failed(1, "a.example", typeA, 10, 12), asked(2, "a.example", typeA, 2000, 2010, v4)}, v4, 2017, []byte{2}, 10,
		},
		"search list": {
			[]*Lookup{
				failed(1, "a.example.ns.svc.local", typeA, 0, 2), failed(2, "a.example.ns.svc.local", typeAAAA, 1, 2),
				failed(3, "a.example.svc.local", typeA, 3, 4), failed(9, "b.example.svc.local", typeA, 3, 4),
				asked(4, "a.example", typeA, 5, 6, v4), asked(5, "a.example", typeAAAA, 5, 6),
			},
			v4, 7,
			[]byte{1, 2, 3, 4, 5},
			6,
		},
		"search list, in the order of several workers": {
			[]*Lookup{
				asked(3, "a.example", typeA, 5, 6, v4), asked(4, "a.example", typeAAAA, 6, 7),
				failed(1, "a.example.svc.local", typeA, 1, 2), failed(2, "a.example.svc.local", typeAAAA, 2, 3),
			},
			v4, 7,
			[]byte{1, 2, 3, 4},
			6,
		},
		"search list, found below it": {
			[]*Lookup{failed(1, "db.prod.team.svc.local", typeA, 1, 2), asked(2, "db.prod.svc.local", typeA, 3, 4, v4)}, v4, 7, []byte{1, 2}, 3,
		},
		"each connection has its own": {
			[]*Lookup{
				asked(1, "a.example", typeA, 10, 11, v4), asked(2, "a.example", typeAAAA, 10, 11),
				asked(3, "a.example", typeA, 20, 21, v4), asked(4, "a.example", typeAAAA, 20, 21),
			},
			v4, 22,
			[]byte{3, 4},
			1,
		},
		"one of two at a time": {
			[]*Lookup{
				asked(1, "a.example", typeA, 10, 11, v4), asked(2, "a.example", typeAAAA, 10, 11),
				asked(3, "a.example", typeA, 20, 21, v4), asked(4, "a.example", typeAAAA, 20, 21),
			},
			v4, 15,
			[]byte{1, 2},
			1,
		},
		"two names of one address": {
			[]*Lookup{asked(1, "a.example", typeA, 10, 11, v4), asked(2, "b.example", typeA, 12, 13, v4)}, v4, 15, []byte{2}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, ok := table(t, c.lookups...).Find(app, c.addr, c.at*ms)
			assert.Equal(t, c.want != nil, ok)
			assert.Equal(t, c.want, numbers(r))
			assert.Equal(t, c.took*ms, r.Took)
		})
	}
}

func TestNameIsLowerCase(t *testing.T) {
	r, ok := table(t, asked(1, "WWW.a.Example", typeA, 10, 12, v4)).Find(app, v4, 13*ms)
	require.True(t, ok)
	assert.Equal(t, "www.a.example", r.Name)
}

func TestExpands(t *testing.T) {
	for _, c := range []struct {
		long, short string
		want        bool
	}{
		{"a.example.svc.local", "a.example", true},
		{"A.Example.svc.local", "a.exAmple", true},
		{"db.prod.team.svc.local", "db.prod.svc.local", true},
		{"a.example", "a.example", false},
		{"a.example.", "a.example", false},
		{"xa.example", "a.example", false},
		{"x.a.example", "a.example", false},
		{"a.examples.local", "a.example", false},
		{"a", "a.example", false},
		{"a.b", "", false},
	} {
		assert.Equal(t, c.want, expands(c.long, c.short), "%s %s", c.long, c.short)
	}
}

func TestOwners(t *testing.T) {
	process := &capture.Process{PID: 7, StartTime: 1}
	addr := netip.MustParseAddr("::ffff:10.0.0.1")
	live := OwnerOf(&conn.Conn{Live: true, Process: process, Cgroup: 1, NetNS: 2}, addr)
	assert.Equal(t, live, OwnerOf(&conn.Conn{Live: true, Process: &capture.Process{PID: 7, StartTime: 1}, NetNS: 3}, netip.Addr{}))
	assert.NotEqual(t, live, OwnerOf(&conn.Conn{Live: true, Process: &capture.Process{PID: 7, StartTime: 2}}, addr), "the id is used again")
	unknown := OwnerOf(&conn.Conn{Live: true, Cgroup: 1, NetNS: 2}, addr)
	assert.NotEqual(t, live, unknown)
	assert.NotEqual(t, unknown, OwnerOf(&conn.Conn{Live: true, Cgroup: 1, NetNS: 3}, addr))
	assert.Equal(t, OwnerOf(&conn.Conn{}, addr), OwnerOf(&conn.Conn{}, addr.Unmap()))

	table := table(t, asked(1, "a.example", typeA, 10, 12, v4))
	_, ok := table.Find(other, v4, 13*ms)
	assert.False(t, ok, "what another process knows")
}

// A lookup that comes when the connection was asked for is counted, once.
func TestLate(t *testing.T) {
	table := table(t)
	table.Miss(app, v4, 20*ms)
	assert.False(t, table.Put(app, asked(1, "a.example", typeA, 10, 21, v4)).Late, "it came after the connection")
	assert.False(t, table.Put(other, asked(2, "a.example", typeA, 10, 12, v4)).Late)
	assert.False(t, table.Put(app, asked(3, "a.example", typeA, 10, 12, v6)).Late)
	assert.True(t, table.Put(app, asked(4, "a.example", typeA, 10, 12, v4)).Late)
	assert.False(t, table.Put(app, asked(5, "a.example", typeA, 10, 12, v4)).Late)
}

func TestBounds(t *testing.T) {
	b := budget.New(1 << 20)
	table := New(Settings{Age: time.Minute, Max: 100}, b)
	many := make([]netip.Addr, 1000)
	dropped := 0
	for i := range int64(1000) {
		dropped += table.Put(app, asked(0, "a.example", typeA, i, i, many...)).Dropped
	}
	assert.Len(t, table.owners[app].Value.(*history).lookups, maxOfOwner)
	assert.Equal(t, 1000-maxOfOwner, dropped)
	for i := range int64(1000) {
		dropped += table.Put(Owner{pid: int32(i + 10)}, asked(0, "a.example", typeA, 1000+i, 1000+i, v4)).Dropped
		assert.LessOrEqual(t, table.n, 100)
	}
	assert.Equal(t, 2000-table.n, dropped)
	assert.Len(t, table.owners, table.recent.Len())
	_, ok := table.Find(Owner{pid: 1009}, v4, 2*time.Second.Nanoseconds())
	assert.True(t, ok, "the last one")
	_, ok = table.Find(app, v4, 2*time.Second.Nanoseconds())
	assert.False(t, ok)

	table.Put(other, asked(0, "a.example", typeA, 1_000_000, 1_000_000, v4))
	assert.Equal(t, 1, table.n, "all others are too old")
	assert.Len(t, table.owners, 1)
	assert.EqualValues(t, asked(0, "a.example", typeA, 0, 0, v4).size(), b.Used())
	table.Expire(1_060_000 * ms)
	assert.Equal(t, 1, table.n)
	table.Expire(1_060_001 * ms)
	assert.Zero(t, b.Used())
	assert.Empty(t, table.owners)
}

func TestNoMemory(t *testing.T) {
	b := budget.New(1000)
	table := New(Settings{Age: time.Minute, Max: 100}, b)
	for i := range int32(10) {
		table.Put(Owner{pid: i}, asked(1, "a.example", typeA, 10, 12, v4))
		assert.LessOrEqual(t, b.Used(), int64(1000))
	}
	_, ok := table.Find(Owner{pid: 9}, v4, 13*ms)
	assert.True(t, ok)
	require.True(t, b.Take(int(1000-b.Used())))
	for i := range int32(3) { // the first two take the place of others
		table.Put(app, asked(1, fmt.Sprint(i, ".example"), typeA, 10, 12, v4))
	}
	assert.LessOrEqual(t, table.n, 2)
	full := New(Settings{Age: time.Minute, Max: 100}, budget.New(1))
	assert.Equal(t, 1, full.Put(app, asked(1, "a.example", typeA, 10, 12, v4)).Dropped)
	assert.Empty(t, full.owners)
}

func TestNilTable(t *testing.T) {
	var none *Table
	assert.Equal(t, Outcome{}, none.Put(app, asked(1, "a.example", typeA, 10, 12, v4)))
	none.Miss(app, v4, 1)
	none.Expire(1)
	_, ok := none.Find(app, v4, 13*ms)
	assert.False(t, ok)
}

func TestWorkers(t *testing.T) {
	b := budget.New(1 << 16)
	table := New(Settings{Age: time.Minute, Max: 50}, b)
	var wg sync.WaitGroup
	for w := range int32(4) {
		wg.Go(func() {
			for i := range int64(500) {
				o := Owner{pid: int32(i) % 5}
				table.Put(o, asked(byte(w), "a.example", typeA, i, i, v4))
				if _, ok := table.Find(o, v4, i*ms); !ok {
					table.Miss(o, v4, i*ms)
				}
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, table.n, 50)
}
