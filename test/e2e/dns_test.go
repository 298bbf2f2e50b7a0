// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	attributes testkit.M
}

var lookups = []lookup{
	{name: "udp.shop.example", kind: "A", transports: []string{"udp"}, code: "NOERROR", answer: "A 192.0.2.10"},
	{name: "tcp.shop.example", kind: "A", args: []string{"+tcp"}, transports: []string{"tcp"}, code: "NOERROR", answer: "A 192.0.2.11"},
	{name: "missing.shop.example", kind: "AAAA", transports: []string{"udp"}, code: "NXDOMAIN", errorType: "host_not_found"},
	{name: "many.shop.example", kind: "TXT", transports: []string{"udp", "tcp"}, code: "NOERROR", answer: `TXT "record 1 of a set that is too large for a datagram"`},
	{
		name: "edns.shop.example", kind: "A", args: []string{"+bufsize=1400", "+dnssec", "+subnet=198.51.100.0/24"}, transports: []string{"udp"}, code: "NOERROR",
		answer: "A 192.0.2.12", attributes: testkit.M{
			"wirespan.dns.request.edns.udp_size": int64(1400), "wirespan.dns.request.edns.dnssec_ok": true,
			"wirespan.dns.request.edns.client_subnet": "198.51.100.0/24/0",
		},
	},
	{
		name: "plain.shop.example", kind: "A", args: []string{"+noedns"}, transports: []string{"udp"}, code: "NOERROR", answer: "A 192.0.2.13",
		attributes: testkit.M{"wirespan.dns.request.edns.udp_size": nil},
	},
}

// silence is asked of a server that asks another one, which is silent.
var silence = lookup{name: "silent.example", kind: "A", args: []string{"+time=1"}, transports: []string{"udp"}, errorType: "timeout"}

// inBatch is how many names one dig asks for, one after the other.
const inBatch = 100

// TestDNS asks real servers by a real client: every query is there once per end, with
// the right process and with what the client shows of the answer, also the one that
// nobody answers.
func TestDNS(t *testing.T) {
	testkit.NeedRoot(t)
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	zone := testkit.Zone{Origin: "shop.example", Silent: silent.LocalAddr().String(), Records: [][3]string{
		{"udp", "A", "192.0.2.10"}, {"tcp", "A", "192.0.2.11"}, {"edns", "A", "192.0.2.12"}, {"plain", "A", "192.0.2.13"}, {"*.wild", "A", "192.0.2.99"},
	}}
	for i := range 40 {
		zone.Records = append(zone.Records, [3]string{"many", "TXT", "record " + strconv.Itoa(i+1) + " of a set that is too large for a datagram"})
	}
	servers := map[string]*testkit.NameServer{"dnsmasq": zone.Dnsmasq(t), "bind": zone.Bind(t), "unbound": zone.Unbound(t)}
	c := live(t, testkit.M{"protocols": testkit.M{"dns": testkit.M{"response_timeout": "2s"}}})

	digs, batches := map[string]*dig{}, map[string]*dig{}
	for name, s := range servers {
		for _, l := range lookups {
			digs[name+" "+l.name] = startDig(t, s, append([]string{l.name, l.kind}, l.args...)...)
		}
		batches[name] = startDig(t, s, "-f", names(t, name))
	}
	unanswered := startDig(t, servers["dnsmasq"], append([]string{silence.name, silence.kind}, silence.args...)...)
	testkit.Eventually(t, "the query that nobody answers", func() bool { return len(named(c.Calls(), silence.name, "udp")) >= 3 })
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()

	for name, s := range servers {
		for _, l := range lookups {
			t.Run(name+" "+l.name, func(t *testing.T) { l.checkAll(t, got, digs[name+" "+l.name], s) })
		}
		t.Run(name+" many", func(t *testing.T) { checkBatch(t, got, name, batches[name], s) })
	}
	t.Run("silence", func(t *testing.T) { silence.checkAll(t, got, unanswered, servers["dnsmasq"]) })
}

// dig is a dig that has ended.
type dig struct {
	pid     int
	ids     []string // of the responses
	records []string // of all sections
}

var digID = regexp.MustCompile(`(?m)^;; ->>HEADER<<-.* id: (\d+)`)

func startDig(t *testing.T, s *testkit.NameServer, args ...string) *dig {
	t.Helper()
	args = append([]string{"@" + s.Host, "-p", s.Port, "+tries=1", "+time=5"}, args...)
	run := testkit.Start(t, testkit.Program{Path: testkit.NeedProgram(t, "dig"), Args: args})
	run.Wait(testkit.Patience)
	d := &dig{pid: run.PID()}
	for _, m := range digID.FindAllStringSubmatch(run.Output(), -1) {
		d.ids = append(d.ids, m[1])
	}
	d.records = records(run.Output())
	return d
}

// records are the lines of a text that are resource records, with single spaces.
func records(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, ";") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	return lines
}

// names makes a file of names for dig.
func names(t *testing.T, server string) (path string) {
	t.Helper()
	var text strings.Builder
	for i := range inBatch {
		fmt.Fprintf(&text, "n%d-%s.wild.shop.example A\n", i, server)
	}
	path = filepath.Join(t.TempDir(), "names")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o644))
	return path
}

func checkBatch(t *testing.T, got testkit.Calls, name string, d *dig, s *testkit.NameServer) {
	require.Len(t, d.ids, inBatch, "dig's responses")
	for pid, kind := range map[int]end{d.pid: {kind: client}, s.PID(): {kind: server}} {
		var ids, answers []string
		for _, c := range got.Of(kind.kind) {
			if c.PID == pid && strings.HasSuffix(fmt.Sprint(c.Attributes["dns.question.name"]), "-"+name+".wild.shop.example") {
				ids = append(ids, fmt.Sprint(c.Attributes["wirespan.dns.id"]))
				answers = append(answers, records(string(c.Response.Body))...)
				assert.Empty(t, incomplete(c), "%v %v", kind.kind, c.Attributes)
			}
		}
		assert.ElementsMatch(t, d.ids, ids, "%v", kind.kind)
		assert.ElementsMatch(t, d.records, answers, "%v", kind.kind)
	}
}

// checkAll looks at both ends of a lookup over each transport.
func (l *lookup) checkAll(t *testing.T, got testkit.Calls, d *dig, s *testkit.NameServer) {
	for i, transport := range l.transports {
		calls := named(got, l.name, transport)
		asked := calls.Where(func(c testkit.Call) bool { return c.PID == d.pid })
		answered := calls.Where(func(c testkit.Call) bool { return c.PID == s.PID() && c.Kind != client })
		require.Len(t, asked, 1, "calls of dig over %s", transport)
		require.Len(t, answered, 1, "calls of the server over %s", transport)
		assert.Equal(t, client, asked[0].Kind)
		if transport == "tcp" {
			assert.Equal(t, asked[0].TraceID, answered[0].TraceID)
			assert.Equal(t, asked[0].SpanID, answered[0].ParentID)
		}
		last := i == len(l.transports)-1
		for _, call := range append(asked, answered...) {
			l.check(t, call, !last)
			if last && l.code != "" {
				assert.Equal(t, d.records, records(string(call.Response.Body)), "what dig shows")
				assert.Equal(t, []string{fmt.Sprint(call.Attributes["wirespan.dns.id"])}, d.ids)
			}
		}
	}
	if l.code != "" {
		assert.Len(t, got.Where(func(c testkit.Call) bool {
			return c.Attributes["dns.question.name"] == l.name && slices.Contains([]int{d.pid, s.PID()}, c.PID)
		}), 2*len(l.transports))
	}
}

// check looks at one end of a lookup. truncated is set where another transport follows.
func (l *lookup) check(t *testing.T, c testkit.Call, truncated bool) {
	t.Helper()
	assert.Equal(t, "query "+l.kind, c.Name)
	assert.Equal(t, "dns", c.Attributes["network.protocol.name"])
	assert.Equal(t, 1, c.Records)
	assert.Contains(t, string(c.Request.Body), ";"+l.name+". IN "+l.kind)
	for key, want := range l.attributes {
		assert.Equal(t, want, c.Attributes[key], key)
	}
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
	flags, _ := c.Attributes["wirespan.dns.response.flags"].([]any)
	assert.Equal(t, truncated, slices.Contains(flags, any("tc")))
	if l.answer != "" && !truncated {
		assert.Contains(t, fmt.Sprint(c.Attributes["wirespan.dns.response.answers"]), l.answer)
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

// TestDNSRetries asks a server that answers nothing: what the client sends again is the
// same query.
func TestDNSRetries(t *testing.T) {
	testkit.NeedRoot(t)
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	host, port, err := net.SplitHostPort(silent.LocalAddr().String())
	require.NoError(t, err)
	c := live(t, testkit.M{"protocols": testkit.M{"dns": testkit.M{"response_timeout": "5s"}}})
	run := testkit.Start(t, testkit.Program{
		Path: testkit.NeedProgram(t, "dig"), Args: []string{"@" + host, "-p", port, "+tries=3", "+time=1", "again.example", "A"},
	})
	run.Wait(testkit.Patience)
	c.Shutdown()
	for _, pid := range []int{run.PID(), os.Getpid()} {
		datagrams := 0
		for _, call := range named(c.Calls(), "again.example", "udp").Where(func(c testkit.Call) bool { return c.PID == pid }) {
			retries, _ := call.Attributes["wirespan.dns.request.retries"].(int64)
			datagrams += 1 + int(retries)
			assert.Equal(t, "response", call.Attributes["wirespan.missing.side"])
		}
		assert.Equal(t, 3, datagrams)
	}
}
