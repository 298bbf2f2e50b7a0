// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// lookup is what one dig does.
type lookup struct {
	name, kind string
	args       []string
	// What has to be seen, by transport.
	transports []string
	code       string // of the last transport; empty: no response
	answer     string
	errorType  string // at the client
}

var lookups = []lookup{
	{name: "udp.shop.example", kind: "A", transports: []string{"udp"}, code: "NOERROR", answer: "A 192.0.2.10"},
	{name: "tcp.shop.example", kind: "A", args: []string{"+tcp"}, transports: []string{"tcp"}, code: "NOERROR", answer: "A 192.0.2.11"},
	{name: "missing.shop.example", kind: "AAAA", transports: []string{"udp"}, code: "NXDOMAIN", errorType: "host_not_found"},
	{name: "many.shop.example", kind: "TXT", transports: []string{"udp", "tcp"}, code: "NOERROR", answer: `TXT "record 1 of a set that is too large for a datagram"`},
	{name: "silent.example", kind: "A", transports: []string{"udp"}, errorType: "timeout"},
}

// TestDNS asks a real server by a real client: every query is there once per end,
// with the right process, also the one that nobody answers.
func TestDNS(t *testing.T) {
	testkit.NeedRoot(t)
	dig := testkit.NeedProgram(t, "dig")
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	addr, server := dnsmasq(t, silent.LocalAddr().String())
	c := live(t, testkit.M{"protocols": testkit.M{"dns": testkit.M{"response_timeout": "2s"}}})

	pids := map[string]int{}
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	for _, l := range lookups {
		args := append([]string{"@" + host, "-p", port, "+tries=1", "+time=1", l.name, l.kind}, l.args...)
		run := testkit.Start(t, testkit.Program{Path: dig, Args: args})
		run.Wait(testkit.Patience)
		pids[l.name] = run.PID()
	}
	testkit.Eventually(t, "the query that nobody answers", func() bool { return len(named(c.Calls(), "silent.example", "udp")) >= 3 })
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()

	for _, l := range lookups {
		t.Run(l.name, func(t *testing.T) {
			for i, transport := range l.transports {
				calls := named(got, l.name, transport)
				asked := calls.Where(func(c testkit.Call) bool { return c.PID == pids[l.name] })
				answered := calls.Where(func(c testkit.Call) bool { return c.PID == server && c.Kind != client })
				require.Len(t, asked, 1, "calls of dig over %s", transport)
				require.Len(t, answered, 1, "calls of dnsmasq over %s", transport)
				assert.Equal(t, client, asked[0].Kind)
				if transport == "tcp" {
					assert.Equal(t, asked[0].TraceID, answered[0].TraceID)
					assert.Equal(t, asked[0].SpanID, answered[0].ParentID)
				}
				for _, call := range append(asked, answered...) {
					l.check(t, call, i < len(l.transports)-1)
				}
			}
			if l.code != "" {
				assert.Len(t, got.Where(func(c testkit.Call) bool { return c.Attributes["dns.question.name"] == l.name }), 2*len(l.transports))
			}
		})
	}
}

// check looks at one end of a lookup. truncated is set where another transport follows.
func (l *lookup) check(t *testing.T, c testkit.Call, truncated bool) {
	t.Helper()
	assert.Equal(t, "query "+l.kind, c.Name)
	assert.Equal(t, "dns", c.Attributes["network.protocol.name"])
	assert.Equal(t, 1, c.Records)
	assert.Contains(t, string(c.Request.Body), ";"+l.name+". IN "+l.kind)
	if c.Kind == client {
		assert.Equal(t, l.errorType, fmt.Sprint(orEmpty(c.Attributes["error.type"])))
	}
	if l.code == "" {
		assert.Equal(t, "response", c.Attributes["wirespan.missing.side"])
		assert.Nil(t, c.Attributes["wirespan.dns.response.code"])
		return
	}
	assert.Empty(t, incomplete(c))
	assert.Equal(t, l.code, c.Attributes["wirespan.dns.response.code"])
	assert.Equal(t, truncated, c.Attributes["wirespan.dns.response.truncated"])
	if l.answer != "" && !truncated {
		assert.Contains(t, fmt.Sprint(c.Attributes["wirespan.dns.response.answers"]), l.answer)
		data := l.answer[strings.Index(l.answer, " ")+1:]
		assert.Contains(t, string(c.Response.Body), data)
	}
	assert.Less(t, c.Start, c.End)
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

func named(calls testkit.Calls, name, transport string) testkit.Calls {
	return calls.Where(func(c testkit.Call) bool {
		return c.Attributes["dns.question.name"] == name && c.Attributes["network.transport"] == transport
	})
}

// dnsmasq starts a server with a small zone. What is below silent.example it asks of
// another one.
func dnsmasq(t *testing.T, other string) (addr string, pid int) {
	t.Helper()
	host, port, err := net.SplitHostPort(other)
	require.NoError(t, err)
	addr = testkit.FreeAddr(t)
	_, own, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	args := []string{
		"--conf-file=/dev/null", "--no-daemon", "--no-resolv", "--no-hosts", "--user=root", "--bind-interfaces", "--listen-address=127.0.0.1",
		"--port=" + own, "--local=/shop.example/", "--host-record=udp.shop.example,192.0.2.10", "--host-record=tcp.shop.example,192.0.2.11",
		"--server=/silent.example/" + host + "#" + port,
	}
	for i := range 40 {
		args = append(args, "--txt-record=many.shop.example,record "+strconv.Itoa(i+1)+" of a set that is too large for a datagram")
	}
	run := testkit.Start(t, testkit.Program{Path: testkit.NeedProgram(t, "dnsmasq"), Args: args, Addr: addr})
	return addr, run.PID()
}
