// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"encoding/json"
	"net"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TLSLoops are the event loops of programs/tlsloop.py: asyncio sends at once what a connection
// writes, the others at the end of a turn what all have written.
func TLSLoops() []string { return []string{"asyncio", "uvloop", "twisted"} }

// TLSLoopRelay starts a server with TLS on an event loop, which passes each call on to another server, over a
// connection of its own.
func TLSLoopRelay(t testing.TB, c *Certificates, loop string, to *Server) *Server {
	t.Helper()
	addr := FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	return startTLS(t, c, addr, Program{
		Path: NeedProgram(t, "/usr/bin/python3"), Args: []string{filepath.Join(programs(), "tlsloop.py"), loop, "relay", port, to.URL()},
		Env: []string{"TLS_AUTHORITY=" + c.Authority},
	})
}

// TLSLoopClient calls over several connections at once.
type TLSLoopClient struct{ *WaitingTLSClient }

// StartTLSLoopClient starts a client on an event loop. Its connections are opened at once.
func StartTLSLoopClient(t testing.TB, c *Certificates, loop string, to *Server, connections int) TLSLoopClient {
	t.Helper()
	return TLSLoopClient{startWaiting(t, Program{
		Path: NeedProgram(t, "/usr/bin/python3"),
		Args: []string{filepath.Join(programs(), "tlsloop.py"), loop, "client", to.URL(), strconv.Itoa(connections)},
		Env:  []string{"TLS_AUTHORITY=" + c.Authority},
	})}
}

// Round lets the client make one call over each connection, all at once.
func (c TLSLoopClient) Round(name string) (calls []truth.Call) {
	c.t.Helper()
	c.Begin(name)
	require.NoError(c.t, json.Unmarshal([]byte(c.answer()), &calls))
	return calls
}
