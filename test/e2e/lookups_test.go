// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// resolver is where the C library asks, which knows no other port.
const resolver = "127.0.0.153:53"

// resolving runs curl with a resolver of its own. Its process is curl's.
func resolving(t *testing.T, conf string, args ...string) *testkit.Process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "resolv.conf")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o644))
	script := `mount --bind "$0" /etc/resolv.conf && exec curl --silent --show-error --max-time 30 --output /dev/null "$@"`
	run := testkit.Start(t, testkit.Program{
		Path: testkit.NeedProgram(t, "unshare"), Args: append([]string{"--mount", "sh", "-c", script, file}, args...),
	})
	require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
	return run
}

// TestLookupsAreLinked lets the C library look up a name by way of an alias and through
// a search list: the call has a link to each query, and says how long that took.
func TestLookupsAreLinked(t *testing.T) {
	testkit.NeedRoot(t)
	testkit.NeedProgram(t, "curl")
	testkit.Zone{Addr: resolver, Origin: "example", Records: [][3]string{
		{"backend.shop", "A", "127.0.0.1"}, {"www.shop", "CNAME", "backend.shop.example"},
	}}.Dnsmasq(t)
	s := testkit.GoServer(t, testkit.Place{})
	_, port, err := net.SplitHostPort(s.Addr)
	require.NoError(t, err)
	c := live(t, nil)

	const where = "nameserver 127.0.0.153\n"
	url := "http://www.shop.example:" + port
	linked := resolving(t, where, url+"/status/200", url+"/status/201")
	searched := resolving(t, where+"search prod.example test.example\noptions ndots:5\n", "--header", "Host:", "--http1.0", url+"/status/200")
	known := testkit.Curl(t, "by-address", s.URL(), "/status/200", nil)
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()

	t.Run("alias", func(t *testing.T) {
		calls := callsOf(got, linked.PID())
		require.Len(t, calls, 2)
		checkLookups(t, got, calls[0], map[string]int{"www.shop.example": 2})
		assert.Equal(t, "www.shop.example", calls[0].Attributes["server.address"])
		assert.Empty(t, calls[1].Links, "the connection is the same")
		assert.Equal(t, "www.shop.example", calls[1].Attributes["wirespan.peer.dns.name"])
		assert.NotContains(t, calls[1].Attributes, "wirespan.time.lookup")
	})
	t.Run("search list, without Host", func(t *testing.T) {
		calls := callsOf(got, searched.PID())
		require.Len(t, calls, 1)
		checkLookups(t, got, calls[0], map[string]int{
			"www.shop.example.prod.example": 2, "www.shop.example.test.example": 2, "www.shop.example": 2,
		})
		assert.Equal(t, "www.shop.example", calls[0].Attributes["server.address"], "the name that was looked up")
		assert.Equal(t, "127.0.0.1", calls[0].Attributes["network.peer.address"])
	})
	t.Run("no lookup", func(t *testing.T) {
		calls := callsOf(got, known.PID)
		require.Len(t, calls, 1)
		assert.Empty(t, calls[0].Links)
		assert.NotContains(t, calls[0].Attributes, "wirespan.peer.dns.name")
	})
	for _, call := range got.Of(server) {
		assert.Empty(t, call.Links, "the server has looked up nothing")
	}
}

// callsOf are the calls of HTTP that a client made.
func callsOf(got testkit.Calls, pid int) testkit.Calls {
	return got.Of(client).Where(func(c testkit.Call) bool { return c.PID == pid && c.Status != 0 })
}

// checkLookups compares the links of a call with the queries that its process made.
func checkLookups(t *testing.T, got testkit.Calls, call testkit.Call, want map[string]int) {
	t.Helper()
	queries := map[any]testkit.Call{}
	for _, c := range got.Of(client).Where(func(c testkit.Call) bool { return c.PID == call.PID && c.Status == 0 }) {
		queries[testkit.Link{TraceID: c.TraceID, SpanID: c.SpanID}] = c
	}
	names := map[string]int{}
	var ids []any
	var first, last testkit.Call
	for i, link := range call.Links {
		query, ok := queries[link]
		require.True(t, ok, "a link to a query of the same process")
		names[fmt.Sprint(query.Attributes["dns.question.name"])]++
		ids = append(ids, link.TraceID.String()+"-"+link.SpanID.String())
		if i == 0 || query.Start.Before(first.Start) {
			first = query
		}
		if i == 0 || query.End.After(last.End) {
			last = query
		}
	}
	assert.Equal(t, want, names)
	assert.Len(t, queries, len(call.Links), "all queries of the process")
	assert.Equal(t, last.End.Sub(first.Start).Nanoseconds(), call.Attributes["wirespan.time.lookup"])
	assert.Equal(t, "www.shop.example", call.Attributes["wirespan.peer.dns.name"])
	assert.True(t, last.End.Before(call.Start))
	for _, key := range []string{"wirespan.time.lookup", "wirespan.peer.dns.name", "server.address"} {
		assert.Equal(t, call.Attributes[key], call.LogAttributes[key], key)
	}
	assert.Equal(t, ids, call.LogAttributes["wirespan.lookup.spans"])
}

// TestLookupsInCaptureFiles replays a lookup and the call that it served.
func TestLookupsInCaptureFiles(t *testing.T) {
	dir := t.TempDir()
	lookups, calls := filepath.Join(dir, "1.pcap"), filepath.Join(dir, "2.pcap")
	testkit.WriteLookup(t, lookups, "files.shop.example")
	testkit.WritePcap(t, calls, []string{"GET /a HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"})
	c := testkit.LaunchCollector(t, testkit.CollectorConfig{Network: testkit.M{"workers": 1, "capture": testkit.M{"pcap": testkit.M{
		"files": []string{lookups, calls}, "on_end": "exit",
	}}}})
	require.Zero(t, c.Wait(testkit.Patience), "%s", c.Output())
	got := c.Calls()
	call := got.Where(func(c testkit.Call) bool { return c.Status == 200 })
	query := got.Where(func(c testkit.Call) bool { return c.Status == 0 })
	require.Len(t, call, 1)
	require.Len(t, query, 1)
	assert.Equal(t, []testkit.Link{{TraceID: query[0].TraceID, SpanID: query[0].SpanID}}, call[0].Links)
	assert.Equal(t, "files.shop.example", call[0].Attributes["server.address"])
	assert.Equal(t, "files.shop.example", call[0].Attributes["wirespan.peer.dns.name"])
	assert.Equal(t, int64(1_000_000), call[0].Attributes["wirespan.time.lookup"])
}
