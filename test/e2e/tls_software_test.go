// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/tlspeer"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSSoftware is for programs that no package has: `.ci/tls-software` puts them into the
// folder that TLS_SOFTWARE names. Each calls and is called by one other program.
func TestTLSSoftware(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	trusting := tlspeer.New(t, 300_000)
	showing := *trusting
	trusting.Cert = certificates.Authority
	showing.Cert, showing.Key = certificates.Certificate, certificates.Key
	var clients []tlspeer.Client
	var servers []tlsServer
	var rows []tlsRow
	for _, p := range []struct {
		program, library, bound string
		client                  func(name, path string) tlspeer.Client
		server                  func(name, path string) tlspeer.Server
		version                 func(path string) []string
	}{
		{"node16", "OpenSSL 1.1.1, linked statically", "buffer in memory", trusting.NodeClient, showing.NodeServer, asked("--version")},
		{"node24", "OpenSSL 3.5, linked statically", "buffer in memory", trusting.NodeClient, showing.NodeServer, asked("--version")},
		{"go1.16.15", "crypto/tls, stripped, arguments on the stack", "descriptor", trusting.GoClient, showing.GoServer, goVersion},
		{"go1.21.13", "crypto/tls, stripped, arguments in registers", "descriptor", trusting.GoClient, showing.GoServer, goVersion},
		{
			"rustls", "rustls, blocking sockets", "packet, reads by their connection",
			func(name, path string) tlspeer.Client { return trusting.RustClient(t, name, path) },
			func(name, path string) tlspeer.Server { return showing.RustServer(t, name, path) },
			func(string) []string { return []string{"dpkg-query", "-W", "librust-rustls-dev"} },
		},
	} {
		path := software(t, p.program)
		clients = append(clients, p.client(p.program, path))
		servers = append(servers, startTLS(t, p.server(p.program, path)))
		rows = append(rows, tlsRow{p.library, p.program, "client and server", p.bound, p.version(path)})
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
	tellTLS(t, rows)
}

const staticBoringSSL = "BoringSSL of gRPC for Node.js, linked statically"

// TestTLSStaticWays is [TestTLSWays] where the library is a part of the program.
func TestTLSStaticWays(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	lookIntoWays(t, certificates, startWays(t, certificates, staticBoringSSL,
		software(t, "boringssl"), tlspeer.OldBoringSSLWays))
}

func asked(argument string) func(string) []string {
	return func(path string) []string { return []string{path, argument} }
}

func goVersion(path string) []string { return []string{"go", "version", path} }

// software is the path of a program.
func software(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(filepath.Join(os.Getenv("TLS_SOFTWARE"), name))
	if err != nil {
		testkit.Lacking(t, "%s in TLS_SOFTWARE: .ci/tls-software", name)
	}
	return path
}
