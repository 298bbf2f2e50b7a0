// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

func TestMain(m *testing.M) { Main(m) }

// TestServersAgree makes sure that every server sends the bodies that tests
// compute, and logs what it did.
func TestServersAgree(t *testing.T) {
	servers := map[string]func(testing.TB) *Server{
		"go":       func(t testing.TB) *Server { return GoServer(t, Place{}) },
		"gunicorn": func(t testing.TB) *Server { return Gunicorn(t, 2) },
		"node":     Node,
		"python":   PythonHTTP,
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			calls := Send(t, Load{URL: s.URL(), Name: "text", Path: "/bytes/7/70001/text", Requests: 2})
			calls = append(calls, Send(t, Load{URL: s.URL(), Name: "binary", Path: "/bytes/7/70001/binary", Requests: 1})...)
			calls = append(calls, Send(t, Load{URL: s.URL(), Name: "echo", Method: "POST", Path: "/echo", Size: 70001, Requests: 1})...)
			calls = append(calls, Send(t, Load{URL: s.URL(), Name: "status", Path: "/status/404", Requests: 1})...)
			require.Len(t, calls, 5)
			assert.Equal(t, truth.Sum(truth.TextBody(7, 70001)), calls[0].ResponseSHA256)
			assert.Equal(t, truth.Sum(truth.BinaryBody(7, 70001)), calls[2].ResponseSHA256)
			assert.Equal(t, calls[3].RequestSHA256, calls[3].ResponseSHA256)
			assert.Equal(t, 404, calls[4].Status)

			said := s.TruthOf()
			for _, c := range calls {
				assert.Empty(t, c.Error)
				seen := said[c.Sequence]
				if name == "gunicorn" {
					assert.Contains(t, s.Children(), seen.PID)
				} else {
					assert.Equal(t, s.PID(), seen.PID)
				}
				seen.PID, c.PID = 0, 0
				assert.Equal(t, seen, c)
			}
		})
	}
}

func TestNginx(t *testing.T) {
	files := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(files, "a.txt"), truth.TextBody(1, 5000), 0o644))
	backend := GoServer(t, Place{})
	s := Nginx(t, files, backend)
	calls := Send(t, Load{URL: s.URL(), Name: "file", Path: "/a.txt", Requests: 1})
	calls = append(calls, Send(t, Load{URL: s.URL(), Name: "proxy", Path: "/backend/bytes/1/5000/text", Requests: 1})...)
	for _, c := range calls {
		assert.Equal(t, truth.Sum(truth.TextBody(1, 5000)), c.ResponseSHA256)
		assert.Contains(t, s.Children(), s.TruthOf()[c.Sequence].PID)
	}
	assert.Equal(t, backend.PID(), backend.TruthOf()["proxy-1"].PID)
}

func TestContainer(t *testing.T) {
	NeedRoot(t)
	c := StartContainer(t)
	calls := Send(t, Load{URL: c.URL(), Name: "c", Path: "/bytes/1/100/text", Requests: 1})
	assert.Equal(t, truth.Sum(truth.TextBody(1, 100)), calls[0].ResponseSHA256)
	assert.Contains(t, c.TruthOf(), "c-1")
}

func TestNetworkNamespaces(t *testing.T) {
	NeedRoot(t)
	a, b := NetNSPair(t)
	server := GoServer(t, Place{NetNS: b.Name, Addr: b.Addr + ":80", Cgroup: NewCgroup(t, "server")})
	calls := Send(t, Load{URL: server.URL(), Name: "c", Requests: 3, Place: Place{NetNS: a.Name, Cgroup: NewCgroup(t, "client")}})
	require.Len(t, calls, 3)
	assert.Equal(t, 200, calls[2].Status)
}

func TestStepClientKeepsItsConnection(t *testing.T) {
	var addrs []string
	server := http.Server{Addr: FreeAddr(t), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addrs = append(addrs, r.RemoteAddr)
		_, _ = io.Copy(w, r.Body)
	})}
	go func() { _ = server.ListenAndServe() }()
	t.Cleanup(func() { _ = server.Close() })
	Eventually(t, "the server", func() bool { return listening("", server.Addr) })

	c := StepClient(t, Load{URL: "http://" + server.Addr, Name: "s", Method: "POST", Size: 10, Requests: 2})
	first, second := c.Step(), c.Step()
	assert.Equal(t, []string{"s-1", "s-2"}, []string{first[0].Sequence, first[1].Sequence})
	assert.Equal(t, []string{"s-3", "s-4"}, []string{second[0].Sequence, second[1].Sequence})
	assert.Len(t, slices.Compact(addrs), 1)
}

func TestListening(t *testing.T) {
	addr := FreeAddr(t)
	assert.False(t, listening("", addr))
	GoServer(t, Place{Addr: addr})
	assert.True(t, listening("", addr))
	assert.True(t, strings.HasPrefix(addr, "127.0.0.1:"))
}
