// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// tlsRequest is what each program asks or is asked for.
type tlsRequest struct {
	name, uri string
	body      []byte
}

// tlsRequests are around the size of a TLS record, without a body, and of many records.
var tlsRequests = []tlsRequest{
	{"none", "/bytes/7/0/text", nil},
	{"many", "/bytes/7/1000001/binary", nil},
	{"more", "/echo", truth.BinaryBody(3, 16385)},
}

// tlsSession is a capture of programs that speak TLS.
type tlsSession struct {
	certificates *testkit.Certificates
	collector    *testkit.Collector
	wants        []want
	introduced   map[string]bool
}

// introduce lets a client that has its library in itself call until it is known: the
// first time it may be over before there are probes in it.
func (s *tlsSession) introduce(t *testing.T, client testkit.TLSClient, base string) {
	t.Helper()
	program, _, _ := strings.Cut(client.Name, " ")
	if !ownLibrary[program] || s.introduced[program] {
		return
	}
	s.introduced[program] = true
	runs := map[int]bool{}
	testkit.Eventually(t, client.Name, func() bool {
		runs[client.Call(t, s.certificates, introduction, base, "/bytes/7/1/text", nil).PID] = true
		return len(s.collector.Calls().Where(func(call testkit.Call) bool {
			return strings.HasPrefix(call.Sequence(), introduction) && runs[call.PID]
		})) > 0
	})
}

// ownLibrary are clients that bring along their library.
var ownLibrary = map[string]bool{"go": true, "node": true}

// talk lets a client call a server for everything, and notes what both say about it.
func (s *tlsSession) talk(t *testing.T, client testkit.TLSClient, server *testkit.Server, name string, more ...end) {
	t.Helper()
	s.introduce(t, client, server.URL())
	for _, r := range tlsRequests {
		sequence := strings.ReplaceAll(fmt.Sprintf("%s-%s-%s", client.Name, name, r.name), " ", "-")
		sequence = strings.ReplaceAll(sequence, "'", "")
		call := client.Call(t, s.certificates, sequence, server.URL(), r.uri, r.body)
		require.Empty(t, call.Error, sequence)
		answered, ok := server.TruthOf()[call.Sequence]
		require.True(t, ok, "the server knows nothing of %s", call.Sequence)
		require.Equal(t, http.StatusOK, call.Status, sequence)
		s.wants = append(s.wants, want{call, append(ends(call.PID, answered.PID), more...)})
	}
}

// finish ends the capture and compares.
func (s *tlsSession) finish(t *testing.T) testkit.Calls {
	t.Helper()
	s.collector.AwaitSpans(s.wants[len(s.wants)-1].Sequence, 2)
	s.collector.Shutdown()
	calls := s.collector.Calls().Where(func(call testkit.Call) bool { return !strings.HasPrefix(call.Sequence(), introduction) })
	checkCalls(t, calls.Where(func(call testkit.Call) bool { return call.Sequence() != "" }), s.wants)
	return calls
}

// TestTLSPrograms lets every client that there is call one server, and one client every
// server: what each end says of a call is there once, byte for byte, with the process.
// Clients say of the same calls the same as without a capture.
func TestTLSPrograms(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	reference := testkit.GoServerTLS(t, certificates)
	clients, servers := testkit.TLSClients(), map[string]*testkit.Server{}
	start := func(some []testkit.TLSServer) {
		for _, s := range some {
			if s.Name != "nginx" && s.Name != "go" {
				servers[s.Name] = s.Start(t, certificates)
			}
		}
	}
	all := testkit.TLSServers()
	start(all[:len(all)/2])
	untouched := map[string]truth.Call{}
	for _, client := range clients {
		untouched[client.Name] = saidOf(client.Call(t, certificates, "untouched", reference.URL(), tlsRequests[1].uri, nil))
	}
	s := &tlsSession{certificates: certificates, introduced: map[string]bool{}}
	s.collector = live(t, testkit.M{
		"capture": testkit.M{"ebpf": testkit.M{"ring_size": "64MiB"}},
		"protocols": testkit.M{
			"http": testkit.M{"max_body_bytes": "2MiB"}, "http2": testkit.M{"max_body_bytes": "2MiB"},
		},
	})
	start(all[len(all)/2:])
	for _, client := range clients {
		s.talk(t, client, reference, "reference")
		touched := s.wants[len(s.wants)-2].Call
		assert.Equal(t, untouched[client.Name], saidOf(touched), client.Name)
	}
	goClient, goHTTP2 := clients[0], clients[1]
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		if name == "node http2" {
			s.talk(t, goHTTP2, servers[name], name)
		} else {
			s.talk(t, goClient, servers[name], name)
		}
	}
	calls := s.finish(t)
	for _, call := range calls {
		if call.Sequence() == "" {
			continue
		}
		assert.Equal(t, "tls", call.Attributes["tls.protocol.name"], call.Sequence())
	}
	var rows []tlsRow
	for _, client := range clients {
		rows = append(rows, rowOf(client.Library, client.Name, "client"))
	}
	for _, s := range all {
		if s.Name != "nginx" { // see TestTLSProxy
			rows = append(rows, rowOf(s.Library, s.Name, "server"))
		}
	}
	rows = append(rows, rowOf("libssl", "nginx", "server, proxy to a server with TLS"))
	tellTLS(t, rows)
}

func rowOf(library, program, as string) tlsRow {
	row := tlsRow{library: library, program: program, as: as, bound: "packet", version: tlsVersions[strings.Fields(program)[0]]}
	switch {
	case strings.HasSuffix(library, "in memory"):
		row.bound = "buffer in memory"
	case library == "crypto/tls":
		row.bound = "descriptor"
	}
	return row
}

// tlsVersions tell a program's version.
var tlsVersions = map[string][]string{
	"go": {"go", "version"}, "curl": {"curl", "--version"}, "wget": {"wget", "--version"}, "openssl": {"openssl", "version"},
	"python": {"/usr/bin/python3", "--version"}, "asyncio": {"/usr/bin/python3", "--version"}, "gunicorn": {"gunicorn", "--version"},
	"curl's": {"dpkg-query", "-W", "libcurl3-nss"}, "node": {"node", "--version"}, "php": {"php", "--version"},
	"ruby": {"ruby", "--version"}, "webrick": {"ruby", "-e", "require 'webrick'; puts WEBrick::VERSION"}, "nginx": {"nginx", "-v"},
}

// saidOf leaves out what differs from call to call.
func saidOf(call truth.Call) truth.Call {
	call.PID, call.Sequence, call.URI = 0, "", ""
	return call
}

// TestTLSProxy sends calls through nginx, which decrypts and encrypts them: they are there
// at both ends of both connections.
func TestTLSProxy(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	backend := testkit.GoServerTLS(t, certificates)
	nginx := testkit.NginxToTLS(t, certificates, backend)
	collector := live(t, testkit.M{"protocols": testkit.M{"http": testkit.M{"max_body_bytes": "2MiB"}, "http2": testkit.M{"max_body_bytes": "2MiB"}}})
	var calls []truth.Call
	for _, version := range []string{"--http1.1", "--http2"} {
		for _, r := range tlsRequests {
			calls = append(calls, testkit.Curl(t, r.name+version, nginx.URL(), r.uri, r.body, version, "--cacert", certificates.Authority))
		}
	}
	collector.AwaitSpans(calls[len(calls)-1].Sequence, 4)
	collector.Shutdown()
	checkProxied(t, collector.Calls(), calls, nginx, backend)
}

// TestTLSLargeBodies lets clients of those libraries that TestTLSWays leaves out get 16 MiB.
func TestTLSLargeBodies(t *testing.T) {
	testkit.NeedRoot(t)
	const size = 16 << 20
	certificates := testkit.NewCertificates(t)
	reference := testkit.GoServerTLS(t, certificates)
	limits := testkit.M{"max_body_bytes": "17MiB"}
	s := &tlsSession{certificates: certificates, introduced: map[string]bool{}}
	s.collector = live(t, testkit.M{
		"capture":   testkit.M{"ebpf": testkit.M{"ring_size": "128MiB"}},
		"protocols": testkit.M{"http": limits, "http2": limits},
		"memory":    testkit.M{"limit": "2GiB"}, // of which one connection may have a part
	})
	for _, client := range testkit.TLSClients() {
		if !slices.Contains([]string{"go http2", "wget", "node"}, client.Name) {
			continue
		}
		s.introduce(t, client, reference.URL())
		sequence := strings.ReplaceAll(client.Name, " ", "-")
		call := client.Call(t, certificates, sequence, reference.URL(), fmt.Sprintf("/bytes/7/%d/binary", size), nil)
		answered, ok := reference.TruthOf()[call.Sequence]
		require.True(t, ok, "the server knows nothing of %s", call.Sequence)
		require.Equal(t, size, call.ResponseSize)
		s.wants = append(s.wants, want{call, ends(call.PID, answered.PID)})
		s.collector.AwaitSpans(call.Sequence, 2)
	}
	t.Logf("the collector counts as lost: %v", losses(s.collector.Metrics()))
	s.finish(t)
}

// TestTLSOlderPrograms lets programs call that are older than the capture, with libraries
// that nobody else has. Ruby loads them (dlopen) for its first call; PHP has them from its
// start. The first call over a library may be what shows that there is one.
func TestTLSOlderPrograms(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	reference := testkit.GoServerTLS(t, certificates)
	libraries := ownLibraries(t)
	clients := map[string]*testkit.WaitingTLSClient{}
	for _, name := range []string{"php", "ruby"} {
		clients[name] = testkit.StartWaitingTLSClient(t, certificates, name, libraries, reference.URL(), tlsRequests[1].uri)
	}
	own := filepath.Join(libraries, "libssl.so.3")
	testkit.Eventually(t, "php to have its library", func() bool { return clients["php"].Loaded(own) })
	s := &tlsSession{certificates: certificates}
	s.collector = live(t, testkit.M{"protocols": testkit.M{"http": testkit.M{"max_body_bytes": "2MiB"}}})
	require.False(t, clients["ruby"].Loaded(own), "ruby has it already")
	for _, name := range []string{"php", "ruby"} {
		client, introductions := clients[name], 0
		testkit.Eventually(t, name, func() bool {
			introductions++
			client.Call(fmt.Sprintf("%s-%s-%d", introduction, name, introductions))
			return len(s.collector.Calls().Where(func(call testkit.Call) bool { return call.PID == client.PID() })) > 0
		})
		require.True(t, client.Loaded(own), name)
		call := client.Call(name)
		require.Equal(t, http.StatusOK, call.Status)
		s.wants = append(s.wants, want{call, ends(call.PID, reference.TruthOf()[name].PID)})
	}
	s.finish(t)
}

// ownLibraries is a folder with a copy of the machine's TLS library.
func ownLibraries(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"libssl.so.3", "libcrypto.so.3"} {
		installed, err := filepath.Glob("/usr/lib/*-linux-gnu/" + name)
		require.NoError(t, err)
		require.NotEmpty(t, installed, name)
		require.NoError(t, exec.Command("cp", "--dereference", installed[0], dir).Run())
	}
	return dir
}
