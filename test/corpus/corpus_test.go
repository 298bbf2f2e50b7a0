// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package corpus compares the pipeline with another analyser, on captures that
// other projects made.
package corpus

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// memoryLimit is for what the whole pipeline holds of one capture.
const memoryLimit = 256 << 20

// TestOracle finds every HTTP/1, HTTP/2 and DNS call, and every message of WebSocket and gRPC, that the other analyser finds, in all
// captures, also those of other protocols. What differs is in the table of
// deviations, with its reason, and nothing else may differ.
func TestOracle(t *testing.T) {
	var total, totalHTTP2, totalDNS, totalWebSocket, totalGRPC score
	for _, file := range captures(t) {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			p := run(t, file, memoryLimit)
			assert.Zero(t, p.memory.Used(), "memory that nobody gave back")
			s, found := compare(oracle(t, file), p.calls)
			total.add(s)
			if s.oracle+s.ours > 0 {
				t.Log(s)
			}
			s, foundHTTP2 := compareHTTP2(http2Oracle(t, file), p.http2)
			totalHTTP2.add(s)
			if s.oracle+s.ours > 0 {
				t.Log("HTTP/2:", s)
			}
			maps.Copy(found, foundHTTP2)
			s, foundDNS := compareDNS(dnsOracle(t, file), p.dns)
			totalDNS.add(s)
			if s.oracle+s.ours > 0 {
				t.Log("DNS:", s)
			}
			maps.Copy(found, foundDNS)
			for proto, messages := range map[string]*score{"websocket": &totalWebSocket, "grpc": &totalGRPC} {
				s, foundMessages := compareMessages(messageOracle(t, file, proto), p.messages[proto])
				messages.add(s)
				if s.oracle+s.ours > 0 {
					t.Log(proto, "messages:", s)
				}
				maps.Copy(found, foundMessages)
			}
			expected := map[string]int{}
			for _, d := range deviations[name] {
				expected[d.what] += max(1, d.times)
			}
			if diff := cmp.Diff(expected, found); diff != "" {
				t.Errorf("deviations from the oracle (- listed, + found):\n%s", diff)
			}
		})
	}
	t.Logf("all captures: %v", total)
	t.Logf("all captures, HTTP/2: %v", totalHTTP2)
	t.Logf("all captures, DNS: %v", totalDNS)
	t.Logf("all captures, WebSocket messages: %v", totalWebSocket)
	t.Logf("all captures, gRPC messages: %v", totalGRPC)
	for name := range deviations {
		require.FileExists(t, filepath.Join(folder(t), "dev", name))
	}
}

// score counts calls that both analysers tell alike.
type score struct {
	oracle, ours, alike int
}

func (s *score) add(o score) {
	s.oracle += o.oracle
	s.ours += o.ours
	s.alike += o.alike
}

func (s score) String() string {
	return fmt.Sprintf("recall %d/%d (%.1f %%), precision %d/%d (%.1f %%)",
		s.alike, s.oracle, percent(s.alike, s.oracle), s.alike, s.ours, percent(s.alike, s.ours))
}

func percent(n, of int) float64 {
	if of == 0 {
		return 100
	}
	return 100 * float64(n) / float64(of)
}

// compare pairs the calls of both analysers and says what differs, with counts.
func compare(oracle, ours []call) (score, map[string]int) {
	s := score{oracle: len(oracle), ours: len(ours)}
	found := map[string]int{}
	left := slices.Clone(ours)
	take := func(same func(call) bool) (call, bool) {
		i := slices.IndexFunc(left, same)
		if i < 0 {
			return call{}, false
		}
		c := left[i]
		left = slices.Delete(left, i, i+1)
		return c, true
	}
	var rest []call
	for _, o := range oracle {
		if _, ok := take(func(c call) bool { return alike(o, c) }); ok {
			s.alike++
		} else {
			rest = append(rest, o)
		}
	}
	for _, o := range rest {
		if c, ok := take(func(c call) bool { return sameExchange(o, c) }); ok {
			found[difference(o, c)]++
		} else {
			found["missing: "+o.String()]++
		}
	}
	for _, c := range left {
		found["extra: "+c.String()]++
	}
	return s, found
}

// alike tells whether both tell the same call, with the same bodies.
func alike(a, b call) bool {
	return sameExchange(a, b) && a.status == b.status && a.request.equal(b.request) && a.response.equal(b.response)
}

// sameExchange tells whether both tell the same request, or both a response
// without one.
func sameExchange(a, b call) bool {
	return a.client == b.client && a.server == b.server && a.method == b.method && a.uri == b.uri &&
		(a.method != "" || a.status == b.status)
}

func difference(oracle, ours call) string {
	var parts []string
	if oracle.status != ours.status {
		parts = append(parts, fmt.Sprintf("status %d, oracle %d", ours.status, oracle.status))
	}
	part := func(name string, ours, oracle body) {
		if !ours.equal(oracle) {
			parts = append(parts, fmt.Sprintf("%s body %v, oracle %v", name, ours, oracle))
		}
	}
	part("request", ours.request, oracle.request)
	part("response", ours.response, oracle.response)
	return ours.String() + ": " + strings.Join(parts, "; ")
}

// TestLoad sends malformed replies through the pipeline: it must hold its limits.
func TestLoad(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(folder(t), "load", "*.pcap*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			const limit = 32 << 20
			p := run(t, file, limit)
			statuses := map[string]int{}
			for _, c := range p.calls {
				statuses[kindOf(c)]++
			}
			t.Logf("%d packets, %d connections, %d calls", p.stats.pcap.Packets.Load(), p.stats.conn.Opened.Load(), len(p.calls))
			for _, kind := range slices.Sorted(maps.Keys(statuses)) {
				t.Logf("%6d %s", statuses[kind], kind)
			}
			assert.EqualValues(t, 68_294, p.stats.pcap.Packets.Load())
			// One reply to each of 3,966 requests; 100 of them have no status line
			// ("HTTP/-1.1 200 OK", "HTTP/1.1 %s OK").
			assert.Equal(t, map[string]int{"whole calls": 3866, "requests without response": 100}, statuses)
			assert.Zero(t, p.memory.Used(), "memory that nobody gave back")
		})
	}
}

func kindOf(c call) string {
	switch {
	case c.method == "":
		return "responses without request"
	case c.status == 0:
		return "requests without response"
	}
	return "whole calls"
}
