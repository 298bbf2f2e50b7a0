// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// entryAt is an entry that ended so many milliseconds after the start.
func entryAt(ms int, s side, m match) *entry {
	at := start.Add(time.Duration(ms) * time.Millisecond)
	return &entry{side: s, match: m, start: at, end: at, operation: fmt.Sprint(ms), latency: -1}
}

// released are the entries that a hold lets go, as time and side.
func released(t *testing.T, h *hold, now time.Time) string {
	t.Helper()
	var all []string
	require.NoError(t, h.release(now, func(x *entry) error {
		all = append(all, strings.TrimSpace(x.operation+" "+x.side.String()))
		return nil
	}))
	return strings.Join(all, ", ")
}

func TestHold(t *testing.T) {
	const wait = 500 * time.Millisecond
	type coming struct {
		after time.Duration // the start
		entry *entry
	}
	at := func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
	tests := []struct {
		name     string
		coming   []coming
		released map[time.Duration]string
	}{
		{
			"both ends are one entry, whichever comes first",
			[]coming{{0, entryAt(1, clientSide, "a")}, {0, entryAt(2, serverSide, "b")}, {at(200), entryAt(1, serverSide, "a")}, {at(200), entryAt(2, clientSide, "b")}},
			map[time.Duration]string{at(499): "", at(500): "1 both, 2 both", at(2000): ""},
		},
		{
			"a missing end is waited for no longer than the window",
			[]coming{{0, entryAt(1, clientSide, "a")}},
			map[time.Duration]string{at(499): "", at(500): "1 client"},
		},
		{
			"an end that comes later than the window has an entry of its own",
			[]coming{{0, entryAt(1, clientSide, "a")}, {at(600), entryAt(1, serverSide, "a")}},
			map[time.Duration]string{at(500): "1 client", at(1099): "", at(1100): "1 server"},
		},
		{
			"entries come in the order of time",
			[]coming{{0, entryAt(30, clientSide, "a")}, {at(100), entryAt(10, clientSide, "")}, {at(200), entryAt(40, clientSide, "")}, {at(300), entryAt(20, serverSide, "")}},
			map[time.Duration]string{at(499): "", at(500): "10 client, 20 server, 30 client", at(699): "", at(700): "40 client"},
		},
		{
			"those of the same time as they came",
			[]coming{{0, entryAt(1, clientSide, "")}, {0, entryAt(1, serverSide, "")}, {0, entryAt(1, unknownSide, "")}},
			map[time.Duration]string{at(500): "1 client, 1 server, 1"},
		},
		{
			"two entries of one end stay two",
			[]coming{{0, entryAt(1, clientSide, "a")}, {0, entryAt(2, clientSide, "a")}, {0, entryAt(1, serverSide, "a")}},
			map[time.Duration]string{at(500): "1 both, 2 client"},
		},
		{
			"what cannot be matched is not merged",
			[]coming{{0, entryAt(1, clientSide, "")}, {0, entryAt(1, serverSide, "")}},
			map[time.Duration]string{at(500): "1 client, 1 server"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := &hold{wait: wait}
			for ms := range 2001 {
				now := start.Add(at(ms))
				for _, c := range tt.coming {
					if c.after == at(ms) {
						h.add(c.entry, now)
					}
				}
				if want, ok := tt.released[at(ms)]; ok {
					assert.Equal(t, want, released(t, h, now), "%v", at(ms))
				}
			}
			assert.Zero(t, h.bytes)
			assert.Empty(t, h.open)
			assert.Empty(t, h.arrived)
		})
	}
}

// However much comes, what is held is bounded; nothing is lost and the order is kept.
func TestHoldIsBounded(t *testing.T) {
	for name, text := range map[string]string{"by number": "", "by size": strings.Repeat("x", 100<<10)} {
		t.Run(name, func(t *testing.T) {
			h := &hold{wait: time.Hour}
			printed, last := 0, start
			emit := func(x *entry) error {
				printed++
				assert.False(t, x.end.Before(last))
				last = x.end
				return nil
			}
			const n = 3 * maxHeld
			for i := range n {
				x := entryAt(i, clientSide, match(fmt.Sprint(i)))
				x.request.body.text = text
				h.add(x, start)
				require.NoError(t, h.release(start, emit))
				require.LessOrEqual(t, len(h.byTime), maxHeld)
				require.LessOrEqual(t, len(h.open), maxHeld)
				require.LessOrEqual(t, h.bytes, maxHeldBytes)
			}
			require.NoError(t, h.releaseAll(emit))
			assert.Equal(t, n, printed)
			assert.Zero(t, h.bytes)
		})
	}
}

// lookup is a record of one end of a DNS query. Both ends know each other's process.
func lookup(t *testing.T, s side, id int) (plog.LogRecord, pcommon.Resource) {
	t.Helper()
	record, resource := plog.NewLogRecord(), pcommon.NewResource()
	raw := map[string]any{
		"network.transport": "udp", "wirespan.side": s.String(), "wirespan.dns.id": id,
		"dns.question.name": "www.example", "wirespan.dns.response.code": "NOERROR",
	}
	client, server := []any{"127.0.0.1", 5000, 11}, []any{"127.0.0.1", 53, 22}
	local, peer := client, server
	if s == serverSide {
		local, peer = server, client
	}
	raw["network.local.address"], raw["network.local.port"] = local[0], local[1]
	raw["network.peer.address"], raw["network.peer.port"] = peer[0], peer[1]
	raw["wirespan.peer.process.pid"] = peer[2]
	require.NoError(t, record.Attributes().FromRaw(raw))
	require.NoError(t, resource.Attributes().FromRaw(map[string]any{"process.pid": local[2]}))
	return record, resource
}

func TestMatchOfDatagrams(t *testing.T) {
	of := func(record plog.LogRecord, resource pcommon.Resource) match {
		return entryOfRecord(resource, record, 99).match
	}
	client := of(lookup(t, clientSide, 7))
	assert.NotEmpty(t, client)
	assert.Equal(t, client, of(lookup(t, serverSide, 7)))
	assert.NotEqual(t, client, of(lookup(t, serverSide, 8)), "another query")

	record, resource := lookup(t, serverSide, 7)
	resource.Attributes().PutInt("process.pid", 23)
	assert.NotEqual(t, client, of(record, resource), "another process")

	record, resource = lookup(t, serverSide, 7)
	record.Attributes().Remove("wirespan.peer.process.pid")
	assert.Empty(t, of(record, resource), "a process that is not known proves nothing")
}

// What each end has seen of a call, and which of it is told.
func TestMerge(t *testing.T) {
	client := entryAt(10, clientSide, "a")
	client.client, client.server = end{name: "curl"}, end{name: "10.0.0.1:80"}
	client.process, client.peer = process{name: "curl", pid: 1}, process{name: "python3", pid: 2}
	client.status, client.outcome, client.latency = "timeout", failed, -1
	client.request.body = body{text: "abc", kept: 3, seen: true, size: 9, cut: true}
	client.notes = []string{"no response: timeout", "pairing uncertain"}
	server := entryAt(12, serverSide, "a")
	server.client, server.server = end{name: "10.0.0.2:5000"}, end{name: "web-1", namespace: "shop"}
	server.process = process{name: "python3", pid: 2, container: "c"}
	server.status, server.outcome, server.latency = "200 OK", succeeded, 5*time.Millisecond
	server.request.body = body{text: "abcdefghi", kept: 9, seen: true, size: 9}
	server.facts = []fact{{"Tokens", "1 in", true}}
	server.notes = []string{"pairing uncertain"}

	x := merge(client, server)
	assert.Equal(t, end{name: "curl"}, x.client)
	assert.Equal(t, end{name: "web-1", namespace: "shop"}, x.server)
	assert.Equal(t, server.process, x.peer)
	assert.Equal(t, "abcdefghi", x.request.body.text)
	assert.Equal(t, "timeout", x.status)
	assert.Equal(t, 5*time.Millisecond, x.latency)
	assert.Equal(t, server.end, x.end)
	assert.Equal(t, server.facts, x.facts)
	assert.Equal(t, []string{"client end: no response: timeout", "pairing uncertain", "server end: 200 OK"}, x.notes)
}

// syncBuffer is written by the timer.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// What is held is printed though nothing more comes.
func TestHeldIsPrintedInTime(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.WaitDuration = time.Millisecond
	out := &syncBuffer{}
	c := newConsole(cfg, out)
	for n := range 3 {
		ld, _ := checkout(clientSide)
		require.NoError(t, c.pushLogs(t.Context(), ld))
		require.Eventually(t, func() bool { return strings.Count(out.String(), "API: ") == n+1 }, time.Minute, time.Millisecond)
	}
}

// A write that fails later than the batch that it was of fails the next one.
func TestLateWriteErrorIsTold(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	c := newConsole(cfg, &brokenTerminal{})
	ld, _ := checkout(clientSide)
	require.NoError(t, c.pushLogs(t.Context(), ld))
	c.hold.arrived[0].due = time.Time{}
	c.tick()
	require.Error(t, c.pushLogs(t.Context(), plog.NewLogs()))
	require.NoError(t, c.pushLogs(t.Context(), plog.NewLogs()))
	require.NoError(t, c.close())
}
