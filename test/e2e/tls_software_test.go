// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build tlssoftware

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/tlspeer"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSSoftware is for programs that no package has, or that take long to build: `make
// test-tls-software` puts them into the folder that TLS_SOFTWARE names. Each calls and is
// called by one other program.
func TestTLSSoftware(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	trusting := tlspeer.New(t, 300_000)
	showing := *trusting
	trusting.Cert = certificates.Authority
	showing.Cert, showing.Key = certificates.Certificate, certificates.Key
	var clients []tlspeer.Client
	var servers []tlsServer
	for _, path := range software(t) {
		switch name := filepath.Base(path); {
		case strings.HasPrefix(name, "node"):
			clients = append(clients, trusting.NodeClient(name, path))
			servers = append(servers, startTLS(t, showing.NodeServer(name, path)))
		case strings.HasPrefix(name, "rust"):
			clients = append(clients, trusting.RustClient(t, name, path))
			servers = append(servers, startTLS(t, showing.RustServer(t, name, path)))
		case strings.HasPrefix(name, "go"):
			clients = append(clients, trusting.GoClient(name, path))
			servers = append(servers, startTLS(t, showing.GoServer(name, path)))
		}
	}
	curl := trusting.Clients()[0]
	python := startTLS(t, showing.Servers()[0])
	untouched := map[string]outcome{}
	for _, client := range clients {
		untouched[client.Name] = callTLS(t, client, python, "")
	}
	c := live(t, nil)
	introduce(t, c, clients, python)
	var wants []want
	call := func(client tlspeer.Client, s tlsServer) outcome {
		sequence := client.Name + " to " + s.name
		got := callTLS(t, client, s, sequence)
		wants = append(wants, want{
			truth.Call{
				PID: got.pid, Sequence: sequence, Method: "GET", Status: 200,
				RequestSHA256: truth.Sum(nil), ResponseSize: len(trusting.Body), ResponseSHA256: truth.Sum(trusting.Body),
			},
			ends(got.pid, s.pid),
		})
		return got
	}
	for _, client := range clients {
		got := call(client, python)
		assert.Equal(t, untouched[client.Name].status, got.status, client.Name)
		assert.Equal(t, truth.Sum(untouched[client.Name].output), truth.Sum(got.output), client.Name)
	}
	for _, s := range servers {
		call(curl, s)
	}
	c.AwaitSpans(wants[len(wants)-1].Sequence, 2)
	c.Shutdown()
	checkCalls(t, c.Calls().Where(func(call testkit.Call) bool { return call.Sequence() != "" && call.Sequence() != introduction }), wants)
}

// TestTLSSoftwareThatIsClosed is for programs in which nothing tells where the functions
// of their library are: that is said.
func TestTLSSoftwareThatIsClosed(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	peers := tlspeer.New(t, 1000)
	peers.Cert, peers.Key = certificates.Certificate, certificates.Key
	server := startTLS(t, peers.Servers()[0])
	c := live(t, nil)
	for _, path := range software(t) {
		name := filepath.Base(path)
		var command *exec.Cmd
		switch {
		case strings.HasPrefix(name, "bun"):
			command = exec.Command(path, "-e", `await (await fetch(process.argv.at(-1), {tls: {rejectUnauthorized: false}})).text(); setTimeout(() => {}, 3000)`, "https://"+server.at)
		case strings.HasPrefix(name, "deno"):
			command = exec.Command(path, "eval", "--unsafely-ignore-certificate-errors", `await (await fetch("https://`+server.at+`/")).text(); setTimeout(() => {}, 3000)`)
		default:
			continue
		}
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		testkit.Eventually(t, name, func() bool {
			for line := range strings.Lines(c.Output()) {
				if strings.Contains(line, "encrypted connections of a program") && strings.Contains(line, path) {
					return strings.Contains(line, "stripped")
				}
			}
			return false
		})
	}
}

// software lists the programs.
func software(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(os.Getenv("TLS_SOFTWARE"), "*"))
	require.NoError(t, err)
	require.NotEmpty(t, all, "TLS_SOFTWARE")
	for i, path := range all {
		all[i], err = filepath.EvalSymlinks(path)
		require.NoError(t, err)
	}
	return all
}
