// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSInContainer calls a server in a container, which has a TLS library of its own:
// another file than the machine's, in another mount namespace. One runs before the
// capture, one starts after it.
func TestTLSInContainer(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	body := truth.BinaryBody(1, 100_000)
	before := testkit.StartNginxContainer(t, certificates, body)
	c := live(t, nil)
	after := testkit.StartNginxContainer(t, certificates, body)
	awaitProbes(t, c, 1)
	pids := map[string]int{}
	for name, s := range map[string]*testkit.Container{"before": before, "after": after} {
		// The first call may be what shows that there is a library, and it takes a moment
		// until that has probes.
		testkit.Eventually(t, "probes in the container "+name, func() bool {
			testkit.Curl(t, "introduce-"+name, s.URL(), "/body", nil, "--cacert", certificates.Authority)
			return len(c.Calls().BySequence()["introduce-"+name].Of(server)) > 0
		})
		call := testkit.Curl(t, name, s.URL(), "/body", nil, "--cacert", certificates.Authority)
		require.Equal(t, truth.Sum(body), call.ResponseSHA256)
		pids[name] = s.TaskPID()
	}
	c.Shutdown()

	groups := c.Calls().BySequence()
	for name, s := range map[string]*testkit.Container{"before": before, "after": after} {
		of := groups[name].Of(server)
		require.Len(t, of, 1, name)
		assert.Equal(t, s.ID, of[0].ContainerID, name)
		assert.Equal(t, pids[name], of[0].PID, name)
		assert.Equal(t, truth.Sum(body), truth.Sum(of[0].Response.Body), name)
		assert.Empty(t, incomplete(of[0]), name)
		require.Len(t, groups[name].Of(client), 1, name)
		assert.Equal(t, of[0].TraceID, groups[name].Of(client)[0].TraceID, name)
	}
}

// awaitProbes waits until so many files have probes.
func awaitProbes(t *testing.T, c *testkit.Collector, n float64) {
	t.Helper()
	testkit.Eventually(t, "probes", func() bool {
		return counted(c, "capture_events", `kind="tls_attached"`) >= n
	})
}

// counted sums the series of a metric of the receiver that have these labels.
func counted(c *testkit.Collector, metric string, labels ...string) (sum float64) {
	for series, n := range c.Metrics() {
		name, rest, labelled := strings.Cut(series, "{")
		matches := func(label string) bool { return strings.Contains(rest, label) }
		if labelled && name == "otelcol_receiver_network_"+metric && !slices.ContainsFunc(labels, func(l string) bool { return !matches(l) }) {
			sum += n
		}
	}
	return sum
}

// secureLanes are lanes that speak TLS, each over one connection.
func secureLanes(t *testing.T, authority string, servers ...*testkit.Server) (l lanes) {
	t.Helper()
	for i, s := range servers {
		l = append(l, testkit.StartClient(t, testkit.Load{
			URL: s.URL(), Name: fmt.Sprintf("lane%d", i), Method: "POST", Path: "/echo", Size: 3000, Requests: 20_000, Rate: 100,
			Authority: authority,
		}))
	}
	return l
}

// TestTLSKilledCollector kills a collector while programs are inside the libraries that
// it looks into. They notice nothing, and the next one joins their connections.
func TestTLSKilledCollector(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	golang := testkit.GoServerTLS(t, certificates)
	nginx := testkit.NginxTLS(t, certificates, t.TempDir(), testkit.GoServer(t, testkit.Place{}))
	python := testkit.PythonTLS(t, certificates)
	node := testkit.NodeTLS(t, certificates)
	clients := secureLanes(t, certificates.Authority, golang, nginx, python, node)
	network := testkit.M{"capture": testkit.M{"ebpf": testkit.M{"include": testkit.M{
		"ports": []int{golang.Port(), nginx.Port(), python.Port(), node.Port()}, // and not nginx's backend
	}}}}
	for range 2 {
		c := live(t, network)
		clients.more(t, 50)
		c.Signal(syscall.SIGKILL)
		c.Wait(testkit.Patience)
		clients.more(t, 20)
	}
	c := live(t, network)
	joined := clients.more(t, 20)
	until := clients.more(t, 50)
	all := clients.end(t)
	c.Shutdown()

	got := c.Calls().BySequence()
	for i := range clients {
		there := whole(t, got, i, all[i])
		for k := joined[i]; k < until[i]; k++ {
			assert.True(t, there[k], "%d of lane %d", k+1, i)
		}
	}
}

// staticClient is OpenSSL linked into a program that tells no names.
const staticClient = `
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>
int main(int n, char **arg) {
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(arg[1])) };
	char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer[4096];
	int s = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	if (connect(s, (void *)&to, sizeof(to)) || !SSL_set_fd(ssl, s) || SSL_connect(ssl) != 1)
		return 1;
	SSL_write(ssl, request, sizeof(request) - 1);
	while (SSL_read(ssl, answer, sizeof(answer)) > 0)
		;
	sleep(n > 2 ? atoi(arg[2]) : 0);
	return 0;
}
`

// rawHello sends what looks like a ClientHello, with no library at all.
const rawHello = `
import socket, sys, time
if sys.argv[2] == "library": import ssl
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
s.recv(100)
time.sleep(1)
`

// TestTLSCoverage looks at what the collector says of connections that it can see into,
// and of those that it can not, for each program: as metrics, and in the log once.
func TestTLSCoverage(t *testing.T) {
	testkit.NeedRoot(t)
	dir := t.TempDir()
	stripped := filepath.Join(dir, "stripped")
	compile(t, stripped, staticClient, "-static", "-s")
	bare, linked := filepath.Join(dir, "bare"), filepath.Join(dir, "linked")
	python, err := filepath.EvalSymlinks(testkit.NeedProgram(t, "/usr/bin/python3"))
	require.NoError(t, err)
	for _, path := range []string{bare, linked} {
		require.NoError(t, exec.Command("cp", python, path).Run())
	}
	curl, err := filepath.EvalSymlinks(testkit.NeedProgram(t, "curl"))
	require.NoError(t, err)

	certificates := testkit.NewCertificates(t)
	s := testkit.GoServerTLS(t, certificates)
	open := testkit.GoServer(t, testkit.Place{})
	port := fmt.Sprint(s.Port())
	c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{
		"include": testkit.M{"ports": []int{s.Port(), open.Port()}},
		"tls":     testkit.M{"exclude": testkit.M{"processes": []string{"curl"}}},
	}}})
	hello := func(path, library string) {
		testkit.Run(t, testkit.Program{Path: path, Args: []string{"-c", rawHello, port, library}, Env: []string{"PYTHONHOME=/usr"}})
	}
	for range 2 {
		testkit.Run(t, testkit.Program{Path: stripped, Args: []string{port, "1"}})
		hello(bare, "none")
		hello(linked, "library")
		testkit.Curl(t, "excluded", s.URL(), "/status/204", nil, "--cacert", certificates.Authority)
		testkit.Curl(t, "plain", open.URL(), "/status/204", nil)
	}
	testkit.Send(t, testkit.Load{URL: s.URL(), Name: "seen", Requests: 40, Rate: 10, Connections: 2, Authority: certificates.Authority})

	server := testkit.Build(t, "server")
	wants := map[string]float64{
		stripped + " stripped": 2, bare + " no_library": 2, linked + " unbound": 2, curl + " excluded": 2, curl + " plain": 2,
		testkit.Build(t, "client") + " decrypted": 2,
	}
	testkit.Eventually(t, "the coverage to be told", func() bool {
		for want, n := range wants {
			program, outcome, _ := strings.Cut(want, " ")
			if covered(c, program, outcome) != n {
				return false
			}
		}
		return covered(c, server, "plain") >= 2
	})
	assert.GreaterOrEqual(t, covered(c, server, "decrypted"), 6.0, "of the clients above that shake hands")
	assert.GreaterOrEqual(t, counted(c, "capture_events", `kind="tls_connection_stripped"`), 2.0)
	c.Shutdown()

	said := map[string]int{}
	for line := range strings.Lines(c.Output()) {
		_, fields, found := strings.Cut(line, "encrypted connections of a program")
		var of struct{ Program, Outcome string }
		if found && json.Unmarshal([]byte(fields[strings.IndexByte(fields, '{'):]), &of) == nil {
			said[of.Program+" "+of.Outcome]++
		}
	}
	for _, line := range []string{stripped + " stripped", bare + " no_library", linked + " unbound", curl + " excluded", server + " decrypted"} {
		assert.Equal(t, 1, said[line], line)
	}
}

// covered is how many connections of a program had an outcome.
func covered(c *testkit.Collector, program, outcome string) float64 {
	return counted(c, "program_connections", fmt.Sprintf("outcome=%q", outcome), fmt.Sprintf("program=%q", program))
}

func compile(t *testing.T, path, source string, flags ...string) {
	t.Helper()
	c := exec.Command(testkit.NeedProgram(t, "gcc"), append(flags, "-w", "-o", path, "-x", "c", "-", "-x", "none", "-lssl", "-lcrypto")...)
	c.Stdin = strings.NewReader(source)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestTLSProgramsComeAndGo starts many short programs. The collector opens each program's
// file once, and keeps nothing of them.
func TestTLSProgramsComeAndGo(t *testing.T) {
	testkit.NeedRoot(t)
	c := live(t, nil)
	awaitProbes(t, c, 1)
	descriptors := func() int {
		all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.PID()))
		require.NoError(t, err)
		return len(all)
	}
	busybox := testkit.NeedProgram(t, "busybox")
	churn := func(n int) {
		require.NoError(t, exec.Command("sh", "-c", fmt.Sprintf("for i in $(seq %d); do %s true; done", n, busybox)).Run())
	}
	files := func() float64 { return counted(c, "capture_events", `kind="tls_file"`) }
	churn(10)
	time.Sleep(time.Second)
	before, inspected := descriptors(), files()
	const programs = 2000
	churn(programs)
	testkit.Eventually(t, "descriptors to be closed", func() bool { return descriptors() <= before+10 })
	assert.Less(t, files()-inspected, 100.0, "files inspected for %d programs", programs)
	c.Shutdown()
}
