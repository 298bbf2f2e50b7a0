// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/tlspeer"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// introduce runs each program that brings its library along until it is known: the
// first time it may be over before there are probes in it.
func introduce(t *testing.T, p *tlspeer.Peers, r *recorder, at string) {
	t.Helper()
	for _, c := range p.Clients() {
		path := "/introduce/" + strings.ReplaceAll(c.Name, " ", "")
		for known := !c.CarriesLibrary; !known; {
			download(t, c, "https://"+at+path)
			settle()
			said, _ := r.said(portOf(t, at))
			known = slices.ContainsFunc(said, func(s spoken) bool { return bytes.Contains(s.out, []byte(path)) })
		}
	}
}

// download runs a client to its end.
func download(t *testing.T, c tlspeer.Client, url string) []byte {
	t.Helper()
	command := c.Command(url, "")
	command.Stderr = os.Stderr
	out, err := command.Output()
	require.NoError(t, err, c.Name)
	return out
}

// Every library shows what it was given and gave, byte for byte, at the right socket:
// client and server, running before the capture and started after it.
func TestPlaintextOfEveryLibrary(t *testing.T) {
	p := tlspeer.New(t, 1<<20).WithGo(t)
	servers := p.Servers()
	at := make([]string, len(servers))
	for i, s := range servers[:2] {
		at[i] = start(t, s.Command()).line(t)
	}
	r := record(t, withTLS())
	for i, s := range servers[2:] {
		at[2+i] = start(t, s.Command()).line(t)
	}
	introduce(t, p, r, at[0])
	introduced := r.joinedLate()
	for i := range servers {
		for j, c := range p.Clients() {
			got := download(t, c, fmt.Sprintf("https://%s/%d", at[i], j))
			require.True(t, bytes.Equal(p.Body, got), "%s to %s: what the client got", c.Name, servers[i].Name)
		}
	}
	settle()
	r.stop()
	for i, s := range servers {
		said, answered := r.said(portOf(t, at[i]))
		for j, c := range p.Clients() {
			t.Run(c.Name+" to "+s.Name, func(t *testing.T) {
				path := fmt.Sprintf("/%d", j)
				assertSpoken(t, said, path, p.Body, "client")
				assertSpoken(t, answered, path, p.Body, "server")
			})
		}
	}
	assert.Equal(t, introduced, r.joinedLate(), "the handshakes were seen")
	r.assertWhole(t)
}

// assertSpoken looks for the one connection that asked for a path.
func assertSpoken(t *testing.T, all []spoken, path string, body []byte, end string) {
	t.Helper()
	found := 0
	for _, s := range all {
		asked, answered := s.out, s.in
		if end == "server" {
			asked, answered = s.in, s.out
		}
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(asked)))
		if err != nil || request.URL.Path != path {
			continue
		}
		found++
		response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answered)), request)
		require.NoError(t, err, end)
		got, err := io.ReadAll(response.Body)
		assert.NoError(t, err, end)
		assert.True(t, bytes.Equal(body, got), "%s: the body", end)
	}
	assert.Equal(t, 1, found, "%s: connections with its plaintext", end)
}

const (
	keepServer = `
import socket, ssl, sys
c = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
c.load_cert_chain(sys.argv[1], sys.argv[2])
l = socket.create_server(("127.0.0.1", 0))
print("127.0.0.1:%d" % l.getsockname()[1], flush=True)
s = c.wrap_socket(l.accept()[0], server_side=True)
while s.recv(65536):
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
`
	keepClient = `
import http.client, ssl, sys, urllib.parse
u = urllib.parse.urlsplit(sys.argv[1])
h = http.client.HTTPSConnection(u.hostname, u.port, context=ssl.create_default_context(cafile=sys.argv[2]))
path = "/first"
while path:
    h.request("GET", path)
    h.getresponse().read()
    print("done", flush=True)
    path = sys.stdin.readline().strip()
`
)

// Connections that are older than the capture are found by what the library itself
// knows of its socket. What is seen of a call begins with its entry: a process that
// waits in one for the other end has to return from it first.
func TestPlaintextOfOpenConnections(t *testing.T) {
	p := tlspeer.New(t, 2).WithGo(t)
	for _, test := range []struct {
		name           string
		server, client func(at string) *exec.Cmd
	}{
		{
			"openssl",
			func(string) *exec.Cmd { return python(keepServer, p.Cert, p.Key) },
			func(at string) *exec.Cmd { return python(keepClient, "https://"+at, p.Cert) },
		},
		{
			"go",
			func(string) *exec.Cmd {
				return exec.Command(p.Golang["go stripped"], "serve", p.Cert, p.Key, p.File)
			},
			func(at string) *exec.Cmd { return exec.Command(p.Golang["go pie"], "keep", "https://"+at, p.Cert) },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			at := start(t, test.server("")).line(t)
			client := start(t, test.client(at))
			require.Equal(t, "done", client.line(t))
			r := record(t, withTLS())
			for _, path := range []string{"/second", "/third"} {
				_, err := fmt.Fprintln(client.in, path)
				require.NoError(t, err)
				require.Equal(t, "done", client.line(t))
			}
			settle()
			r.stop()

			clients, servers := r.said(portOf(t, at))
			require.Len(t, clients, 1)
			require.Len(t, servers, 1)
			c, s := clients[0], servers[0]
			request := string(c.out[bytes.LastIndex(c.out, []byte("GET /third")):])
			assert.True(t, strings.HasPrefix(string(c.out), "GET /second"))
			assert.Equal(t, 2, strings.Count(string(s.out), "HTTP/1.1 200 OK"))
			if test.name == "go" && runtime.GOARCH == "amd64" {
				request = string(c.out) // also what a reader gets that was waiting before
			}
			assert.Equal(t, request, string(s.in))
			assert.Contains(t, string(c.in), "HTTP/1.1 200 OK")
			assert.True(t, strings.HasSuffix(string(s.out), string(c.in)))
			for _, e := range []spoken{c, s} {
				assert.NotZero(t, r.late[stream{e.socket, capture.Egress}], "what was before is missing")
			}
			r.assertWhole(t)
		})
	}
}

// One call of the library takes 16 MB. The rings hold all of it, so that nothing depends
// on when they are read.
func TestPlaintextOfALargeWrite(t *testing.T) {
	p := tlspeer.New(t, 16<<20)
	at := start(t, p.Servers()[0].Command()).line(t)
	r := record(t, withTLS())
	require.True(t, bytes.Equal(p.Body, download(t, p.Clients()[0], "https://"+at+"/large")))
	settle()
	r.stop()
	said, answered := r.said(portOf(t, at))
	assertSpoken(t, said, "/large", p.Body, "client")
	assertSpoken(t, answered, "/large", p.Body, "server")
	r.assertWhole(t)
}

// Processes that may not be looked into stay closed, whatever library they share with
// others: here both ends use the same file, which has probes.
func TestPlaintextOfChosenProcesses(t *testing.T) {
	port, _ := startNginxTLS(t, t.TempDir())
	url := fmt.Sprintf("https://127.0.0.1:%d/pid", port)
	const pod, container = "1b2f6e0c-1111-2222-3333-444455556666", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	group := makeCgroup(t, "kubepods/pod"+pod+"/"+container)
	top := strings.TrimSuffix(group, "/kubepods/pod"+pod+"/"+container)
	top = "/" + filepath.Base(top)
	curl := func(user uint32) *exec.Cmd {
		c := inCgroup(t, group, exec.Command("curl", "-sSk", "--http1.1", url))
		c.SysProcAttr.Credential = &syscall.Credential{Uid: user}
		return c
	}
	const nobody = 65534
	for _, tt := range []struct {
		name             string
		tls              TLS
		clients, servers int
	}{
		{"exclusion wins", TLS{Include: Selection{Processes: []string{"curl", "ngin?"}}, Exclude: Selection{Users: []uint32{nobody}}}, 0, 1},
		{"in all lists", TLS{Include: Selection{Executables: []string{"/usr/**/curl"}, Cgroups: []string{top + "/*/pod*"}, Users: []uint32{nobody}}}, 1, 0},
		{"not in all lists", TLS{Include: Selection{Containers: []string{container[:12]}, Processes: []string{"nginx"}}}, 0, 0},
		{"exclude pod", TLS{Exclude: Selection{Pods: []string{pod}}}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.tls.Enabled = true
			r := record(t, Settings{TLS: tt.tls})
			run(t, curl(nobody))
			settle()
			r.stop()
			clients, servers := r.said(port)
			assert.Len(t, clients, tt.clients, "clients")
			assert.Len(t, servers, tt.servers, "servers")
			assert.NotEmpty(t, r.port(port), "packets are captured all the same")
		})
	}
}
