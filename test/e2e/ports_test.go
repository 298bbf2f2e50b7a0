// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestUnusualPorts has the protocols on ports that are known for others.
func TestUnusualPorts(t *testing.T) {
	testkit.NeedRoot(t)
	const postgres, https, dns, redis = "127.0.0.80:5432", "127.0.0.80:443", "127.0.0.80:53", "127.0.0.80:6379"
	onPostgres, onDNS := testkit.GoServer(t, testkit.Place{Addr: postgres}), testkit.GoServer(t, testkit.Place{Addr: dns})
	rpc := testkit.Program{Path: testkit.Build(t, "rpc")}
	serving := with(rpc, "serve", redis)
	serving.Addr = redis
	rpcServer := testkit.Start(t, serving)
	names := testkit.Zone{Addr: https, Origin: "shop.example", Records: [][3]string{{"udp", "A", "192.0.2.10"}}}.Unbound(t)
	c := live(t, nil)

	calls := []want{}
	for name, s := range map[string]*testkit.Server{"http1-postgres": onPostgres, "http1-dns": onDNS} {
		calls = append(calls, between(t, testkit.Send(t, testkit.Load{URL: s.URL(), Name: name, Method: "POST", Path: "/echo", Size: 500, Requests: 20}), s)...)
	}
	for name, s := range map[string]*testkit.Server{"http2-postgres": onPostgres, "http2-dns": onDNS} {
		calls = append(calls, between(t, testkit.Send(t, testkit.Load{
			URL: s.URL(), Name: name, Method: "POST", Path: "/echo", Size: 500, Requests: 20, Connections: 5, HTTP2: true,
		}), s)...)
	}
	run := testkit.Start(t, with(rpc, "send", redis, "redis", "5", "unary"))
	require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
	udp, tcp := startDig(t, names, "udp.shop.example", "A"), startDig(t, names, "udp.shop.example", "A", "+tcp")
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()

	checkCalls(t, got, calls)
	grpc := got.Where(func(c testkit.Call) bool { return c.Attributes["rpc.system.name"] == "grpc" })
	assert.Len(t, grpc.Of(client), 5)
	assert.Len(t, grpc.Of(server), 5)
	for _, call := range grpc {
		assert.Contains(t, []int{run.PID(), rpcServer.PID()}, call.PID)
		assert.Equal(t, "OK", call.Attributes["rpc.response.status_code"])
	}
	for transport, d := range map[string]*dig{"udp": udp, "tcp": tcp} {
		asked := named(got, "udp.shop.example", transport)
		require.Len(t, asked, 2, "both ends over %s", transport)
		for _, call := range asked {
			assert.Equal(t, d.records, records(string(call.Response.Body)))
		}
	}
}

// talk is a conversation of a protocol that is not dissected.
type talk struct {
	port   int
	server func(net.Conn)
	client func(net.Conn)
}

var talks = map[string]talk{
	"redis on 80": {80, lines("+OK", "$5\r\nhello", "-ERR unknown command 'GET / HTTP/1.1'"), lines("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello", "GET k", "GET / HTTP/1.1")},
	"ssh on 443":  {443, lines("SSH-2.0-OpenSSH_9.2", "\x00\x00\x01\x14\x06\x14abcdefgh"), lines("SSH-2.0-Go", "\x00\x00\x01\x14\x06\x14ijklmnop")},
	"smtp on 80": {
		80, lines("220 mail.example ESMTP", "250-mail.example", "250 OK", "354 go on", "250 queued"),
		lines("EHLO me.example", "MAIL FROM:<a@me.example>", "DATA", "Subject: POST /orders HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n."),
	},
	"binary on 80":          {80, lines("\x00\x01\x02\x03\x80\x00\xff\xfe"), lines("\x16\x02\x99\x00\x01\x02\x03")},
	"almost HTTP/2 on 80":   {80, lines("ERR", "ERR"), lines("PRI * HTTP/2.0\r\n\r\nXY\r\n\r\n", "more of it")},
	"almost HTTP/1 on 443":  {443, lines("HELLO/1.0 200 fine", "bye"), lines("GET / HELLO/1.0", "thanks")},
	"almost DNS on 53":      {53, lines("\x00\x20\x12\x34\x01\x00\x00\x01ABCDEFGHIJKLMNOPQRST"), lines("\x00\x20\x12\x34\x01\x00\x00\x01abcdefghijklmnopqrst")},
	"lines of text on 5432": {5432, lines("welcome", "what?"), lines("hello", "Host: a.example\r\nContent-Length: 5")},
}

// lines writes one line for each that comes, and the first one at once.
func lines(texts ...string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		r := bufio.NewReader(c)
		for i, text := range texts {
			if i > 0 {
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
			}
			if _, err := io.WriteString(c, text+"\r\n"); err != nil {
				return
			}
		}
	}
}

// TestOtherProtocolsOnPortsOfOurs tells other protocols apart, wherever they are.
func TestOtherProtocolsOnPortsOfOurs(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	secure := httptest.NewUnstartedServer(nil)
	var err error
	secure.Listener, err = net.Listen("tcp", "127.0.0.82:80")
	require.NoError(t, err)
	secure.StartTLS()
	defer secure.Close()
	c := live(t, nil)

	hosts := map[string]string{}
	for name, k := range talks {
		hosts[name] = fmt.Sprintf("127.0.1.%d", len(hosts)+1)
		k.run(t, net.JoinHostPort(hosts[name], strconv.Itoa(k.port)))
	}
	conn, err := tls.Dial("tcp", "127.0.0.82:80", &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET /inside HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 100))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	after := []truth.Call{testkit.Curl(t, "afterwards", s.URL(), "/status/200", nil)}
	c.AwaitSpans("afterwards", 2)
	metrics := c.Metrics()
	c.Shutdown()
	got := c.Calls()

	checkCalls(t, got, between(t, after, s))
	for name, host := range hosts {
		calls := got.Where(func(c testkit.Call) bool {
			return c.Attributes["network.peer.address"] == host || c.Attributes["network.local.address"] == host
		})
		for _, call := range calls {
			assert.Fail(t, "a call of a protocol that is not there", "%s: %s %v", name, call.Name, call.Attributes)
		}
	}
	for _, call := range got {
		if call.Attributes["network.peer.address"] == "127.0.0.82" || call.Attributes["network.local.address"] == "127.0.0.82" {
			assert.NotNil(t, call.Attributes["tls.protocol.version"], "%v", call.Attributes)
		}
	}
	withdrawn := 0.0
	for name, n := range metrics {
		if strings.Contains(name, "withdrawn_decisions") {
			withdrawn += n
		}
	}
	t.Logf("decisions that were withdrawn: %v", withdrawn)
}

// run has the conversation over one connection.
func (k talk) run(t *testing.T, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); err == nil {
			k.server(c)
		}
	}()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	k.client(c)
	<-done
}
