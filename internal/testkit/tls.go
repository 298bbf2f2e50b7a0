// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TLSServer is a server whose answers are those of GoServer's program, inside TLS.
type TLSServer struct {
	Name    string
	Library string // the TLS implementation, and how it comes to the program
	HTTP2   bool   // speaks HTTP/2, beside HTTP/1 or only
	HTTP1   bool
	Start   func(t testing.TB, c *Certificates) *Server
}

// TLSServers are all there are.
func TLSServers() []TLSServer {
	return []TLSServer{
		{"go", "crypto/tls", true, true, GoServerTLS},
		{"gunicorn", "libssl", false, true, func(t testing.TB, c *Certificates) *Server { return GunicornTLS(t, c, 2) }},
		{"python", "libssl", false, true, PythonTLS},
		{"asyncio", "libssl, in memory", false, true, AsyncioTLS},
		{"node", "OpenSSL, in memory", false, true, func(t testing.TB, c *Certificates) *Server { return NodeTLS(t, c) }},
		{"node http2", "OpenSSL, in memory", true, false, func(t testing.TB, c *Certificates) *Server { return NodeTLS(t, c, "http2") }},
		{"webrick", "libssl", false, true, WEBrickTLS},
		{"nginx", "libssl", true, true, func(t testing.TB, c *Certificates) *Server {
			t.Helper()
			return NginxTLS(t, c, t.TempDir(), GoServer(t, Place{}))
		}},
	}
}

// GoServerTLS starts the Go server of programs/server with TLS, for HTTP/1 and 2.
func GoServerTLS(t testing.TB, c *Certificates) *Server {
	t.Helper()
	addr := FreeAddr(t)
	return startTLS(t, c, addr, Program{Path: Build(t, "server"), Args: []string{"-addr", addr}})
}

// GunicornTLS is Gunicorn with TLS.
func GunicornTLS(t testing.TB, c *Certificates, workers int) *Server {
	t.Helper()
	addr := FreeAddr(t)
	s := startTLS(t, c, addr, Program{
		Path: NeedProgram(t, "gunicorn"),
		Args: []string{
			"--workers", strconv.Itoa(workers), "--bind", addr, "--chdir", programs(),
			"--certfile", c.Certificate, "--keyfile", c.Key, "app:application",
		},
		Env: []string{"PYTHONDONTWRITEBYTECODE=1"},
	})
	Eventually(t, "gunicorn's workers", func() bool {
		return strings.Count(s.Output(), "Booting worker") == workers
	})
	return s
}

// PythonTLS is PythonHTTP with TLS: its threads block on sockets that ssl wraps.
func PythonTLS(t testing.TB, c *Certificates) *Server {
	t.Helper()
	port := strconv.Itoa(FreePort(t))
	return startTLS(t, c, net.JoinHostPort("::1", port), Program{
		Path: NeedProgram(t, "/usr/bin/python3"), Args: []string{"-B", filepath.Join(programs(), "app.py"), port},
	})
}

// AsyncioTLS starts the server of programs/tlsasyncio.py, where TLS is between two
// buffers in memory.
func AsyncioTLS(t testing.TB, c *Certificates) *Server {
	t.Helper()
	addr := FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	return startTLS(t, c, addr, Program{
		Path: NeedProgram(t, "/usr/bin/python3"), Args: []string{"-B", filepath.Join(programs(), "tlsasyncio.py"), port},
	})
}

// NodeTLS starts the server of programs/server.js with TLS, for HTTP/1, or for HTTP/2
// if that is asked for.
func NodeTLS(t testing.TB, c *Certificates, mode ...string) *Server {
	t.Helper()
	addr := FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	return startTLS(t, c, addr, Program{
		Path: NeedProgram(t, "node"), Args: append([]string{filepath.Join(programs(), "server.js"), port}, mode...),
	})
}

// WEBrickTLS starts the server of programs/tlsserver.rb.
func WEBrickTLS(t testing.TB, c *Certificates) *Server {
	t.Helper()
	addr := FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	return startTLS(t, c, addr, Program{
		Path: NeedProgram(t, "ruby"), Args: []string{filepath.Join(programs(), "tlsserver.rb"), port},
	})
}

// NginxTLS is Nginx with TLS, for HTTP/1 and 2. All paths are of the backend.
func NginxTLS(t testing.TB, c *Certificates, files string, backend *Server) *Server {
	t.Helper()
	s := startNginx(t, files, backend, fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;", c.Certificate, c.Key)+
		" location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection \"\"; }", " ssl http2")
	s.secure = true
	return s
}

// NginxToTLS is NginxTLS that speaks TLS with its backend too.
func NginxToTLS(t testing.TB, c *Certificates, backend *Server) *Server {
	t.Helper()
	directives := fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;", c.Certificate, c.Key) +
		" location / { proxy_pass https://backend; proxy_http_version 1.1; proxy_set_header Connection \"\";" +
		fmt.Sprintf(" proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_trusted_certificate %s; }", c.Authority)
	s := startNginx(t, t.TempDir(), backend, directives, " ssl http2")
	s.secure = true
	return s
}

func startTLS(t testing.TB, c *Certificates, addr string, p Program) *Server {
	t.Helper()
	p.Env = append(p.Env, c.server()...)
	s := startServer(t, addr, p)
	s.secure = true
	return s
}

// TLSClient makes one call, and tells of it what it knows itself.
type TLSClient struct {
	Name    string
	Library string // the TLS implementation, and how it comes to the program
	HTTP2   bool   // needs a server of HTTP/2; else one of HTTP/1
	Call    func(t testing.TB, c *Certificates, sequence, base, uri string, request []byte) truth.Call
}

// TLSClients are all there are.
func TLSClients() []TLSClient {
	script := func(interpreter, file string, mode ...string) func(testing.TB, *Certificates, string, string, string, []byte) truth.Call {
		return func(t testing.TB, c *Certificates, sequence, base, uri string, request []byte) truth.Call {
			t.Helper()
			return scriptTLS(t, c, NeedProgram(t, interpreter), append([]string{filepath.Join(programs(), file)}, mode...), sequence, base, uri, request)
		}
	}
	return []TLSClient{
		{"go", "crypto/tls", false, goTLS(false)},
		{"go http2", "crypto/tls", true, goTLS(true)},
		{"curl", "libssl", false, curlTLS("--http1.1")},
		{"curl http2", "libssl", true, curlTLS("--http2")},
		{"wget", "GnuTLS", false, wgetTLS},
		{"openssl", "libssl", false, opensslTLS},
		{"python", "libssl", false, script("/usr/bin/python3", "tlsclient.py", "blocking")},
		{"asyncio", "libssl, in memory", false, script("/usr/bin/python3", "tlsclient.py", "asyncio")},
		{"curl's library with NSS", "NSS", false, script("/usr/bin/python3", "tlsclient.py", "nss")},
		{"node", "OpenSSL, in memory", false, script("node", "tlsclient.js", "http1")},
		{"node http2", "OpenSSL, in memory", true, script("node", "tlsclient.js", "http2")},
		{"php", "libssl", false, script("php", "tlsclient.php")},
		{"ruby", "libssl", false, script("ruby", "tlsclient.rb")},
	}
}

// scriptTLS runs a client that writes a truth.Call to its standard output.
func scriptTLS(
	t testing.TB, c *Certificates, interpreter string, args []string, sequence, base, uri string, request []byte,
) truth.Call {
	t.Helper()
	run := Start(t, Program{
		Path: interpreter, Args: append(args, base, uri, sequence, bodyFile(t, request)), Env: []string{"TLS_AUTHORITY=" + c.Authority},
	})
	require.Zero(t, run.Wait(Patience), "%s", run.Output())
	var call truth.Call
	require.NoError(t, json.Unmarshal([]byte(run.Output()), &call), "%s", run.Output())
	call.Sequence = sequence
	return call
}

// bodyFile puts a request's body into a file, and gives nothing for none.
func bodyFile(t testing.TB, request []byte) string {
	t.Helper()
	if request == nil {
		return ""
	}
	path := filepath.Join(t.TempDir(), "request")
	require.NoError(t, os.WriteFile(path, request, 0o600))
	return path
}

// goTLS runs the client of programs/client, which sends a body of its own making.
func goTLS(http2 bool) func(testing.TB, *Certificates, string, string, string, []byte) truth.Call {
	return func(t testing.TB, c *Certificates, sequence, base, uri string, request []byte) truth.Call {
		t.Helper()
		load := Load{URL: base, Name: sequence, Path: uri, Requests: 1, HTTP2: http2, Authority: c.Authority}
		if request != nil {
			load.Method, load.Size = http.MethodPost, len(request)
		}
		return Send(t, load)[0]
	}
}

func curlTLS(version string) func(testing.TB, *Certificates, string, string, string, []byte) truth.Call {
	return func(t testing.TB, c *Certificates, sequence, base, uri string, request []byte) truth.Call {
		t.Helper()
		return Curl(t, sequence, base, uri, request, version, "--cacert", c.Authority)
	}
}

func wgetTLS(t testing.TB, c *Certificates, sequence, base, uri string, request []byte) truth.Call {
	t.Helper()
	output := filepath.Join(t.TempDir(), "response")
	args := []string{
		"--quiet", "--tries=1", "--ca-certificate=" + c.Authority, "--output-document=" + output,
		"--header=" + truth.SequenceHeader + ": " + sequence,
	}
	method := http.MethodGet
	if request != nil {
		args, method = append(args, "--post-file="+bodyFile(t, request)), http.MethodPost
	}
	run := Start(t, Program{Path: NeedProgram(t, "wget"), Args: append(args, base+uri)})
	require.Zero(t, run.Wait(Patience), "%s", run.Output())
	response, err := os.ReadFile(output)
	require.NoError(t, err)
	return callTLS(run.PID(), sequence, method, uri, http.StatusOK, request, response)
}

// opensslTLS writes a request by hand.
func opensslTLS(t testing.TB, c *Certificates, sequence, base, uri string, request []byte) truth.Call {
	t.Helper()
	to, err := url.Parse(base)
	require.NoError(t, err)
	method := http.MethodGet
	if request != nil {
		method = http.MethodPost
	}
	message := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
		method, uri, to.Host, truth.SequenceHeader, sequence, len(request))
	input, err := os.Open(bodyFile(t, append(message, request...)))
	require.NoError(t, err)
	defer input.Close()
	run := Start(t, Program{Path: NeedProgram(t, "openssl"), Stdin: input, Args: []string{
		"s_client", "-quiet", "-verify_quiet", "-verify_return_error", "-CAfile", c.Authority, "-connect", to.Host,
	}})
	require.Zero(t, run.Wait(Patience), "%s", run.Output())
	_, answer, _ := strings.Cut(run.Output(), "HTTP/1.1 ")
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 "+answer)), nil)
	require.NoError(t, err, "%s", run.Output())
	defer resp.Body.Close()
	var response bytes.Buffer
	_, err = io.Copy(&response, resp.Body)
	require.NoError(t, err)
	return callTLS(run.PID(), sequence, method, uri, resp.StatusCode, request, response.Bytes())
}

func callTLS(pid int, sequence, method, uri string, status int, request, response []byte) truth.Call {
	return truth.Call{
		PID: pid, Sequence: sequence, Method: method, URI: uri, Status: status,
		RequestSize: len(request), RequestSHA256: truth.Sum(request),
		ResponseSize: len(response), ResponseSHA256: truth.Sum(response),
	}
}
