// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/tlspeer"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSLibraries lets clients of each TLS library call servers of each. Every call is
// there once per end, in plain, with the process, as it would be without TLS. And the
// programs do exactly what they do when nobody looks into them.
func TestTLSLibraries(t *testing.T) {
	testkit.NeedRoot(t)
	p := tlspeer.New(t, 300_000).WithGo(t)
	var servers []tlsServer
	for _, s := range p.Servers() {
		servers = append(servers, startTLS(t, s))
	}
	untouched := map[string]outcome{}
	for _, c := range p.Clients() {
		for _, s := range servers {
			untouched[c.Name+s.name] = callTLS(t, c, s, "")
		}
	}

	c := live(t, nil)
	introduce(t, c, p.Clients(), servers[0])
	var wants []want
	for _, client := range p.Clients() {
		for _, s := range servers {
			sequence := client.Name + " to " + s.name
			got := callTLS(t, client, s, sequence)
			assert.Equal(t, untouched[client.Name+s.name].status, got.status, sequence)
			assert.True(t, bytes.Equal(untouched[client.Name+s.name].output, got.output), "%s: what it prints", sequence)
			wants = append(wants, want{
				truth.Call{
					PID: got.pid, Sequence: sequence, Method: "GET", Status: 200,
					RequestSHA256: truth.Sum(nil), ResponseSize: len(p.Body), ResponseSHA256: truth.Sum(p.Body),
				},
				ends(got.pid, s.pid),
			})
		}
	}
	c.AwaitSpans(wants[len(wants)-1].Sequence, 2)
	c.Shutdown()
	calls := c.Calls().Where(func(call testkit.Call) bool { return call.Sequence() != "" && call.Sequence() != introduction })
	checkCalls(t, calls, wants)
	for _, call := range calls {
		if call.Kind == server {
			assert.Equal(t, "https", call.Attributes["url.scheme"], call.Sequence())
		}
		assert.Equal(t, "tls", call.Attributes["tls.protocol.name"], call.Sequence())
	}
	for _, group := range calls.BySequence() {
		assert.Equal(t, group[0].TraceID, group[len(group)-1].TraceID, "both ends are in one trace: %s", group[0].Sequence())
	}
}

func ends(clientPID, serverPID int) []end { return []end{{client, clientPID}, {server, serverPID}} }

// introduction is the sequence of calls of which it is not known whether they are seen.
const introduction = "introduction"

// introduce calls with each program that has the library in itself until that is known:
// the first time it may be over before there are probes in it.
func introduce(t *testing.T, c *testkit.Collector, clients []tlspeer.Client, s tlsServer) {
	t.Helper()
	for _, client := range clients {
		if !client.CarriesLibrary {
			continue
		}
		runs := map[int]bool{}
		testkit.Eventually(t, client.Name, func() bool {
			runs[callTLS(t, client, s, introduction).pid] = true
			return len(c.Calls().Where(func(call testkit.Call) bool {
				return call.Sequence() == introduction && runs[call.PID]
			})) > 0
		})
	}
}

// tlsServer is a server that runs.
type tlsServer struct {
	name, at string
	pid      int
}

func startTLS(t *testing.T, s tlspeer.Server) tlsServer {
	t.Helper()
	c := s.Command()
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGKILL)
		_ = c.Wait()
	})
	at, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, s.Name)
	return tlsServer{s.Name, at[:len(at)-1], c.Process.Pid}
}

// outcome is what a program did.
type outcome struct {
	pid    int
	output []byte // standard output
	status string
}

func callTLS(t *testing.T, c tlspeer.Client, s tlsServer, sequence string) outcome {
	t.Helper()
	command := c.Command(fmt.Sprintf("https://%s/%s", s.at, "a"), sequence)
	output, err := command.Output()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit, c.Name)
		t.Logf("%s to %s: %s", c.Name, s.name, exit.Stderr)
	}
	return outcome{command.Process.Pid, output, command.ProcessState.String()}
}
